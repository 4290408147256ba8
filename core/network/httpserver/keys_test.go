package httpserver

import (
	"strings"
	"testing"
)

// TestPublicKeysEntry: the set itself is the answer, for whoever asks and from wherever a page does.
func TestPublicKeysEntry(t *testing.T) {
	o := options(t)
	o.PublicKeys = func() []byte { return []byte(`{"keys":[]}`) }
	address, _ := serve(t, o)
	a := do(t, address, request("GET /.well-known/jwks.json", ""))
	if a.status != 200 || a.body != `{"keys":[]}` || a.header.Get("Content-Type") != "application/jwk-set+json" || a.header.Get("Cache-Control") != keysCached {
		t.Errorf("%d %s, %v", a.status, a.body, a.header)
	}
	for raw, want := range map[string]int{
		request("HEAD /.well-known/jwks.json", ""):                                 200,
		request("GET /.well-known/jwks.json", "", "Origin: https://other.example"): 200,
		request("OPTIONS /.well-known/jwks.json", ""):                              200,
		request("POST /.well-known/jwks.json", "{}"):                               404,
		request("GET /.well-known/security.txt", ""):                               404,
	} {
		if a := do(t, address, raw); a.status != want {
			t.Errorf("%q: %d, want %d", strings.SplitN(raw, "\r\n", 2)[0], a.status, want)
		}
	}
	address, _ = serve(t, options(t))
	if a := do(t, address, request("GET /.well-known/jwks.json", "")); a.status != 404 {
		t.Errorf("without keys: %d", a.status)
	}
}
