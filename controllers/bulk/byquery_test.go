package bulk_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

var where = storage.Collection{Index: "i", Name: "c"}

// counted is a node with documents 0 to n-1, whose n is their number.
func counted(t *testing.T, documents int) *controllertest.Node {
	t.Helper()
	n := newNode(t)
	if err := n.Engine.Ensure(t.Context(), where, storage.Spec{Mapping: jsontext.Value(`{"properties":{"n":{"type":"integer"}}}`)}); err != nil {
		t.Fatal(err)
	}
	refill(t, n, documents)
	return n
}

func refill(t *testing.T, n *controllertest.Node, documents int) {
	t.Helper()
	ops := make([]storage.Op, documents)
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpPut, ID: strconv.Itoa(i), Source: jsontext.Value(`{"n":` + strconv.Itoa(i) + `}`)}
	}
	if _, err := n.Engine.Write(t.Context(), where, ops, storage.BulkOptions{Refresh: storage.RefreshWaitFor}); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, n *controllertest.Node, query string) int {
	t.Helper()
	total, err := n.Engine.Count(t.Context(), []storage.Collection{where}, jsontext.Value(query))
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// TestByQuery: there is no limit, no event and no metadata.
func TestByQuery(t *testing.T) {
	n := counted(t, 2500)
	controllertest.Run(t, n, []scenario{
		{"update one", `bulk:updateByQuery ` + c + `,"body":{"query":{"term":{"n":7}},"changes":{"m":{"a":[1]},"_kuzzle_info":{"author":"eve"}}}`, 200, "", `{"updated":1}`, ""},
		{"update none", `bulk:updateByQuery ` + c + `,"body":{"query":{"ids":{"values":[]}},"changes":{"m":1}}`, 200, "", `{"updated":0}`, ""},
		{"update all", `bulk:updateByQuery ` + c + `,"refresh":"wait_for","body":{"query":{"match_all":{}},"changes":{"seen":true}}`, 200, "", `{"updated":2500}`, ""},
		{"update by nothing", `bulk:updateByQuery ` + c + `,"body":{"query":{ },"changes":{"a":1}}`, 400, "services.storage.missing_argument", "", ""},
		{"update without changes", `bulk:updateByQuery ` + c + `,"body":{"query":{"match_all":{}}}`, 400, "api.assert.missing_argument", "", ""},
		{"update without a query", `bulk:updateByQuery ` + c + `,"body":{"changes":{}}`, 400, "api.assert.missing_argument", "", ""},
		{"update without a body", `bulk:updateByQuery ` + c, 400, "api.assert.body_required", "", ""},
		{"update with a list", `bulk:updateByQuery ` + c + `,"body":{"query":{"match_all":{}},"changes":[]}`, 400, "api.assert.invalid_type", "", ""},
		{"update elsewhere", `bulk:updateByQuery "index":"i","collection":"x","body":{"query":{"match_all":{}},"changes":{}}`, 412, "services.storage.unknown_collection", "", ""},
		{"delete one", `bulk:deleteByQuery ` + c + `,"refresh":true,"body":{"query":{"term":{"n":8}}}`, 200, "", `{"deleted":1}`, ""},
		{"delete it again", `bulk:deleteByQuery ` + c + `,"body":{"query":{"term":{"n":8}}}`, 200, "", `{"deleted":0}`, ""},
		{"delete by nothing", `bulk:deleteByQuery ` + c + `,"body":{"query":{ }}`, 400, "services.storage.missing_argument", "", ""},
		{"delete without a query", `bulk:deleteByQuery ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"delete without a body", `bulk:deleteByQuery ` + c, 400, "api.assert.body_required", "", ""},
		{"delete by a text", `bulk:deleteByQuery ` + c + `,"body":{"query":"n"}`, 400, "api.assert.invalid_type", "", ""},
		{"koncorde is not known here", `bulk:deleteByQuery ` + c + `,"lang":"koncorde","body":{"query":{"equals":{"n":1}}}`, 400, "services.storage.unknown_query_keyword", "", ""},
		{"delete by script", `bulk:deleteByQuery ` + c + `,"body":{"query":{"script":{}}}`, 400, "services.storage.invalid_query_keyword", "", ""},
		{"delete a pattern", `bulk:deleteByQuery "index":"i","collection":"*","body":{"query":{"match_all":{}}}`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
	})
	doc, err := n.Engine.Get(t.Context(), where, "7")
	if want := `{"n":7,"m":{"a":[1]},"_kuzzle_info":{"author":"eve"},"seen":true}`; err != nil || string(doc.Source) != want {
		t.Errorf("%s, %v", doc.Source, err)
	}
	controllertest.Run(t, n, []scenario{
		{"delete all", `bulk:deleteByQuery ` + c + `,"refresh":true,"body":{"query":{"match_all":{}}}`, 200, "", `{"deleted":2499}`, ""},
	})
	if left := count(t, n, ""); left != 0 {
		t.Errorf("%d left", left)
	}
}

// TestByQueryRaces: what others write in between stays, and ends the action after its batch.
func TestByQueryRaces(t *testing.T) {
	n := counted(t, 5)
	disk := n.Engine.(storagetest.Faulty).Engine
	meddle := func(op string) error {
		if op != "Write" {
			return nil
		}
		_, err := disk.Update(t.Context(), where, "1", []byte(`{"mine":true}`), storage.UpdateOptions{})
		return errors.Join(err, disk.Delete(t.Context(), where, "2", storage.WriteOptions{}))
	}
	n.FailWith(meddle)
	a := n.Ask(t, `{"controller":"bulk","action":"updateByQuery",`+c+`,"body":{"query":{"match_all":{}},"changes":{"seen":true}}}`)
	if a.Status != 400 || a.Error == nil || a.Error.ID != "services.storage.incomplete_update" || a.Error.Props[0] != "3" || len(a.Error.Errors) != 1 || a.Result != nil {
		t.Errorf("%d %v %s", a.Status, a.Error, a.Result)
	}
	n.FailWith(nil)
	refill(t, n, 5)
	n.FailWith(meddle)
	a = n.Ask(t, `{"controller":"bulk","action":"deleteByQuery",`+c+`,"body":{"query":{"match_all":{}}}}`)
	if a.Status != 206 || a.Error == nil || a.Error.ID != "services.storage.incomplete_delete" || len(a.Error.Errors) != 1 || string(a.Result) != `{"deleted":3}` {
		t.Errorf("%d %v %s", a.Status, a.Error, a.Result)
	}
	if doc, err := disk.Get(t.Context(), where, "1"); err != nil || !strings.Contains(string(doc.Source), `"mine":true`) {
		t.Errorf("%s, %v", doc.Source, err)
	}
	n.FailWith(func(op string) error {
		if op == "Write" {
			return errors.New("disk")
		}
		return nil
	})
	controllertest.Run(t, n, []scenario{
		{"update", `bulk:updateByQuery ` + c + `,"body":{"query":{"match_all":{}},"changes":{}}`, 500, "core.fatal.unexpected_error", "", ""},
		{"delete", `bulk:deleteByQuery ` + c + `,"body":{"query":{"match_all":{}}}`, 500, "core.fatal.unexpected_error", "", ""},
	})
}
