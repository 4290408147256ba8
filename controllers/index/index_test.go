package index_test

import (
	"errors"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/index"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type scenario controllertest.Scenario

func newNode(t *testing.T, dev bool) *controllertest.Node {
	n := controllertest.New(t, dev)
	n.Contribute(t, "index", index.Actions(index.Options{Engine: n.Engine, Announcer: n.Announcer, Users: n.Users}))
	return n
}

func TestIndexes(t *testing.T) {
	const created, deleted, mDeleted = "core:storage:index:create:after", "core:storage:index:delete:after", "core:storage:index:mDelete:after"
	n := newNode(t, true)
	controllertest.Run(t, n, []scenario{
		{"none", `index:list`, 200, "", `{"indexes":[]}`, ""},
		{"create", `index:create "index":"b"`, 200, "", "", created + ` {"index":"b","scope":"public"}`},
		{"create again", `index:create "index":"b"`, 412, "services.storage.index_already_exists", "", ""},
		{"create one that the node has", `index:create "index":"kuzzle"`, 412, "services.storage.index_already_exists", "", ""},
		{"create without a name", `index:create`, 400, "api.assert.missing_argument", "", ""},
		{"create with a bad name", `index:create "index":"B"`, 400, "services.storage.invalid_index_name", "", ""},
		{"create a pattern", `index:create "index":"b*"`, 400, "services.storage.invalid_index_name", "", ""},
		{"create another", `index:create "index":"a"`, 200, "", "", "*"},
		{"exists", `index:exists "index":"a"`, 200, "", `true`, ""},
		{"does not exist", `index:exists "index":"x"`, 200, "", `false`, ""},
		{"exists, without a name", `index:exists`, 400, "api.assert.missing_argument", "", ""},
		{"a pattern exists", `index:exists "index":"*"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
	})
	if err := n.Engine.Ensure(t.Context(), storage.Collection{Index: "a", Name: "c"}, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	controllertest.Run(t, n, []scenario{
		{"list", `index:list`, 200, "", `{"indexes":["a","b"]}`, ""},
		{"list and count", `index:list "countCollection":true`, 200, "", `{"indexes":["a","b"],"collections":{"a":1,"b":0}}`, ""},
		{"list and count, the other spelling", `index:list "countCollections":true`, 200, "", `{"indexes":["a","b"],"collections":{"a":1,"b":0}}`, ""},
		{"list and count what", `index:list "countCollection":1`, 400, "api.assert.invalid_type", "", ""},
		{"delete", `index:delete "index":"a"`, 200, "", `{"acknowledged":true}`, deleted + ` {"index":"a","scope":"public"}`},
		{"delete again", `index:delete "index":"a"`, 412, "services.storage.unknown_index", "", ""},
		{"delete one that the node has", `index:delete "index":"kuzzle"`, 412, "services.storage.unknown_index", "", ""},
		{"delete without a name", `index:delete`, 400, "api.assert.missing_argument", "", ""},
		{"delete all", `index:delete "index":"_all"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"delete by pattern", `index:delete "index":"*"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"delete a list", `index:delete "index":"b,c"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"delete many", `index:mDelete "body":{"indexes":["x","b","b"]}`, 200, "", `{"deleted":["b"]}`, mDeleted + ` {"indexes":["b"],"scope":"public"}`},
		{"delete none", `index:mDelete "body":{"indexes":[]}`, 200, "", `{"deleted":[]}`, "*"},
		{"delete nothing named", `index:mDelete`, 200, "", `{"deleted":[]}`, "*"},
		{"delete what is no list", `index:mDelete "body":{"indexes":"b"}`, 400, "api.assert.invalid_type", "", ""},
		{"none left", `index:list`, 200, "", `{"indexes":[]}`, ""},
	})
}

// TestMDeleteObeysRights: whoever may call index:mDelete deletes no index that index:delete would refuse, and does not learn
// whether there is one.
func TestMDeleteObeysRights(t *testing.T) {
	n := newNode(t, false)
	ctx := t.Context()
	for id, role := range map[string]string{
		"many": `{"controllers":{"index":{"actions":{"mDelete":true}}}}`,
		"one":  `{"controllers":{"index":{"actions":{"delete":true}}}}`,
	} {
		if _, err := n.Users.PutRole(ctx, id, jsontext.Value(role), security.Write{}); err != nil {
			t.Fatal(err)
		}
	}
	profiles := storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "profiles"}
	profile := `{"policies":[{"roleId":"many"},{"roleId":"one","restrictedTo":[{"index":"mine"}]}]}`
	if _, _, err := n.Engine.Put(ctx, profiles, "limited", jsontext.Value(profile), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Users.CreateUser(ctx, "ann", nil, jsontext.Value(`{"profileIds":["limited"]}`), security.Write{}); err != nil {
		t.Fatal(err)
	}
	token, err := n.Tokens.Issue(ctx, "ann", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mine", "theirs"} {
		if err := n.Engine.CreateIndex(ctx, storage.Public, name); err != nil {
			t.Fatal(err)
		}
	}
	controllertest.Run(t, n, []scenario{
		{"anonymous", `index:mDelete "body":{"indexes":["mine"]}`, 401, "security.rights.unauthorized", "", ""},
		{"ann", `index:mDelete "jwt":"` + token.Text + `","body":{"indexes":["theirs","mine","nobody's"]}`, 200, "", `{"deleted":["mine"]}`, "*"},
	})
	left, err := n.Engine.Indexes(ctx, storage.Public)
	if err != nil || len(left) != 1 || left[0] != "theirs" {
		t.Errorf("%v, %v", left, err)
	}
}

// TestMDeleteFromInside: the node's own calls decide for themselves, unless they ask for the decision.
func TestMDeleteFromInside(t *testing.T) {
	n := newNode(t, false)
	if err := n.Engine.CreateIndex(t.Context(), storage.Public, "a"); err != nil {
		t.Fatal(err)
	}
	r := &protocol.Request{
		Controller: "index", Action: "mDelete", Body: jsontext.Value(`{"indexes":["a"]}`),
		Connection: &protocol.Connection{}, Internal: &protocol.Internal{},
	}
	if a := n.Funnel.Execute(t.Context(), r); string(a.Result) != `{"deleted":["a"]}` {
		t.Errorf("%s %v", a.Result, a.Error)
	}
}

func TestStorageFailure(t *testing.T) {
	n := newNode(t, true)
	n.FailWith(func(string) error { return kerror.ServicesStorageNotConnected.Wrap(errors.New("gone")) })
	for _, call := range []string{`index:list`, `index:exists "index":"a"`, `index:create "index":"a"`, `index:delete "index":"a"`, `index:mDelete "body":{"indexes":["a"]}`} {
		controllertest.Run(t, n, []scenario{{call, call, 500, "services.storage.not_connected", "", ""}})
	}
}

func TestStats(t *testing.T) {
	n := newNode(t, true)
	controllertest.Run(t, n, []scenario{{"none", `index:stats`, 200, "", `{"size":0,"indexes":[]}`, ""}})
	if err := n.Engine.CreateIndex(t.Context(), storage.Public, "empty"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"c", "d"} {
		where := storage.Collection{Index: "i", Name: name}
		if err := n.Engine.Ensure(t.Context(), where, storage.Spec{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "b", "a"} {
		where := storage.Collection{Index: "i", Name: "d"}
		if _, _, err := n.Engine.Put(t.Context(), where, id, jsontext.Value(`{}`), storage.WriteOptions{Refresh: storage.RefreshWaitFor}); err != nil {
			t.Fatal(err)
		}
	}
	a := n.Ask(t, `{"controller":"index","action":"stats"}`)
	var got struct {
		Size    int64
		Indexes []struct {
			Name        string
			Size        int64
			Collections []struct {
				Name          string
				DocumentCount int
				Size          int64
			}
		}
	}
	if err := json.Unmarshal(a.Result, &got, json.MatchCaseInsensitiveNames(true)); err != nil || a.Error != nil || len(got.Indexes) != 2 {
		t.Fatalf("%s %v %v", a.Result, a.Error, err)
	}
	empty, i := got.Indexes[0], got.Indexes[1]
	if empty.Name != "empty" || empty.Size != 0 || empty.Collections == nil || len(empty.Collections) != 0 {
		t.Errorf("%+v", empty)
	}
	if len(i.Collections) != 2 || i.Collections[0].Name != "c" || i.Collections[0].DocumentCount != 0 || i.Collections[1].Name != "d" || i.Collections[1].DocumentCount != 2 {
		t.Fatalf("%+v", i)
	}
	if i.Collections[1].Size <= 0 || i.Size != i.Collections[0].Size+i.Collections[1].Size || got.Size != i.Size {
		t.Errorf("%+v", got)
	}
	n.FailWith(func(string) error { return kerror.ServicesStorageNotConnected.New() })
	controllertest.Run(t, n, []scenario{{"without storage", `index:stats`, 500, "services.storage.not_connected", "", ""}})
}
