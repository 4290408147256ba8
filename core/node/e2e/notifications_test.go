package e2e

import (
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestNotifications: one client hears over a WebSocket what others do over HTTP, from the first match to the deletion; the
// answer to its subscription comes first.
func TestNotifications(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	n.Must("POST", "/i/_create", "")
	n.Must("PUT", "/i/c", "")
	s := n.WebSocket()
	a := s.Call(`{"controller":"realtime","action":"subscribe","requestId":"s","index":"i","collection":"c","body":{"range":{"n":{"gte":10}}}}`)
	channel := a.Get("result.channel")
	if a.Status != 200 || channel == nil {
		t.Fatalf("%s", a.Body)
	}
	for _, step := range []struct {
		method, path, body           string
		scope, event, action, result string // "" scope is no message
	}{
		{"POST", "/i/c/d/_create", `{"n":1}`, "", "", "", ""},
		{"POST", "/i/c/e/_create", `{"n":10}`, "in", "write", "create", "e 10"},
		{"PATCH", "/i/c/d/_update", `{"n":11}`, "in", "write", "update", "d 11"},
		{"PATCH", "/i/c/d/_update?silent", `{"n":12}`, "", "", "", ""},
		{"PATCH", "/i/c/d/_update", `{"n":2}`, "out", "write", "update", "d 2"},
		{"PATCH", "/i/c/d/_update", `{"n":3}`, "", "", "", ""},
		{"DELETE", "/i/c/d", "", "", "", "", ""},
		{"DELETE", "/i/c/e", "", "out", "delete", "delete", "e 10"},
		{"POST", "/i/c/_write?notify", `{"n":13}`, "in", "write", "create", "* 13"},
		{"DELETE", "/i/c/_truncate", "", "", "", "", ""},
		{"POST", "/i/c/_publish?_id=p", `{"n":14}`, "in", "publish", "publish", "p 14"},
	} {
		n.Must(step.method, step.path, step.body)
		if step.scope == "" {
			continue // it would be read in the place of the next
		}
		m := s.Next()
		for key, want := range map[string]any{
			"type": "document", "scope": step.scope, "event": step.event, "action": step.action, "room": channel,
			"index": "i", "collection": "c", "protocol": "http",
		} {
			if got := m.Get(key); got != want {
				t.Errorf("%s %s: %s is %v, want %v", step.method, step.path, key, got, want)
			}
		}
		id := m.Get("result._id")
		if step.result[0] == '*' {
			id = "*"
		}
		if got := fmt.Sprint(id, " ", m.Get("result._source.n")); got != step.result {
			t.Errorf("%s %s: told of %s, want %s", step.method, step.path, got, step.result)
		}
	}
	if a := s.Call(`{"controller":"realtime","action":"count","requestId":"c","body":{"roomId":"x"}}`); a.Get("requestId") != "c" {
		t.Errorf("a message that nobody expects: %s", a.Body)
	}
}
