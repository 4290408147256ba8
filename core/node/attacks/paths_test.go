package attacks

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/config"
)

// asWritten sends a path that Go's client would tidy.
func (n *target) asWritten(method, path, body string) (int, string) {
	n.t.Helper()
	all := n.raw(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer " + n.root +
		"\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + body)
	return status(all), all
}

// A path leads to its route and no further, however it is written.
func TestPathsLeadNowhereElse(t *testing.T) {
	n := newTarget(t)
	n.collections()
	for _, path := range []string{
		"/i/c/..%2f..%2fother%2fc%2fsecret", "/i/../other/c/secret", "/i/%2e%2e/other/c/secret", "/i/c/..", "/i/c/%2e%2e", "/./other/c/secret",
		"/i/c%00/secret", "/i/c/secret%00", "/i/c/%c0%ae%c0%ae%c0%afsecret", "/i/c%5c..%5cd/secret", "/i%2Fc/secret", "/i/c/secret;x", "/i/c/secret%23",
		"/i/c/secret%3Findex=other", "/%25kuzzle/users/root", "/%kuzzle/users/root", "/users/..%2froles%2fadmin", "/roles/admin;a=b", "/_plugin/../_now",
		"/_/../../etc/passwd", "/../../../../etc/passwd", "/_now/..%2f", "/%2e%2e/%2e%2e/jwt.secret", "/_metrics", "/debug/pprof/", "/.git/config",
		`/i\c\secret`, "/i/c/" + strings.Repeat("%2e%2e%2f", 200) + "etc%2fpasswd",
	} {
		if got, all := n.asWritten("GET", path, ""); got < 400 || got > 499 {
			t.Errorf("%s: %s", path, all)
		}
	}
}

func TestNamesThatMeanMore(t *testing.T) {
	n := newTarget(t)
	n.collections()
	for _, name := range []string{
		".", "..", "a/b", `a\b`, "a\x00b", "%kuzzle", "&i.c", "a*b", "a,b", "a b", "i\n", "a:b", "a#b", "+x", "a?b", "<script>", "A", strings.Repeat("x", 300),
	} {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		wantRefused(t, n.call(n.root, "index", "create", `,"index":`+string(text)), "services.storage.invalid_index_name")
		wantRefused(t, n.call(n.root, "collection", "create", `,"index":"i","collection":`+string(text)), "services.storage.invalid_collection_name")
	}
	for _, format := range []string{"?format=../../x", "?format=csv&separator=%0d%0aSet-Cookie:x", "?format=csv&separator=%00%00"} {
		wantRefused(t, n.HTTP("GET", "/i/c/_export"+format, "", "Authorization: Bearer "+n.root), "api.assert.invalid_argument")
	}
}

// An id is text of the client's choice. No id breaks the answers to others, gets out of the folder of the node or into headers.
func TestIDsAreOnlyIDs(t *testing.T) {
	var dir string
	n := newTarget(t, func(c *config.Config) { dir = c.Server.DataDir })
	n.collections()
	before := files(t, dir)
	for _, id := range []string{"..%2f..%2fx", "%00", "a%0d%0aSet-Cookie:%20x=1", "%ff", "%fe", "%c0%ae", "%ed%a0%80", "__proto__", "%E2%80%AE"} {
		got, all := n.asWritten("PUT", "/i/c/"+id+"?refresh=wait_for", `{"planted":true}`)
		if got != http.StatusOK || strings.Contains(all, "\nSet-Cookie") {
			t.Errorf("%s: %s", id, all)
		}
		if got, all := n.asWritten("POST", "/users/"+id+"/_create", `{"content":{"profileIds":["default"]}}`); got != http.StatusOK && got != http.StatusPreconditionFailed {
			t.Errorf("user %s: %s", id, all)
		}
		if got, all := n.asWritten("POST", "/i/c/_create?_id="+id, `{}`); got != http.StatusBadRequest { // there is one
			t.Errorf("%s in the query: %s", id, all)
		}
	}
	for _, path := range []string{"/i/c/_search?size=100", "/i/c/_export", "/i/c/_export?format=csv", "/users/_search?size=100"} {
		n.mustAsRoot("POST", strings.Replace(path, "POST ", "", 1), "{}")
	}
	if after := files(t, dir); after != before {
		t.Errorf("beside the node's files there are now %s, before %s", after, before)
	}
}

func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
