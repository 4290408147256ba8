package e2e

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestOfficialSDK runs sdk.mjs: Kuzzle's own SDK over HTTP and WebSocket.
func TestOfficialSDK(t *testing.T) { onEachEngine(t, "sdk.mjs") }

// onEachEngine runs a script against a node on the embedded engine and, where SLUICE_TEST_ELASTICSEARCH names a server for tests, on
// that. There it takes over the internal indexes of any node before.
func onEachEngine(t *testing.T, script string) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		_, port := startForSDK(t)
		run(t, "node", script, port)
	})
	t.Run("elasticsearch", func(t *testing.T) {
		server := os.Getenv("SLUICE_TEST_ELASTICSEARCH")
		if server == "" {
			t.Skip("not tried, because SLUICE_TEST_ELASTICSEARCH names no server: make elasticsearch starts one")
		}
		forget(t, server)
		t.Setenv("SLUICE_STORAGE_ENGINE", "elasticsearch")
		t.Setenv("SLUICE_STORAGE_ELASTICSEARCH_ADDRESSES", server)
		_, port := startForSDK(t)
		run(t, "node", script, port)
	})
}

// forget removes what nodes and the scripts keep in an Elasticsearch, index by index: it may refuse patterns.
func forget(t *testing.T, server string) {
	t.Helper()
	patterns := url.PathEscape("%kuzzle.*,%plugin-*,&sdk-*,&http-*,&websocket-*")
	for name := range strings.Lines(ask(t, http.MethodGet, server+"/_cat/indices/"+patterns+"?h=index&expand_wildcards=all")) {
		ask(t, http.MethodDelete, server+"/"+url.PathEscape(strings.TrimSpace(name)))
	}
}

func ask(t *testing.T, method, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", method, address, answer.Status, body, err)
	}
	return string(body)
}

// TestREADMEJavaScript runs the README's JavaScript.
func TestREADMEJavaScript(t *testing.T) {
	n, port := startForSDK(t)
	n.CreateUser("ann", `{"profileIds":["default"],"email":"ann@example.org"}`, "ann", "ann-Secret-1")
	text, err := os.ReadFile(filepath.Join(nodetest.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```js\n(.*?)```").FindStringSubmatch(string(text))
	if block == nil {
		t.Fatal("the README has no JavaScript")
	}
	out := run(t, "node", "-e", strings.Replace(block[1], "7512", port, 1))
	if !strings.Contains(out, "isValid: true") {
		t.Error(out)
	}
}

// startForSDK installs the SDK and runs a node for it; without Node.js the test is skipped, which CI never does.
func startForSDK(t *testing.T) (*nodetest.Process, string) {
	t.Helper()
	needs(t, "node", "npm")
	run(t, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	n := binaries.Serve(t, "--dev", "--data", t.TempDir(), "--plugins", binaries.Plugins)
	_, port, err := net.SplitHostPort(n.Address)
	if err != nil {
		t.Fatal(err)
	}
	return n, port
}

// needs skips the test where a program is missing; CI never skips.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("CI never skips: %v", err)
			}
			t.Skipf("not tried, because %s is not installed", program)
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	t.Logf("%s", out)
	return string(out)
}
