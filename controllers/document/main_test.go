package document_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/document"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type scenario controllertest.Scenario

const (
	maxFetch = 4
	maxWrite = 5

	// c is the collection of every test.
	c = `"index":"i","collection":"c"`
	// Metadata of documents that nobody changed, of those written over others, of changed ones and of changes.
	fresh    = `"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}`
	replaced = `"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"}`
	changes  = `"_kuzzle_info":{"updatedAt":1000,"updater":"-1"}`

	createdInfo  = `generic:document:injectMetadata {"metadata":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`
	replacedInfo = `generic:document:injectMetadata {"metadata":{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"}}`
	updatedInfo  = `generic:document:injectMetadata {"metadata":{"updatedAt":1000,"updater":"-1"}}`
	upsertedInfo = `generic:document:injectMetadata {"metadata":{"updatedAt":1000,"updater":"-1"},"defaultMetadata":{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"}}`
)

func newNode(t testing.TB) *controllertest.Node {
	t.Helper()
	n, _ := newNodeWithSpecifications(t, true)
	return n
}

func newNodeWithSpecifications(t testing.TB, dev bool) (*controllertest.Node, *validation.Validator) {
	t.Helper()
	n := controllertest.New(t, dev)
	v, err := validation.Open(t.Context(), validation.Options{Engine: n.Engine})
	if err != nil {
		t.Fatal(err)
	}
	n.Contribute(t, "document", document.Actions(document.Options{
		Engine: n.Engine, Announcer: n.Announcer, Subscribers: n.Subscribers, Metadata: metadata.Writer{Announcer: n.Announcer, Now: controllertest.Now},
		Users: n.Users, Paging: target.Paging{MaxFetch: maxFetch, MaxScroll: time.Minute}, MaxWrite: maxWrite, MaxBytes: 3 << 20,
		Validator: v,
	}))
	if err := n.Engine.Ensure(t.Context(), storage.Collection{Index: "i", Name: "c"}, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	return n, v
}

// withDocument is a node with the document d of version 1.
func withDocument(t testing.TB, source string) *controllertest.Node {
	t.Helper()
	n := newNode(t)
	put(t, n, source)
	return n
}

func put(t testing.TB, n *controllertest.Node, source string) {
	t.Helper()
	where := storage.Collection{Index: "i", Name: "c"}
	if _, _, err := n.Engine.Put(t.Context(), where, "d", []byte(source), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestAuthor is the caller, and null for a call from inside the node that has no user.
func TestAuthor(t *testing.T) {
	n := newNode(t)
	for want, user := range map[string]*protocol.User{
		`{"author":null,"createdAt":1000,"updatedAt":1000,"updater":null}`: nil,
		`{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"}`: {ID: protocol.AnonymousID},
	} {
		r := &protocol.Request{
			Controller: "document", Action: "createOrReplace", Index: "i", Collection: "c", ID: "d", Body: jsontext.Value(`{}`),
			User: user, Connection: &protocol.Connection{}, Internal: &protocol.Internal{},
		}
		a := n.Funnel.Execute(t.Context(), r)
		if !strings.Contains(string(a.Result), `"_source":{"_kuzzle_info":`+want+`}`) {
			t.Errorf("%s %v, want %s", a.Result, a.Error, want)
		}
	}
}

func TestRoutes(t *testing.T) {
	var got strings.Builder
	for _, a := range newNode(t).Routes.Current().Actions() {
		for _, r := range a.Routes {
			got.WriteString(strings.TrimSpace(strings.Join([]string{r.Verb, r.Path, a.Name, r.Deprecated}, " ")) + "\n")
		}
	}
	const want = `GET /:index/:collection/_export export
POST /:index/:collection/_export export
GET /:index/:collection/_search search
POST /:index/:collection/_search search
GET /:index/:collection/:_id get
GET /:index/:collection/_mGet mGet
POST /:index/:collection/_mGet mGet
GET /:index/:collection/:_id/_exists exists
POST /:index/:collection/_mExists mExists
GET /_scroll/:scrollId scroll
POST /:index/:collection/_count count
POST /:index/:collection/_create create
POST /:index/:collection/:_id/_create create
POST /:index/:collection/_mCreate mCreate
POST /:index/:collection/_validate validate
POST /:index/:collection/_mUpsert mUpsert
POST /:index/:collection/:_id/_upsert upsert
PUT /:index/:collection/:_id/_upsert upsert 2.11.0
DELETE /:index/:collection/:_id delete
DELETE /:index/:collection/_query deleteByQuery
DELETE /:index/:collection/:_id/_fields deleteFields
DELETE /:index/:collection/_mDelete mDelete
PUT /:index/:collection/:_id createOrReplace
PUT /:index/:collection/_mCreateOrReplace mCreateOrReplace
PUT /:index/:collection/:_id/_replace replace
PUT /:index/:collection/_mReplace mReplace
PUT /:index/:collection/_mUpdate mUpdate 2.11.0
PATCH /:index/:collection/_mUpdate mUpdate
PUT /:index/:collection/_query updateByQuery
PUT /:index/:collection/:_id/_update update 2.11.0
PATCH /:index/:collection/:_id/_update update
`
	if got.String() != want {
		t.Error(got.String())
	}
}
