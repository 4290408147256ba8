package pluginhost_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	nodepkg "github.com/sluicehq/sluice/core/node"
	"github.com/sluicehq/sluice/core/pluginhost"
)

// TestPluginWhoseFirstStartFailsIsTriedAgain: what a plugin needs may come up after the node. Until then its routes answer
// 503 and its pipes stop nobody.
func TestPluginWhoseFirstStartFailsIsTriedAgain(t *testing.T) {
	needed := filepath.Join(t.TempDir(), "needed")
	n := serve(t, func(c *config.Config) {
		c.Plugins.Required = []string{"service"}
		c.Plugins.Restart.InitialDelay, c.Plugins.Restart.MaxDelay, c.Plugins.Restart.MaxRestarts = 50*time.Millisecond, 50*time.Millisecond, 10_000
		c.Plugins.Config = map[string]map[string]any{"friend": {"after": needed}}
	}, "service", "friend")
	token := "Authorization: Bearer " + root(n)
	friend := func() pluginhost.Status { return n.Plugins()[0] }
	peek := `{"controller":"friend","action":"peek","body":{"controller":"document","action":"get","index":"friend","collection":"things","id":"a"}}`
	if s := friend(); s.State != pluginhost.Restarting || !strings.Contains(s.LastError, "it refuses to start: ") || !strings.Contains(s.LastError, needed) {
		t.Errorf("%+v", s)
	}
	if a := n.HTTP("GET", "/_healthCheck", "", token); a.Get("result.plugins.friend.status") != "restarting" || a.Get("result.status") != "yellow" {
		t.Errorf("health: %s", a.Body)
	}
	expect(t, "its actions", n.Query(peek), "plugin.runtime.unavailable", `"status":503`)
	if a := n.HTTP("GET", "/service/bare", ""); a.Status != 409 {
		t.Errorf("a pipe that never ran stops: %d %s", a.Status, a.Body)
	}
	if err := os.WriteFile(needed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it runs", func() bool { return friend().State == pluginhost.Running })
	if s := friend(); s.Restarts == 0 || s.PID == 0 {
		t.Errorf("%+v", s)
	}
	expect(t, "its actions", n.Query(peek), "services.storage.not_found", "")
	if a := n.HTTP("GET", "/service/bare", ""); a.Status != 403 {
		t.Errorf("its pipe does not stop: %d %s", a.Status, a.Body)
	}
}

// TestPluginThatDescribesItselfLate: its routes come when it does. Until then its place answers 503.
func TestPluginThatDescribesItselfLate(t *testing.T) {
	n := serve(t, func(c *config.Config) {
		c.Plugins.Required = nil
		c.Plugins.Listen = map[string]string{"service-late": "127.0.0.1:0"}
	}, "service-late")
	s := n.Plugins()[0]
	if s.State != pluginhost.Restarting || !strings.Contains(s.LastError, "the network is not there yet") {
		t.Errorf("%+v", s)
	}
	if a := n.HTTP("GET", "/service-late/teapot", ""); a.Status != 503 || !strings.Contains(a.Body, "not started") {
		t.Errorf("its place: %d %s", a.Status, a.Body)
	}
	eventually(t, "it runs", func() bool { return n.HTTP("GET", "/service-late/teapot", "").Status == 418 })
	if status, _, body := at(t, n.SiteAddress("service-late"), "", "GET", "/teapot"); status != 418 {
		t.Errorf("own listener: %d %s", status, body)
	}
	if s := n.Plugins()[0]; s.State != pluginhost.Running || s.Restarts != 1 {
		t.Errorf("%+v", s)
	}
}

// TestNameTakenMeanwhile: who describes itself late gets what is left, and is not tried again for what others have.
func TestNameTakenMeanwhile(t *testing.T) {
	n := serve(t, func(c *config.Config) {
		c.Plugins.Required = nil
		c.Plugins.Restart.InitialDelay = 10 * time.Millisecond
		c.Plugins.Mounts = map[string]string{"service-late": "/shared/late", "service": "/shared"}
	}, "service", "service-late")
	late := func() pluginhost.Status { return n.Plugins()[1] }
	eventually(t, "it is left alone", func() bool { return late().State == pluginhost.Failed })
	if s := late(); s.Restarts != 1 || !strings.Contains(s.LastError, "belong to the plugin") || s.PID != 0 {
		t.Errorf("%+v", s)
	}
	if a := n.HTTP("GET", "/shared/teapot", ""); a.Status != 418 {
		t.Errorf("the other: %d %s", a.Status, a.Body)
	}
}

// TestRequiredPluginMustStartAtOnce: a node does not serve without the plugins that guard it, and says why.
func TestRequiredPluginMustStartAtOnce(t *testing.T) {
	needed := filepath.Join(t.TempDir(), "needed")
	c := config.Defaults()
	c.Dev, c.Server.Port, c.Server.DataDir, c.Plugins.Dir = true, 0, t.TempDir(), t.TempDir()
	c.Plugins.Required = []string{"friend", "absent"}
	c.Plugins.Config = map[string]map[string]any{"friend": {"after": needed}}
	if err := os.Mkdir(filepath.Join(c.Plugins.Dir, "friend"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(testPlugin, filepath.Join(c.Plugins.Dir, "friend", "friend")); err != nil {
		t.Fatal(err)
	}
	_, err := nodepkg.Start(t.Context(), nodepkg.Options{Config: c, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), `the plugin "friend", which plugins.required names, does not run: it refuses to start: `) ||
		!strings.Contains(err.Error(), needed) || !strings.Contains(err.Error(), `the plugin "absent", which plugins.required names, is not in the plugins folder`) {
		t.Errorf("%v", err)
	}
}
