package auth_test

import (
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestALinkLogsNobodyIn: neither when it shows that a page sent it, nor when a browser without encryption shows nothing.
func TestALinkLogsNobodyIn(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{})
	n.Must("POST", "/_createFirstAdmin/ann", `{"content":{},"credentials":{"local":{"username":"ann","password":"ann-Secret-1"}}}`)
	const link = "/_login/local?username=ann&password=ann-Secret-1"
	for _, header := range []string{"X-Nothing: said", "Sec-Fetch-Site: same-origin", "Origin: http://" + n.Client.Address} {
		a := n.HTTP("GET", link+"&cookieAuth=true", "", header)
		if a.Status != 400 || a.Get("error.id") != "api.assert.forbidden_argument" || a.Header["Set-Cookie"] != nil {
			t.Errorf("%s: %s %q", header, a.Body, a.Header["Set-Cookie"])
		}
	}
	a := n.HTTP("POST", "/_login/local?cookieAuth", `{"username":"ann","password":"ann-Secret-1"}`)
	session, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	if a.Status != 200 || !strings.HasPrefix(session, "authToken=") {
		t.Fatal(a.Body, a.Header)
	}
	if a := n.HTTP("GET", link, "", "Cookie: "+session); a.Get("result.jwt") == nil || a.Header["Set-Cookie"] != nil {
		t.Errorf("a link has replaced the session: %s %q", a.Body, a.Header["Set-Cookie"])
	}
}
