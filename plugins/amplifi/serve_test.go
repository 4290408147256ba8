package main

import (
	"net/http"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol"
)

// An argument that is there decides, and headers of an upgrade count for nothing.
func TestWhereATokenIsReadFrom(t *testing.T) {
	for _, c := range []struct{ name, transport, args, want string }{
		{"argument", "websocket", `{"token":"argument"}`, "argument"},
		{"no text", "websocket", `{"token":5}`, ""},
		{"no argument over WebSocket", "websocket", `{}`, ""},
		{"no text over HTTP", "http", `{"token":5}`, ""},
		{"argument and header", "http", `{"token":"argument"}`, "argument"},
		{"header", "http", `{}`, "header"},
	} {
		args, err := protocol.ParseArgs(jsontext.Value(c.args), "")
		if err != nil {
			t.Fatal(err)
		}
		r := &sdk.Request{}
		r.Args = args
		r.Connection = &protocol.Connection{Protocol: c.transport, Header: http.Header{"Token": {"header"}}}
		if got := argument(r, "token", "token"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
