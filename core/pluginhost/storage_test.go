package pluginhost_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// expect compares the error id of an answer, or with "" that there is none, and looks for a text in it.
func expect(t *testing.T, what string, a nodetest.Answer, id, text string) {
	t.Helper()
	got, _ := a.Get("error.id").(string)
	if got != id || !strings.Contains(a.Body, text) {
		t.Errorf("%s: %s\nwant %q and %s", what, a.Body, id, text)
	}
}

// caller lets a plugin of the kind service call and store, in envelopes, which show error ids.
type caller struct{ *nodetest.Node }

func (c caller) store(request string) nodetest.Answer {
	c.T.Helper()
	return c.Query(`{"controller":"service","action":"store","body":` + request + `}`)
}

func (c caller) call(request string) nodetest.Answer {
	c.T.Helper()
	return c.Query(`{"controller":"service","action":"call","body":` + request + `}`)
}

func TestOwnStorage(t *testing.T) {
	n := caller{serve(t, nil, "service", "friend")}
	expect(t, "what Start wrote", n.store(`{"do":"get","collection":"things","id":"started"}`), "", `"_source":{"n":1}`)
	expect(t, "create", n.store(`{"do":"create","collection":"things","id":"a","document":{"n":1}}`), "", `"_version":1,"_source":{"n":1}`)
	expect(t, "create again", n.store(`{"do":"create","collection":"things","id":"a","document":{"n":1}}`), "services.storage.document_already_exists", "")
	expect(t, "update", n.store(`{"do":"update","collection":"things","id":"a","document":{"n":2},"ifVersion":1}`), "", `"_version":2`)
	expect(t, "update, lost", n.store(`{"do":"update","collection":"things","id":"a","document":{"n":3},"ifVersion":1}`), "services.storage.too_many_changes", "")
	expect(t, "replace, lost", n.store(`{"do":"replace","collection":"things","id":"a","document":{"n":3},"ifVersion":1}`), "services.storage.too_many_changes", "")
	expect(t, "put, lost", n.store(`{"do":"put","collection":"things","id":"a","document":{"n":3},"ifVersion":1}`), "services.storage.too_many_changes", "")
	expect(t, "delete, lost", n.store(`{"do":"delete","collection":"things","id":"a","ifVersion":1}`), "services.storage.too_many_changes", "")
	expect(t, "replace", n.store(`{"do":"replace","collection":"things","id":"a","document":{"n":3},"ifVersion":2}`), "", `"_version":3`)
	expect(t, "the mapping holds", n.store(`{"do":"create","collection":"things","id":"b","document":{"other":1}}`), "services.storage.strict_mapping_rejection", "")
	expect(t, "no metadata", n.store(`{"do":"get","collection":"things","id":"a"}`), "", `"_source":{"n":3}`)
	expect(t, "many", n.store(`{"do":"mGet","collection":"things","document":{"ids":["a","started"]}}`), "", `"errors":[]`)
	expect(t, "another index of its own", n.store(`{"do":"create","index":"more","collection":"things","id":"a","document":{"free":true}}`), "", `"_version":1`)
	expect(t, "which is another", n.store(`{"do":"get","collection":"things","id":"a"}`), "", `{"n":3}`)
	expect(t, "its collections", n.call(`{"controller":"collection","action":"list","index":"service"}`), "", `"collections":[{"name":"things","type":"stored"}]`)
	expect(t, "its index", n.call(`{"controller":"index","action":"exists","index":"service"}`), "", `"result":true`)
	expect(t, "delete", n.store(`{"do":"delete","collection":"things","id":"a","ifVersion":3}`), "", `"result":null`)
	expect(t, "gone", n.store(`{"do":"get","collection":"things","id":"a"}`), "services.storage.not_found", "")
	for line := range strings.Lines(n.Log.String()) {
		if strings.Contains(line, `msg="document`) {
			t.Errorf("another plugin was told: %s", line)
		}
	}
}

// TestConditionalWritesAtOnce: of those who saw the same version, one writes.
func TestConditionalWritesAtOnce(t *testing.T) {
	n := caller{serve(t, nil, "service")}
	expect(t, "create", n.store(`{"do":"create","collection":"things","id":"a","document":{"n":1}}`), "", `"_version":1`)
	const writers = 20
	answers := make([]nodetest.Answer, writers)
	var all sync.WaitGroup
	for i := range writers {
		do := []string{"update", "replace", "put"}[i%3]
		all.Go(func() {
			answers[i] = n.store(fmt.Sprintf(`{"do":%q,"collection":"things","id":"a","document":{"n":%d},"ifVersion":1}`, do, i))
		})
	}
	all.Wait()
	won := -1
	for i, a := range answers {
		switch {
		case a.Status != 200:
			expect(t, "lost", a, "services.storage.too_many_changes", "")
		case won >= 0:
			t.Errorf("writers %d and %d have both won", won, i)
		default:
			won = i
		}
	}
	expect(t, "what the winner wrote", n.store(`{"do":"get","collection":"things","id":"a"}`), "", fmt.Sprintf(`"_version":2,"_source":{"n":%d}`, won))
}

// TestNobodyElseReachesIt: not clients, whatever their rights and however they name it, and not other plugins.
func TestNobodyElseReachesIt(t *testing.T) {
	n := caller{serve(t, func(c *config.Config) {
		c.Plugins.Storage = map[string][]string{"friend": {"*"}}
		c.Plugins.Mounts = map[string]string{"service": "/elsewhere"} // or the mount would hide the index over HTTP
	}, "service", "friend")}
	root := "Authorization: Bearer " + root(n.Node)
	for _, index := range []string{"service", "plugin-service", "%plugin-service", "more", "plugin-service_more", "internal"} {
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/" + index + "/things/started", ""},
			{"PUT", "/" + index + "/things/started", `{"n":9}`},
			{"POST", "/" + index + "/things/_mGet", `{"ids":["started"]}`},
			{"DELETE", "/" + index + "/things/started", ""},
			{"DELETE", "/" + index + "/things/_truncate", ""},
			{"GET", "/" + index + "/things/_mapping", ""},
			{"GET", "/" + index + "/_list", ""},
			{"DELETE", "/" + index, ""},
		} {
			path := strings.ReplaceAll(c.path, "/%p", "/%25p")
			if a := n.HTTP(c.method, path, c.body, root); a.Status < 400 {
				t.Errorf("%s %s: %d %s", c.method, c.path, a.Status, a.Body)
			}
		}
		for _, action := range []string{"document:get", "document:mGet", "document:search", "collection:list", "bulk:write", "index:delete"} {
			controller, name, _ := strings.Cut(action, ":")
			envelope := fmt.Sprintf(`{"controller":%q,"action":%q,"index":%q,"collection":"things","_id":"started","body":{"ids":["started"]}}`, controller, name, index)
			if a := n.HTTP("POST", "/_query", envelope, root); a.Status < 400 {
				t.Errorf("%s: %d %s", envelope, a.Status, a.Body)
			}
			peek := fmt.Sprintf(`{"controller":"friend","action":"peek","body":{"controller":%q,"action":%q,"index":%q,"collection":"things","id":"started","body":{"ids":["started"]}}}`,
				controller, name, index)
			if a := n.Query(peek); a.Status < 400 {
				t.Errorf("friend: %s: %d %s", peek, a.Status, a.Body)
			}
		}
	}
	for _, envelope := range []string{
		`{"controller":"index","action":"list"}`,
		`{"controller":"index","action":"list","countCollection":true}`,
	} {
		if a := n.HTTP("POST", "/_query", envelope, root); a.Status != 200 || strings.Contains(a.Body, "service\"") || strings.Contains(a.Body, "plugin-") {
			t.Errorf("%s: %s", envelope, a.Body)
		}
	}
	a := n.HTTP("POST", "/_query", `{"controller":"document","action":"search","targets":[{"index":"%plugin-service","collections":["things"]}],"body":{}}`, root)
	if a.Status < 400 {
		t.Errorf("search: %s", a.Body)
	}
	// A public index of the same name is another one.
	n.Must("PUT", "/service/things", `{}`, root)
	n.Must("PUT", "/service/things/started", `{"public":true}`, root)
	expect(t, "the plugin's own", n.store(`{"do":"get","collection":"things","id":"started"}`), "", `"_source":{"n":1}`)
	n.Must("DELETE", "/service", "", root)
	expect(t, "still there", n.store(`{"do":"get","collection":"things","id":"started"}`), "", `"_source":{"n":1}`)
	// The friend's own collection of that name is another, too.
	expect(t, "the friend's", n.Query(`{"controller":"friend","action":"peek","body":{"controller":"document","action":"get","index":"friend","collection":"things","id":"started"}}`),
		"services.storage.not_found", "")
}

func TestGrantedStorage(t *testing.T) {
	n := caller{serve(t, func(c *config.Config) { c.Plugins.Storage = map[string][]string{"service": {"shared"}} }, "service")}
	root := "Authorization: Bearer " + root(n.Node)
	for _, index := range []string{"shared", "closed"} {
		n.Must("PUT", "/"+index+"/c", `{}`, root)
		n.Must("PUT", "/"+index+"/c/a", `{"x":1}`, root)
	}
	const refused = "plugin.runtime.storage_not_granted"
	for _, c := range []struct{ name, call, id, text string }{
		{"granted", `{"controller":"document","action":"get","index":"shared","collection":"c","id":"a"}`, "", `"x":1`},
		{"written", `{"controller":"document","action":"update","index":"shared","collection":"c","id":"a","body":{"y":2}}`, "", `"y":2`},
		{"not granted", `{"controller":"document","action":"get","index":"closed","collection":"c","id":"a"}`, refused, ""},
		{"no index", `{"controller":"document","action":"get","collection":"c","id":"a"}`, refused, ""},
		{"all indexes", `{"controller":"index","action":"list"}`, refused, ""},
		{"indexes in the body", `{"controller":"index","action":"mDelete","index":"shared","body":{"indexes":["closed"]}}`, refused, ""},
		{"its own, with indexes in the body", `{"controller":"index","action":"mDelete","index":"service","body":{"indexes":["closed"]}}`, refused, ""},
		{"targets", `{"controller":"document","action":"search","args":{"targets":[{"index":"shared","collections":["c"]},{"index":"closed","collections":["c"]}]}}`, refused, ""},
		{"its own, with targets", `{"controller":"document","action":"search","index":"service","args":{"targets":[{"index":"closed","collections":["c"]}]}}`, refused, ""},
		{"targets that are none", `{"controller":"document","action":"search","args":{"targets":"closed"}}`, "api.assert.invalid_type", ""},
		{"not listed", `{"controller":"bulk","action":"write","index":"shared","collection":"c","id":"a","body":{}}`, "plugin.runtime.call_not_listed", ""},
		{"another controller", `{"controller":"server","action":"now"}`, "", `"now":`},
		{"as the user, whose rights count", `{"controller":"document","action":"get","index":"closed","collection":"c","id":"a","asUser":true}`, "security.rights.unauthorized", ""},
		{"as the user, its own is not there", `{"controller":"document","action":"get","index":"service","collection":"things","id":"started","asUser":true}`, "security.rights.unauthorized", ""},
	} {
		expect(t, c.name, n.call(c.call), c.id, c.text)
	}
	if a := n.HTTP("GET", "/closed/c/a", "", root); a.Status != 200 {
		t.Errorf("it is gone: %d", a.Status)
	}
}

// TestStorageOutlivesItsPlugin: what is stored is there after a restart, and a later version may add to its mapping.
func TestStorageOutlivesItsPlugin(t *testing.T) {
	data := t.TempDir()
	keep := func(c *config.Config) { c.Server.DataDir = data }
	t.Run("first", func(t *testing.T) {
		n := caller{serve(t, keep, "service")}
		expect(t, "create", n.store(`{"do":"create","collection":"things","id":"kept","document":{"n":1}}`), "", `"_version":1`)
	})
	t.Run("second", func(t *testing.T) {
		n := caller{serve(t, keep, "service")}
		expect(t, "get", n.store(`{"do":"get","collection":"things","id":"kept"}`), "", `"_version":1,"_source":{"n":1}`)
	})
}
