package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// The benchmarks go from 64 clients through the node's binary to the plugin's, from there to the store and to a Direct Line in
// the benchmark's process, and back; nodetest.Load says what they report. Each client has a key of its own.

// loaded is a node whose throttles of keys and of unknown users are off.
type loaded struct {
	*nodetest.Process
	root string // Authorization header
}

func serveLoad(b *testing.B) loaded {
	b.Helper()
	line := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v3/directline/tokens/generate" || r.Header.Get("Authorization") != "Bearer "+directLineSecret {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, tokenAnswer)
	}))
	b.Cleanup(line.Close)
	n := binaries.ServeLoad(b, id, map[string]any{
		"directLine": map[string]any{"baseUrl": line.URL},
		"limits":     map[string]any{"failuresPerMinute": 0, "unknownUsersPerMinute": 0},
	}, map[string]string{"keyRing": ringText, "directLineSecret": directLineSecret})
	n.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	return loaded{n, "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")}
}

func (l loaded) key(class, mode string) string {
	l.T.Helper()
	a := l.Must("POST", mount+"/admin/api-keys", `{"consumer":"bench","classes":["`+class+`"],"mode":"`+mode+`"}`, l.root)
	key, _ := a.Get("result.apiKey").(string)
	return "Authorization: APIKEY " + key
}

// BenchmarkToken is GET /token, for which Direct Line is asked each time.
func BenchmarkToken(b *testing.B) {
	l := serveLoad(b)
	l.Load(b, nodetest.Load{Request: func(int) nodetest.Request {
		return nodetest.Request{Method: "GET", Path: mount + "/token", Headers: []string{l.key("internal", "r")}, Want: `"token":"tok.e&n"`}
	}})
}

// BenchmarkCheck is GET /users/{auraId} with an internal key.
func BenchmarkCheck(b *testing.B) {
	l := serveLoad(b)
	kernel := l.key("kernel", "rw")
	l.Load(b, nodetest.Load{Request: func(i int) nodetest.Request {
		query := fmt.Sprintf("?userId=u%d&authorizationId=a&channelId=%s", i, c1)
		auraID, _ := l.Must("GET", mount+"/users/aura-id"+query, "", kernel).Get("auraId").(string)
		return nodetest.Request{
			Method: "GET", Path: mount + "/users/" + auraID, Headers: []string{l.key("internal", "r")}, Want: `"auraId":"` + auraID + `"`,
		}
	}})
}
