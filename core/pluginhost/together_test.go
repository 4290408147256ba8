package pluginhost_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

// TestPluginsCallEachOther: a call as the plugin itself, of an action that refuses anonymous, and one that finds nobody.
func TestPluginsCallEachOther(t *testing.T) {
	n := caller{serve(t, nil, "service", "friend-quiet")}
	forget := `{"controller":"friend-quiet","action":"forget","body":{"auraId":"a"}}`
	expect(t, "there", n.call(forget), "", `"result":{"body":{"auraId":"a"},"caller":"service","user":false}`)
	expect(t, "as the user", n.call(`{"controller":"friend-quiet","action":"forget","asUser":true,"body":{}}`), "security.rights.unauthorized", "")
	if a := n.Query(`{"controller":"friend-quiet","action":"forget","body":{}}`); a.Status != 401 {
		t.Errorf("a client without a token: %s", a.Body)
	}
	expect(t, "a crash under the call", n.call(`{"controller":"friend-quiet","action":"crash"}`), "plugin.runtime.interrupted", "")
	eventually(t, "the crash is noticed", func() bool { return n.Plugins()[0].State == "restarting" })
	expect(t, "down", n.call(forget), "plugin.runtime.unavailable", `"status":503`)
	eventually(t, "again", func() bool { return n.call(forget).Status == 200 })
}

func TestTriggers(t *testing.T) {
	n := serve(t, nil, "service", "friend")
	if a := n.HTTP("POST", "/service/trigger?event=identity:erased", `{"auraId":"a-1"}`); a.Status != 200 || a.Body != `{"auraId":"a-1"}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	n.Log.Await(t, "a-1")
	if log := n.Log.String(); !strings.Contains(log, "msg=erased") || !strings.Contains(log, "by=service") {
		t.Errorf("who fired it is not told: %s", log)
	}
	expect(t, "not listed", n.Query(`{"controller":"service","action":"trigger","event":"identity:other"}`), "plugin.runtime.trigger_not_listed", "")
	expect(t, "a circle", n.Query(`{"controller":"service","action":"trigger","event":"identity:loop"}`), "plugin.runtime.call_loop", "")
}

func TestDegraded(t *testing.T) {
	n := serve(t, nil, "service", "friend")
	health := func(headers ...string) string { return n.HTTP("GET", "/_healthCheck", "", headers...).Body }
	gauge := func() string {
		for line := range strings.Lines(n.HTTP("GET", "/metrics", "").Body) {
			if strings.HasPrefix(line, `sluice_plugin_degraded{plugin="service"}`) {
				return strings.TrimSpace(line[len(line)-2:])
			}
		}
		return "none"
	}
	n.Must("POST", "/service/health?reason=no+key", "")
	if got := health(); !strings.Contains(got, `"service":{"status":"degraded"}`) {
		t.Errorf("degraded, for anonymous: %s", got)
	}
	n.Must("POST", "/service/health", "")
	root := "Authorization: Bearer " + root(n)
	if got := health(root); !strings.Contains(got, `"plugins":{"friend":{"status":"running"},"service":{"status":"running"}}`) || gauge() != "0" {
		t.Errorf("healthy: %s, %s", got, gauge())
	}
	n.Must("POST", "/service/health?reason=no+key", "")
	if got := health(root); !strings.Contains(got, `"service":{"status":"degraded","reason":"no key"}`) || !strings.Contains(got, `{"status":"yellow","services":{"storageEngine":"green"}`) || gauge() != "1" {
		t.Errorf("degraded: %s, %s", got, gauge())
	}
	if s := n.Plugins()[1]; s.Degraded != "no key" || s.State != "running" {
		t.Errorf("%+v", s)
	}
	n.Must("POST", "/service/health", "")
	if got := health(root); strings.Contains(got, "degraded") || gauge() != "0" {
		t.Errorf("healthy again: %s", got)
	}
	n.Must("POST", "/service/health?reason=x", "")
	n.HTTP("GET", "/service/crash", "")
	eventually(t, "another process starts healthy", func() bool {
		s := n.Plugins()[1]
		return s.State == "running" && s.Restarts == 1 && s.Degraded == ""
	})
}

// TestServicesThatAreDown: clients get the service's own shape all the same.
func TestServicesThatAreDown(t *testing.T) {
	n := serve(t, func(c *config.Config) { c.Plugins.CallTimeout = 300 * time.Millisecond }, "service")
	if a := n.HTTP("GET", "/service/wait?for=no-such-file", ""); a.Status != 504 || !strings.HasPrefix(a.Body, `{"refused":504,"why":`) {
		t.Errorf("too late: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/service/crash", ""); a.Status != 503 || !strings.HasPrefix(a.Body, `{"refused":503,"why":`) {
		t.Errorf("crash: %d %s", a.Status, a.Body)
	}
	eventually(t, "the crash is noticed", func() bool { return n.Plugins()[0].State == "restarting" })
	if a := n.HTTP("GET", "/service/echo", ""); a.Status != 503 || !strings.HasPrefix(a.Body, `{"refused":503,"why":`) {
		t.Errorf("down: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/service/nowhere", ""); a.Status != 404 || !strings.HasPrefix(a.Body, "nothing here") {
		t.Errorf("down, no route: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("POST", "/service/echo", "", "Origin: x"); a.Status != 503 {
		t.Errorf("down: %d %s", a.Status, a.Body)
	}
}

// TestSecretsFromFiles: what is in the file reaches the plugin, and neither the log nor the answers of the node.
func TestSecretsFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := serve(t, func(c *config.Config) {
		loaded, err := config.Load(config.Sources{Env: []string{`SLUICE_PLUGINS_SECRETS={"service":{"key":"file:` + file + `"}}`}})
		if err != nil {
			t.Fatal(err)
		}
		c.Plugins.Secrets = loaded.Plugins.Secrets
	}, "service")
	if a := n.HTTP("GET", "/service/secret", ""); a.Body != `"from-a-file"` {
		t.Errorf("%s", a.Body)
	}
	if strings.Contains(n.Log.String(), "from-a-file") {
		t.Error("it is in the log")
	}
}

// TestRefusedOrigins: raw routes obey the node's origins, and say so in their own shape.
func TestRefusedOrigins(t *testing.T) {
	n := serve(t, func(c *config.Config) { c.HTTP.AccessControlAllowOrigin = []string{"https://ours.example"} }, "service")
	root(n)
	status, _, body := at(t, n.Client.Address, "", "GET", "/service/teapot", "Origin: https://theirs.example")
	if status < 400 || !strings.HasPrefix(body, `{"refused":`) {
		t.Errorf("%d %s", status, body)
	}
}
