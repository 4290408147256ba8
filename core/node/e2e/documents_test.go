package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestRoutesOfStoredDocuments: every HTTP way to the controllers of stored documents leads where it should, and arguments are
// read from path, query and body.
func TestRoutesOfStoredDocuments(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	n.Must("POST", "/i/_create", "")
	n.Must("PUT", "/i/c", `{"mappings":{"properties":{"n":{"type":"integer"}}}}`)
	for _, c := range []struct {
		method, path, body, action string
		status                     int
		result                     string // "" is any
	}{
		{"GET", "/i/_exists", "", "index:exists", 200, `true`},
		{"GET", "/_list?countCollections", "", "index:list", 200, `{"indexes":["i"],"collections":{"i":1}}`},
		{"GET", "/i/_list?size=5", "", "collection:list", 200, `{"type":"all","collections":[{"name":"c","type":"stored"}],"size":5}`},
		{"GET", "/i/c/_exists", "", "collection:exists", 200, `true`},
		{"GET", "/i/c/_mapping", "", "collection:getMapping", 200, `{"dynamic":"false","properties":{"n":{"type":"integer"}}}`},
		{"GET", "/i/c/_settings", "", "collection:getSettings", 200, settingsOfC()},
		{"POST", "/i/c/_refresh", "", "collection:refresh", 200, `null`},
		{"POST", "/i/c", `{"mappings":{"properties":{"m":{"type":"integer"}}}}`, "collection:update", 200, `null`},
		{"PUT", "/i/c/_mapping", `{"_meta":{"v":1}}`, "collection:updateMapping", 200, ""},

		{"POST", "/i/c/_create?_id=a&refresh=wait_for", `{"n":1}`, "document:create", 200, ""},
		{"POST", "/i/c/b/_create", `{"n":1}`, "document:create", 200, ""},
		{"POST", "/i/c/b/_create?refresh=false", `{"n":1}`, "document:create", 400, ""},
		{"GET", "/i/c/a", "", "document:get", 200, ""},
		{"GET", "/i/c/x", "", "document:get", 404, ""},
		{"GET", "/i/c/_search?searchBody=x", "", "document:search", 400, ""},
		{"GET", "/i/c/a/_exists", "", "document:exists", 200, `true`},
		{"GET", "/i/c/_mGet?ids=a,b", "", "document:mGet", 200, ""},
		{"GET", `/i/c/_mGet?ids=["x"]`, "", "document:mGet", 200, `{"successes":[],"errors":["x"]}`},
		{"GET", `/i/c/_mGet?ids=x&ids=y`, "", "document:mGet", 200, `{"successes":[],"errors":["x","y"]}`},
		{"GET", `/i/c/_mGet?ids=x&strict`, "", "document:mGet", 400, ""},
		{"POST", "/i/c/_mGet", `{"ids":["x"]}`, "document:mGet", 200, `{"successes":[],"errors":["x"]}`},
		{"POST", "/i/c/_mExists", `{"ids":["a","x"]}`, "document:mExists", 200, `{"successes":["a"],"errors":["x"]}`},
		{"POST", "/i/c/_mExists?ids=a,x", "", "document:mExists", 200, `{"successes":["a"],"errors":["x"]}`},
		{"PUT", "/i/c/a", `{"n":2}`, "document:createOrReplace", 200, ""},
		{"PUT", "/i/c/a?refresh=now", `{"n":2}`, "document:createOrReplace", 400, ""},
		{"PUT", "/i/c/a/_replace", `{"n":3}`, "document:replace", 200, ""},
		{"PUT", "/i/c/a/_update", `{"n":4}`, "document:update", 200, ""},
		{"PATCH", "/i/c/a/_update?source&retryOnConflict=1", `{"n":5}`, "document:update", 200, ""},
		{"POST", "/i/c/a/_upsert", `{"changes":{"n":6}}`, "document:upsert", 200, `{"_id":"a","_version":6,"created":false}`},
		{"PUT", "/i/c/a/_upsert", `{"changes":{"n":7}}`, "document:upsert", 200, `{"_id":"a","_version":7,"created":false}`},
		{"DELETE", "/i/c/a/_fields", `{"fields":["n"]}`, "document:deleteFields", 200, `{"_id":"a","_version":8}`},
		{"POST", "/i/c/_mCreate", `{"documents":[{"_id":"a","body":{}}]}`, "document:mCreate", 200, `{"successes":[],"errors":[{"document":{"_id":"a","body":{}},"status":400,"reason":"A document with this id exists already."}]}`},
		{"PUT", "/i/c/_mCreateOrReplace", `{"documents":[]}`, "document:mCreateOrReplace", 200, `{"successes":[],"errors":[]}`},
		{"PUT", "/i/c/_mReplace", `{"documents":[]}`, "document:mReplace", 200, `{"successes":[],"errors":[]}`},
		{"PUT", "/i/c/_mUpdate", `{"documents":[]}`, "document:mUpdate", 200, `{"successes":[],"errors":[]}`},
		{"PATCH", "/i/c/_mUpdate", `{"documents":[]}`, "document:mUpdate", 200, `{"successes":[],"errors":[]}`},
		{"POST", "/i/c/_mUpsert", `{"documents":[]}`, "document:mUpsert", 200, `{"successes":[],"errors":[]}`},
		{"POST", "/i/c/_bulk", `{"bulkData":[{"index":{"_id":"k"}},{"n":1}]}`, "bulk:import", 200, `{"successes":[{"index":{"_id":"k","status":201}}],"errors":[]}`},
		{"POST", "/i/c/_mWrite", `{"documents":[{"_id":"k","body":{}}]}`, "bulk:mWrite", 200, `{"successes":[{"_id":"k","_source":{},"_version":2}],"errors":[]}`},
		{"POST", "/i/c/_write?_id=k", `{}`, "bulk:write", 200, `{"_id":"k","_source":{},"_version":3}`},
		{"DELETE", "/i/c/_mDelete", `{"ids":["k","x"]}`, "document:mDelete", 200, `{"successes":["k"],"errors":[{"_id":"x","status":404,"reason":"There is no document \"x\" in \"i\":\"c\"."}]}`},
		{"DELETE", "/i/c/a?source", "", "document:delete", 200, ""},
		{"DELETE", "/i/c/b", "", "document:delete", 200, `{"_id":"b"}`},

		{"DELETE", "/i/c/_truncate", "", "collection:truncate", 200, `{"acknowledged":true}`},
		{"DELETE", "/i/c", "", "collection:delete", 200, `null`},
		{"POST", "/i/c/_create", `{}`, "document:create", 412, ""},
		{"DELETE", "/i", "", "index:delete", 200, `{"acknowledged":true}`},
		{"DELETE", "/_mDelete", `{"indexes":["i"]}`, "index:mDelete", 200, `{"deleted":[]}`},
		{"DELETE", "/_mdelete", ``, "index:mDelete", 200, `{"deleted":[]}`},
	} {
		a := n.HTTP(c.method, c.path, c.body)
		action, _ := a.Get("action").(string)
		controller, _ := a.Get("controller").(string)
		if controller+":"+action != c.action {
			t.Errorf("%s %s leads to %s:%s: %s", c.method, c.path, controller, action, a.Body)
		}
		if a.Status != c.status || c.result != "" && !strings.Contains(a.Body, `"result":`+c.result+`,"headers"`) {
			t.Errorf("%s %s: %s, want %d %s", c.method, c.path, a.Body, c.status, c.result)
		}
	}
}

// settingsOfC are the settings of a collection that was given none. How many copies there are is for Elasticsearch to say.
func settingsOfC() string {
	if nodetest.OnElasticsearch() {
		return `{"number_of_shards":"1","provided_name":"&i.c"}`
	}
	return `{"number_of_replicas":"0","number_of_shards":"1","provided_name":"&i.c"}`
}

// TestDocumentsSurviveKill: what was acknowledged is there after kill -9, with its mapping.
func TestDocumentsSurviveKill(t *testing.T) {
	data := t.TempDir()
	n := binaries.Serve(t, "--dev", "--data", data)
	n.Must("PUT", "/i/c", `{"mappings":{"dynamic":"strict","properties":{"n":{"type":"integer"}}}}`)
	n.Must("POST", "/empty/_create", "")
	s := n.WebSocket()
	if a := s.Call(`{"controller":"document","action":"mCreate","index":"i","collection":"c","requestId":"1","body":{"documents":[{"_id":"a","body":{"n":1}},{"_id":"b","body":{"x":1}}]}}`); a.Status != 200 {
		t.Fatal(a.Body)
	} else if !strings.Contains(a.Body, `"errors":[{"document":{"_id":"b","body":{"x":1}},"status":400`) {
		t.Error(a.Body)
	}
	if err := n.Cmd.Process.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	if err := n.Wait(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	n = binaries.Serve(t, "--dev", "--data", data)
	if a := n.Must("GET", "/i/c/a", ""); a.Get("result._source.n") != 1.0 || a.Get("result._source._kuzzle_info.author") != "-1" {
		t.Error(a.Body)
	}
	if a := n.HTTP("POST", "/i/c/_create", `{"x":1}`); a.Get("error.id") != "services.storage.strict_mapping_rejection" {
		t.Error(a.Body)
	}
	if a := n.Must("GET", "/_list", ""); !strings.Contains(a.Body, `"indexes":["empty","i"]`) {
		t.Error(a.Body)
	}
}
