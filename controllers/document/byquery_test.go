package document_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

func TestUpdateByQuery(t *testing.T) {
	n := library(t, newNode(t), 10)
	changed := func(id, content string) string { return `{"_id":"` + id + `","_source":` + content + `}` }
	after := func(n int) string {
		return strings.TrimSuffix(source(n), "}") + `,"seen":true,` + changes + `}`
	}
	const three = `"query":{"ids":{"values":["b7"]}}`
	controllertest.Run(t, n, []scenario{
		{
			"changed", `document:updateByQuery ` + c + `,"refresh":"wait_for","body":{` + three + `,"changes":{"seen":true,"_kuzzle_info":{"author":"eve"}}}`, 200, "",
			`{"successes":[{"_id":"b7","_version":2,"status":200}],"errors":[]}`,
			updatedInfo + "\n" + `generic:document:afterUpdate [` + changed("b7", after(7)) + `]`,
		},
		{
			"with the source", `document:updateByQuery ` + c + `,"source":true,"body":{` + three + `,"changes":{"seen":true}}`, 200, "",
			`{"successes":[{"_id":"b7","_source":` + after(7) + `,"_version":3,"status":200}],"errors":[]}`, "*",
		},
		{"as many as may be written", `document:updateByQuery ` + c + `,"body":{` + odd + `,"changes":{}}`, 200, "", "*", "*"},
		{"koncorde", `document:updateByQuery ` + c + `,"lang":"koncorde","body":{"query":{"equals":{"n":7}},"changes":{}}`, 200, "", `{"successes":[{"_id":"b7","_version":5,"status":200}],"errors":[]}`, "*"},
		{"none", `document:updateByQuery ` + c + `,"body":{"query":{"ids":{"values":[]}},"changes":{}}`, 200, "", `{"successes":[],"errors":[]}`, updatedInfo + "\n" + `generic:document:afterUpdate []`},
		{"too many", `document:updateByQuery ` + c + `,"body":{"query":{"range":{"n":{"gte":4}}},"changes":{}}`, 413, "services.storage.write_limit_exceeded", "", ""},
		{"all are too many", `document:updateByQuery ` + c + `,"body":{"query":{},"changes":{}}`, 413, "services.storage.write_limit_exceeded", "", ""},
		{"no query", `document:updateByQuery ` + c + `,"body":{"changes":{}}`, 400, "api.assert.missing_argument", "", ""},
		{"no changes", `document:updateByQuery ` + c + `,"body":{` + three + `}`, 400, "api.assert.missing_argument", "", ""},
		{"a list for changes", `document:updateByQuery ` + c + `,"body":{` + three + `,"changes":[]}`, 400, "api.assert.invalid_type", "", ""},
		{"a text for a query", `document:updateByQuery ` + c + `,"body":{"query":"*","changes":{}}`, 400, "api.assert.invalid_type", "", ""},
		{"an unknown clause", `document:updateByQuery ` + c + `,"body":{"query":{"equals":{"n":7}},"changes":{}}`, 400, "services.storage.unknown_query_keyword", "", ""},
		{"no body", `document:updateByQuery ` + c, 400, "api.assert.missing_argument", "", ""},
		{"refresh with another text", `document:updateByQuery ` + c + `,"refresh":"x","body":{` + three + `,"changes":{}}`, 400, "services.storage.invalid_argument", "", ""},
		{"silent what", `document:updateByQuery ` + c + `,"silent":"x","body":{` + three + `,"changes":{}}`, 400, "api.assert.invalid_type", "", ""},
		{"an unknown collection", `document:updateByQuery "index":"i","collection":"x","body":{` + three + `,"changes":{}}`, 412, "services.storage.unknown_collection", "", ""},
	})
	if doc, err := n.Engine.Get(t.Context(), storage.Collection{Index: "i", Name: "c"}, "b8"); err != nil || doc.Version != 1 {
		t.Errorf("one that does not match: %+v, %v", doc, err)
	}
}

func TestDeleteByQuery(t *testing.T) {
	controllertest.Run(t, library(t, newNode(t), 10), []scenario{
		{
			"deleted", `document:deleteByQuery ` + c + `,"body":{"query":{"term":{"n":7}}}`, 200, "", `{"documents":[{"_id":"b7"}],"ids":["b7"]}`,
			`generic:document:afterDelete [{"_id":"b7"}]`,
		},
		{
			"with the source", `document:deleteByQuery ` + c + `,"source":true,"refresh":"wait_for","body":{"query":{"term":{"n":8}}}`, 200, "",
			`{"documents":[{"_id":"b8","_source":` + source(8) + `}],"ids":["b8"]}`, `generic:document:afterDelete [{"_id":"b8"}]`,
		},
		{"none", `document:deleteByQuery ` + c + `,"body":{"query":{"term":{"n":8}}}`, 200, "", `{"documents":[],"ids":[]}`, `generic:document:afterDelete []`},
		{"koncorde", `document:deleteByQuery ` + c + `,"lang":"koncorde","body":{"query":{"equals":{"n":9}}}`, 200, "", `{"documents":[{"_id":"b9"}],"ids":["b9"]}`, "*"},
		{"too many", `document:deleteByQuery ` + c, 413, "services.storage.write_limit_exceeded", "", ""},
		{"koncorde that holds no filter", `document:deleteByQuery ` + c + `,"lang":"koncorde","body":{"query":{"and":[]}}`, 400, "services.koncorde.elastic_translation_error", "", ""},
		{"koncorde that holds none deeper", `document:deleteByQuery ` + c + `,"lang":"koncorde","body":{"query":{"not":{"or":[]}}}`, 400, "services.koncorde.elastic_translation_error", "", ""},
		{"koncorde without a bound", `document:deleteByQuery ` + c + `,"lang":"koncorde","body":{"query":{"range":{"n":{}}}}`, 400, "services.koncorde.elastic_translation_error", "", ""},
		{"a body without a query", `document:deleteByQuery ` + c + `,"body":{"term":{"n":1}}`, 400, "api.assert.missing_argument", "", ""},
		{"null for a query", `document:deleteByQuery ` + c + `,"body":{"query":null}`, 400, "api.assert.missing_argument", "", ""},
		{"a list for a body", `document:deleteByQuery ` + c + `,"body":[]`, 400, "api.assert.invalid_type", "", ""},
		{"a script", `document:deleteByQuery ` + c + `,"body":{"query":{"script":{}}}`, 400, "services.storage.invalid_query_keyword", "", ""},
		{"an unknown collection", `document:deleteByQuery "index":"i","collection":"x"`, 412, "services.storage.unknown_collection", "", ""},
		{"seven are left", `document:count ` + c, 200, "", `{"count":7}`, ""},
	})
	controllertest.Run(t, library(t, newNode(t), 5), []scenario{
		{"an empty query is every document", `document:deleteByQuery ` + c + `,"body":{"query":{}}`, 200, "", "*", "*"},
		{"none is left", `document:count ` + c, 200, "", `{"count":0}`, ""},
		{"nothing at all is every document", `document:deleteByQuery "index":"i","collection":"d","body":{}`, 200, "", "*", "*"},
		{"none is left there", `document:count "index":"i","collection":"d"`, 200, "", `{"count":0}`, ""},
	})
}

// TestByQueryRaces: whoever writes a document after it was found keeps what was written, and is told of; whoever deletes it
// has deleted it.
func TestByQueryRaces(t *testing.T) {
	n := library(t, newNode(t), 3)
	where, disk := storage.Collection{Index: "i", Name: "c"}, n.Engine.(storagetest.Faulty).Engine
	meddle := func(op string) error {
		if op != "Write" {
			return nil
		}
		_, err := disk.Update(t.Context(), where, "b1", []byte(`{"mine":true}`), storage.UpdateOptions{})
		return errors.Join(err, disk.Delete(t.Context(), where, "b2", storage.WriteOptions{}))
	}
	n.FailWith(meddle)
	a := call(t, n, "updateByQuery", c+`,"body":{"query":{},"changes":{"seen":true}}`)
	const sent = `"body":{"seen":true,` + changes + `}},"status":`
	for _, want := range []string{
		`"successes":[{"_id":"b0","_version":2,"status":200}]`, `{"document":{"_id":"b1",` + sent + `500`, `{"document":{"_id":"b2",` + sent + `404`,
	} {
		if a.Status != 200 || !strings.Contains(string(a.Result), want) {
			t.Errorf("%d %s, want %s", a.Status, a.Result, want)
		}
	}
	n.FailWith(nil)
	library(t, n, 3)
	n.FailWith(meddle)
	a = call(t, n, "deleteByQuery", c)
	if a.Status != 206 || a.Error == nil || a.Error.ID != "services.storage.incomplete_delete" || len(a.Error.Errors) != 1 {
		t.Errorf("%d %v", a.Status, a.Error)
	}
	if got := string(a.Result); got != `{"documents":[{"_id":"b0"}],"ids":["b0"]}` {
		t.Error(got)
	}
	if doc, err := disk.Get(t.Context(), where, "b1"); err != nil || !strings.Contains(string(doc.Source), `"mine":true`) {
		t.Errorf("%s, %v", doc.Source, err)
	}
}

// TestByQueryFaults: an end that is nobody's to see is the answer to the whole request.
func TestByQueryFaults(t *testing.T) {
	n := library(t, newNode(t), 3)
	n.FailWith(func(op string) error {
		if op == "Write" {
			return errors.New("disk")
		}
		return nil
	})
	controllertest.Run(t, n, []scenario{
		{"update", `document:updateByQuery ` + c + `,"body":{"query":{},"changes":{}}`, 500, "core.fatal.unexpected_error", "", updatedInfo},
		{"delete", `document:deleteByQuery ` + c, 500, "core.fatal.unexpected_error", "", ""},
	})
	n.FailWith(nil)
	for event, call := range map[string]string{
		announce.AfterUpdate: `document:updateByQuery ` + c + `,"body":{"query":{},"changes":{}}`, announce.AfterDelete: `document:deleteByQuery ` + c,
	} {
		n.Pipe(t, event, controllertest.Refuse)
		controllertest.Run(t, n, []scenario{{event, call, 400, "", "", "*"}})
	}
}

// TestByQueryOfLargeDocuments: what is answered, or shown to pipes, has a bound; what is only removed has none, and is removed
// some at a time.
func TestByQueryOfLargeDocuments(t *testing.T) {
	n, where := newNode(t), storage.Collection{Index: "i", Name: "c"}
	large := []byte(`{"text":"` + strings.Repeat("x", 900_000) + `"}`)
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		if _, _, err := n.Engine.Put(t.Context(), where, id, large, storage.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	writes := 0
	n.FailWith(func(op string) error {
		if op != "Write" {
			return nil
		}
		if writes++; writes == 2 {
			return errors.New("disk")
		}
		return nil
	})
	const tooLarge = "services.storage.answer_too_large"
	controllertest.Run(t, n, []scenario{
		{"updated", `document:updateByQuery ` + c + `,"body":{"query":{},"changes":{}}`, 413, tooLarge, "", ""},
		{"deleted with the sources", `document:deleteByQuery ` + c + `,"source":true`, 413, tooLarge, "", ""},
		{"all are left", `document:count ` + c, 200, "", `{"count":5}`, ""},
		{"deleted in part", `document:deleteByQuery ` + c, 500, "core.fatal.unexpected_error", "", ""},
		{"some are left", `document:count ` + c, 200, "", `{"count":3}`, ""},
		{"deleted", `document:deleteByQuery ` + c, 200, "", "*", "*"},
		{"none is left", `document:count ` + c, 200, "", `{"count":0}`, ""},
	})
	if writes != 4 {
		t.Errorf("%d writes", writes)
	}
}
