package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// eventually polls until done, as the node looks for other keys every second.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// TestKeysRotateWhileTheNodeRuns: nobody is logged out, a third party verifies tokens with what the node publishes, and a removed
// key ends what it signed. Nothing of a key is ever logged or printed.
func TestKeysRotateWhileTheNodeRuns(t *testing.T) {
	data := t.TempDir()
	n := binaries.Serve(t, "--data", data)
	n.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	old := n.Login("root", "root-Secret-1", "")
	apiKey, _ := n.Must("POST", "/api-keys/_create?expiresIn=-1", `{"description":"d"}`, "Authorization: Bearer "+old).Get("result._source.token").(string)
	socket := n.WebSocket()
	works := func(token string) bool {
		return n.HTTP("GET", "/_me", "", "Authorization: Bearer "+token).Get("result._id") == "root"
	}
	if !works(old) || !works(apiKey) {
		t.Fatal("the first token or the API key is refused")
	}
	keySet := n.Must("GET", "/.well-known/jwks.json", "")
	if keySet.Body != `{"keys":[]}` || keySet.Header.Get("Cache-Control") != "public, max-age=300" || keySet.Header.Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("%s, %v", keySet.Body, keySet.Header)
	}
	out, err := sluice(t, "keys", "rotate", "--algorithm", "ES256", "--data", data)
	if err != nil {
		t.Fatal(err, out)
	}
	eventually(t, "the new key", func() bool { return strings.Contains(n.Must("GET", "/.well-known/jwks.json", "").Body, "ES256") })
	fresh := n.Login("root", "root-Secret-1", "")
	verifyElsewhere(t, n, fresh)
	for name, token := range map[string]string{"new": fresh, "old": old, "API key": apiKey} {
		if !works(token) {
			t.Errorf("the %s token is refused", name)
		}
		if a := socket.Call(`{"controller":"auth","action":"getCurrentUser","jwt":"` + token + `"}`); a.Get("result._id") != "root" {
			t.Errorf("the %s token is refused on the socket: %s", name, a.Body)
		}
	}
	list, err := sluice(t, "keys", "list", "--data", data)
	first := regexp.MustCompile(`(?m)^(\S+) +HS256 +verifies`).FindStringSubmatch(list)
	if err != nil || first == nil {
		t.Fatal(err, list)
	}
	if out, err := sluice(t, "keys", "remove", "--data", data, first[1]); err != nil {
		t.Fatal(err, out)
	}
	eventually(t, "the end of the old token", func() bool { return !works(old) })
	if works(apiKey) || !works(fresh) {
		t.Error("the API key of the removed key is good, or the new token is not")
	}
	stop(t, n)
	audited, err := os.ReadFile(filepath.Join(data, "audit", "audit.log"))
	if err != nil || strings.Count(string(audited), `"event":"keys"`) != 2 || !strings.Contains(string(audited), `"removed":"1"`) {
		t.Errorf("the audit log does not have the changes of the keys: %v, %s", err, audited)
	}
	file, err := os.ReadFile(filepath.Join(data, "signing-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	again := binaries.Serve(t, "--data", data)
	if a := again.HTTP("GET", "/_me", "", "Authorization: Bearer "+fresh); a.Get("result._id") != "root" {
		t.Errorf("after a restart: %s", a.Body)
	}
	for _, m := range regexp.MustCompile(`"(?:private|secret)": *"([^"]+)"`).FindAllSubmatch(file, -1) {
		for _, text := range []string{n.Log.String(), n.Out.String(), again.Log.String(), out, list, keySet.Body} {
			if strings.Contains(text, string(m[1])) {
				t.Error("a key is shown")
			}
		}
	}
}

// verifyElsewhere checks a token as another program would, which knows nothing but the address.
func verifyElsewhere(t *testing.T, n *nodetest.Process, token string) {
	t.Helper()
	resp, err := http.Get("http://" + n.Address + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(strings.TrimPrefix(token, "kauth-"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if payload, err := signed.Verify(set); err != nil || !strings.Contains(string(payload), `"_id":"root"`) {
		t.Errorf("%s, %v", payload, err)
	}
}

// TestBackupCarriesTheKeys: after a restore everybody is logged in, also who logged in before the last rotation.
func TestBackupCarriesTheKeys(t *testing.T) {
	nodetest.NeedsEmbedded(t, "it has snapshots of its own")
	folder := t.TempDir()
	data, backup, restored := filepath.Join(folder, "data"), filepath.Join(folder, "backup"), filepath.Join(folder, "restored")
	n := binaries.Serve(t, "--data", data)
	n.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	token := n.Login("root", "root-Secret-1", "")
	for _, args := range [][]string{
		{"keys", "rotate", "--data", data},
		{"backup", "--data", data, backup},
		{"restore", "--data", restored, backup},
	} {
		if out, err := sluice(t, args...); err != nil {
			t.Fatal(err, out)
		}
	}
	again := binaries.Serve(t, "--data", restored)
	again.Must("GET", "/_me", "", "Authorization: Bearer "+token)
	if out, err := sluice(t, "keys", "list", "--data", restored); err != nil || strings.Count(out, "HS256") != 2 {
		t.Errorf("%v, %s", err, out)
	}
}
