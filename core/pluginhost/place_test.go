package pluginhost_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/config"
)

// TestPlacesOfPluginsThatDoNotRun: what is sent to a plugin that never started must not become a document.
func TestPlacesOfPluginsThatDoNotRun(t *testing.T) {
	n := serve(t, func(c *config.Config) {
		c.Plugins.Required = nil
		c.Plugins.Restart.MaxRestarts = 0
		c.Plugins.Mounts = map[string]string{"absent": "/absent/v1"}
		c.Plugins.Listen = map[string]string{"service-schema": "127.0.0.1:0", "unpinned": "127.0.0.1:0"}
		c.Plugins.Hosts = map[string][]string{"service-schema": {"schema.localhost"}}
		dir := filepath.Join(c.Plugins.Dir, "unpinned")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(testPlugin, filepath.Join(dir, "unpinned")); err != nil {
			t.Fatal(err)
		}
	}, "service-schema", "service-refuse", "early")
	token := "Authorization: Bearer " + root(n)
	n.Log.Await(t, "setting=plugins.mounts.unpinned")
	if strings.Contains(n.Log.String(), "plugin=absent mount=") {
		t.Error("the operator has named that mount")
	}
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/service-schema/echo", `{"refused":`},
		{"POST", "/service-schema/echo", `{"refused":503`},
		{"GET", "/service-refuse/teapot", `{"refused":503`},
		{"PUT", "/unpinned/token", `{"status":503`},
		{"DELETE", "/unpinned", `{"status":503`},
		{"POST", "/unpinned/users/_create", `{"status":503`},
		{"PUT", "/early/token", `{"status":503`},
		{"PUT", "/absent/v1/token", `{"status":503`},
	} {
		a := n.HTTP(c.method, c.path, `{"password":"secret"}`, token)
		if a.Status != 503 && a.Status != 405 || !strings.HasPrefix(a.Body, c.body) {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.Status, a.Body)
		}
	}
	if a := n.HTTP("GET", "/_healthCheck", "", token); a.Status != 200 || a.Get("result.status") != "yellow" || a.Get("result.plugins.early.status") != "failed" {
		t.Errorf("health: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/_healthCheck?services=storageEngine", "", token); a.Get("result.status") != "green" {
		t.Errorf("health of the storage alone: %s", a.Body)
	}
	if status, _, body := at(t, n.SiteAddress("service-schema"), "", "GET", "/teapot"); status != 503 || !strings.HasPrefix(body, `{"refused":503`) {
		t.Errorf("own listener: %d %s", status, body)
	}
	if status, _, body := at(t, n.Client.Address, "schema.localhost", "GET", "/teapot"); status != 503 || !strings.HasPrefix(body, `{"refused":503`) {
		t.Errorf("own host: %d %s", status, body)
	}
	if status, _, body := at(t, n.SiteAddress("unpinned"), "", "GET", "/teapot"); status != 503 || !strings.HasPrefix(body, `{"status":503`) {
		t.Errorf("own listener, nothing known: %d %s", status, body)
	}
	if a := n.HTTP("PUT", "/absent/other", `{}`, token); a.Status == 503 {
		t.Errorf("beside a reserved place: %d %s", a.Status, a.Body)
	}
}
