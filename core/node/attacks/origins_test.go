package attacks

import (
	"net/http"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// Pages of other sites get nothing, by whatever way they come.
func TestOriginsThatLookAlike(t *testing.T) {
	for name, allow := range map[string]func(*config.HTTP){
		"names": func(c *config.HTTP) { c.AccessControlAllowOrigin = []string{"https://app.example"} },
		"patterns": func(c *config.HTTP) {
			c.AccessControlAllowOriginUseRegExp = true
			c.AccessControlAllowOrigin = []string{`https://app\.example`, `https://[a-z]+\.app\.example|https://dev\.app\.example`}
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newTarget(t, func(c *config.Config) { allow(&c.HTTP) })
			for _, origin := range []string{
				"null", "*", "file://", "http://app.example", "https://app.example:8443", "https://app.example.", "https://app.example/",
				"https://app.example.evil.example", "https://evil.example/https://app.example", "https://appxexample", "https://evilapp.example",
				"https://app.example@evil.example", "https://app.example, https://evil.example", "https://a.app.example.evil",
				"evil https://dev.app.example", "https://APP.example.evil", "https://app.example%00",
			} {
				n.refusesOrigin(origin)
			}
			if a := n.HTTP("GET", "/_now?jwt="+n.root, "", "Origin: https://app.example"); a.Status != http.StatusOK ||
				a.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
				t.Errorf("from the one that may: %v %s", a.Header, a.Body)
			}
		})
	}
}

func (n *target) refusesOrigin(origin string) {
	n.t.Helper()
	header := "Origin: " + origin
	for way, a := range map[string]nodetest.Answer{
		"GET":    n.HTTP("GET", "/_now?jwt="+n.root, "", header),
		"POST":   n.HTTP("POST", "/_query", envelope(n.root, "server", "now", ""), header),
		"events": n.Events("index=i&collection=c&jwt="+n.root, header).Refusal,
	} {
		if a.Get("error.id") != "api.process.unauthorized_origin" {
			n.t.Errorf("%s from %s: %s", way, origin, a.Body)
		}
	}
	conn, resp, err := websocket.DefaultDialer.DialContext(n.t.Context(), "ws://"+n.Client.Address, http.Header{"Origin": {origin}})
	if err == nil {
		_ = conn.Close()
	}
	if resp == nil || resp.StatusCode != http.StatusUnauthorized {
		n.t.Errorf("WebSocket from %s: %v", origin, err)
	}
}
