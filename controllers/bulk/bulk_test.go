package bulk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/controllers/bulk"
	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type scenario controllertest.Scenario

const c = `"index":"i","collection":"c"`

func newNode(t *testing.T) *controllertest.Node {
	t.Helper()
	n := controllertest.New(t, true)
	n.Contribute(t, "bulk", bulk.Actions(bulk.Options{
		Engine: n.Engine, Subscribers: n.Subscribers, Metadata: metadata.Writer{Announcer: n.Announcer, Now: controllertest.Now},
	}))
	if err := n.Engine.Ensure(t.Context(), storage.Collection{Index: "i", Name: "c"}, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWrite(t *testing.T) {
	controllertest.Run(t, newNode(t), []scenario{
		{"create, without events", `bulk:write ` + c + `,"_id":"d","body":{"a":1,"_kuzzle_info":{"author":"me"}}`, 200, "", `{"_id":"d","_source":{"a":1,"_kuzzle_info":{"author":"me"}},"_version":1}`, ""},
		{"replace", `bulk:write ` + c + `,"_id":"d","refresh":"wait_for","notify":true,"body":{}`, 200, "", `{"_id":"d","_source":{},"_version":2}`, ""},
		{"generated id", `bulk:write ` + c + `,"body":{}`, 200, "", `{"_id":"UUID","_source":{},"_version":1}`, ""},
		{"notify what", `bulk:write ` + c + `,"notify":1,"body":{}`, 400, "api.assert.invalid_type", "", ""},
		{"no body", `bulk:write ` + c, 400, "api.assert.body_required", "", ""},
		{"no index", `bulk:write "collection":"c","body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"unknown collection", `bulk:write "index":"i","collection":"x","body":{}`, 412, "services.storage.unknown_collection", "", ""},
		{"a pattern", `bulk:write "index":"i","collection":"*","body":{}`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
	})
}

func TestMWrite(t *testing.T) {
	controllertest.Run(t, newNode(t), []scenario{
		{
			"write", `bulk:mWrite ` + c + `,"body":{"documents":[{"_id":"d","body":{"a":1}},{"_id":"e"},{"_id":"d","body":{"a":2}},{"body":{}}]}`, 200, "",
			`{"successes":[{"_id":"d","_source":{"a":1},"_version":1},{"_id":"d","_source":{"a":2},"_version":2},{"_id":"UUID","_source":{},"_version":1}],` +
				`"errors":[{"document":{"_id":"e"},"status":400,"reason":"Missing argument \"body.documents[1].body\"."}]}`, "",
		},
		{"none", `bulk:mWrite ` + c + `,"body":{"documents":[]}`, 200, "", `{"successes":[],"errors":[]}`, ""},
		{"strictly", `bulk:mWrite ` + c + `,"strict":true,"body":{"documents":[{}]}`, 400, "api.process.incomplete_multiple_request", "", ""},
		{"no documents", `bulk:mWrite ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"unknown collection", `bulk:mWrite "index":"i","collection":"x","body":{"documents":[]}`, 412, "services.storage.unknown_collection", "", ""},
	})
}

func TestImport(t *testing.T) {
	const info = `generic:document:injectMetadata {"metadata":{"updatedAt":1000,"updater":"-1"},"defaultMetadata":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`
	n := newNode(t)
	controllertest.Run(t, n, []scenario{
		{
			"import", `bulk:import ` + c + `,"body":{"bulkData":[{"index":{"_id":"a","_index":"elsewhere"}},{"n":1},{"create":{"_id":"a"}},{"n":2},{"create":{"_id":"b"}},{"n":3},` +
				`{"update":{"_id":"a"}},{"doc":{"m":1}},{"update":{"_id":"x"}},{"doc":{}},{"update":{"_id":"u"}},{"doc":{"n":4},"doc_as_upsert":true},` +
				`{"update":{"_id":"v"}},{"doc":{},"upsert":{"n":5}},{"index":{"_id":"b"}},{"n":6},{"delete":{"_id":"b"}},{"delete":{"_id":"b"}},{"index":{}},{}]}`, 200, "",
			`{"successes":[{"index":{"_id":"a","status":201}},{"create":{"_id":"b","status":201}},{"update":{"_id":"a","status":200}},{"update":{"_id":"u","status":201}},` +
				`{"update":{"_id":"v","status":201}},{"index":{"_id":"b","status":200}},{"delete":{"_id":"b","status":200}},{"index":{"_id":"UUID","status":201}}],` +
				`"errors":[{"create":{"_id":"a","status":409,"_source":{"n":2},"error":{"type":"version_conflict_engine_exception","reason":"A document with this id exists already."}}},` +
				`{"update":{"_id":"x","status":404,"_source":{"doc":{}},"error":{"type":"document_missing_exception","reason":"There is no document \"x\" in \"i\":\"c\"."}}},` +
				`{"delete":{"_id":"b","status":404}}]}`, info,
		},
		{"strictly", `bulk:import ` + c + `,"strict":true,"body":{"bulkData":[{"delete":{"_id":"x"}}]}`, 400, "api.process.incomplete_multiple_request", "", "*"},
		{"nothing", `bulk:import ` + c + `,"body":{"bulkData":[]}`, 200, "", `{"successes":[],"errors":[]}`, "*"},
		{"no data", `bulk:import ` + c + `,"body":{}`, 400, "api.assert.missing_argument", "", ""},
		{"data is no list", `bulk:import ` + c + `,"body":{"bulkData":{}}`, 400, "api.assert.invalid_type", "", ""},
		{"no body", `bulk:import ` + c, 400, "api.assert.body_required", "", ""},
		{"unknown operation", `bulk:import ` + c + `,"body":{"bulkData":[{"write":{}},{}]}`, 400, "api.assert.invalid_argument", "", "*"},
		{"two operations", `bulk:import ` + c + `,"body":{"bulkData":[{"index":{},"create":{}},{}]}`, 400, "api.assert.invalid_argument", "", "*"},
		{"a number", `bulk:import ` + c + `,"body":{"bulkData":[1]}`, 400, "api.assert.invalid_type", "", "*"},
		{"an operation on a number", `bulk:import ` + c + `,"body":{"bulkData":[{"index":1},{}]}`, 400, "api.assert.invalid_type", "", "*"},
		{"no document", `bulk:import ` + c + `,"body":{"bulkData":[{"index":{}}]}`, 400, "api.assert.missing_argument", "", "*"},
		{"a number for a document", `bulk:import ` + c + `,"body":{"bulkData":[{"index":{}},1]}`, 400, "api.assert.invalid_type", "", "*"},
		{"update nothing", `bulk:import ` + c + `,"body":{"bulkData":[{"update":{}},{"doc":{}}]}`, 400, "api.assert.missing_argument", "", "*"},
		{"update with nothing", `bulk:import ` + c + `,"body":{"bulkData":[{"update":{"_id":"a"}},{}]}`, 400, "api.assert.missing_argument", "", "*"},
		{"a script", `bulk:import ` + c + `,"body":{"bulkData":[{"update":{"_id":"a"}},{"script":{}}]}`, 400, "services.storage.invalid_query_keyword", "", "*"},
		{"routing", `bulk:import ` + c + `,"body":{"bulkData":[{"index":{"_routing":"x"}},{}]}`, 400, "services.storage.no_routing", "", "*"},
		{"unknown index", `bulk:import "index":"x","collection":"c","body":{"bulkData":[]}`, 412, "services.storage.unknown_index", "", "*"},
	})
	for id, want := range map[string]string{
		"a": `{"n":1,"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"},"m":1}`,
		"u": `{"n":4,"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`,
		"v": `{"n":5,"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`,
	} {
		stored, err := n.Engine.Get(t.Context(), storage.Collection{Index: "i", Name: "c"}, id)
		if err != nil || string(stored.Source) != want {
			t.Errorf("%s: %s, %v", id, stored.Source, err)
		}
	}
}

func TestStorageFailure(t *testing.T) {
	n := newNode(t)
	n.FailWith(func(string) error { return kerror.ServicesStorageNotConnected.Wrap(errors.New("gone")) })
	controllertest.Run(t, n, []scenario{
		{"write", `bulk:write ` + c + `,"body":{}`, 500, "services.storage.not_connected", "", ""},
		{"mWrite", `bulk:mWrite ` + c + `,"body":{"documents":[]}`, 500, "services.storage.not_connected", "", ""},
		{"import", `bulk:import ` + c + `,"body":{"bulkData":[]}`, 500, "services.storage.not_connected", "", "*"},
	})
}

// TestSubscribers hear of write and mWrite with notify, and of nothing else.
func TestSubscribers(t *testing.T) {
	n := newNode(t)
	l := n.Listen(t, "l", "i", "c", `{"equals":{"red":true}}`, realtime.Options{Users: realtime.None})
	var many []string
	for i := range 401 { // more than are written at a time
		many = append(many, fmt.Sprintf(`{"_id":"m%d","body":{"red":%v}}`, i, i%200 == 0))
	}
	for _, s := range []struct{ call, heard string }{
		{`write","_id":"d","body":{"red":true}`, ""},
		{`write","_id":"d","notify":true,"body":{"red":true,"n":1}`, `in replace {"_id":"d","_source":{"red":true,"n":1}}`},
		{`write","_id":"d","notify":true,"body":{}`, `out replace {"_id":"d","_source":{}}`},
		{`write","_id":"e","notify":true,"body":{"red":true}`, `in create {"_id":"e","_source":{"red":true}}`},
		{`mWrite","body":{"documents":[{"_id":"e","body":{"n":1}}]}`, ""},
		{`mWrite","notify":true,"body":{"documents":[{"_id":"e","body":{"red":true}},{"_id":"x"},{"_id":"e","body":{}}]}`, "in replace {\"_id\":\"e\",\"_source\":{\"red\":true}}\nout replace {\"_id\":\"e\",\"_source\":{}}"},
		{
			`mWrite","notify":true,"body":{"documents":[` + strings.Join(many, ",") + `]}`,
			"in create {\"_id\":\"m0\",\"_source\":{\"red\":true}}\nin create {\"_id\":\"m200\",\"_source\":{\"red\":true}}\nin create {\"_id\":\"m400\",\"_source\":{\"red\":true}}",
		},
		{`import","notify":true,"body":{"bulkData":[{"index":{"_id":"d"}},{"red":true}]}`, ""},
		{`updateByQuery","notify":true,"body":{"query":{"match_all":{}},"changes":{"red":true}}`, ""},
		{`deleteByQuery","notify":true,"body":{"query":{"match_all":{}}}`, ""},
	} {
		if a := n.Ask(t, `{"controller":"bulk","action":"`+s.call+`,`+c+`}`); a.Status != 200 {
			t.Errorf("%.80s: %v", s.call, a.Error)
		}
		if heard := l.Lines(); heard != s.heard {
			t.Errorf("%.80s: heard\n %s\nwant\n %s", s.call, heard, s.heard)
		}
	}
}

// TestMWriteThatFailsHalfway tells of the documents that were written, and answers the others.
func TestMWriteThatFailsHalfway(t *testing.T) {
	n := newNode(t)
	l := n.Listen(t, "l", "i", "c", `{}`, realtime.Options{Users: realtime.None})
	writes := 0
	n.FailWith(func(op string) error {
		if op == "Write" {
			writes++
		}
		if writes == 2 {
			return kerror.ServicesStorageUnexpectedError.New("disk full")
		}
		return nil
	})
	documents := strings.TrimSuffix(strings.Repeat(`{"body":{}},`, 401), ",")
	a := n.Ask(t, `{"controller":"bulk","action":"mWrite","notify":true,`+c+`,"body":{"documents":[`+documents+`]}}`)
	if failed := strings.Count(string(a.Result), "disk full"); a.Status != 200 || failed != 201 || len(l.All()) != 200 {
		t.Errorf("%d %v: %d failed", a.Status, a.Error, failed)
	}
}
