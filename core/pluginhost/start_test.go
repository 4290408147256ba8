package pluginhost_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
	"github.com/sluicehq/sluice/protocol"
)

// Every plugin here is broken in its own way; each is left out with words that help, and the one that is not broken runs.
func TestBrokenPluginsAreLeftOut(t *testing.T) {
	broken := map[string]string{ // id: in its last error
		"garbage":    `stdout`,
		"prefix":     `"no newline 1|1|unix`,
		"early":      `cannot find my database`,
		"wrongid":    `calls itself "other"`,
		"native":     `a controller of this plugin is named native`,
		"wirenative": `belongs to a controller of the API`,
		"wireok":     `the name "OK" belongs to ok`,
		"foreign":    `a controller of this plugin is named foreign`,
		"badroute":   `must begin with /`,
		"dup-b":      `belongs to dup-a:echo already`,
		"refuse":     `the moon is wrong`,
		"crashstart": `exit status 4`,
		"schema":     `plugins.config.schema does not fit its schema`,
		"badschema":  `may not refer to file:///etc/passwd`,
		"secret":     `plugins.secrets.secret.key is not set: opens the box`,
		"badgrant":   `grant of security:createUser`,
		"custom":     `the name "custom" belongs to the node itself`,
		"Upper":      `cannot be the id of a plugin`,
		"missing":    `is missing`,
		"notexec":    `chmod +x`,
		"notelf":     `GOOS`,
		"notpinned":  `sluice plugin pin`,
		"wrongpin":   `is not the file that was pinned`,
	}
	ids := []string{"ok", "dup-a", "empty"}
	for id := range broken {
		switch id {
		case "missing", "notexec", "notelf", "notpinned", "wrongpin":
		default:
			ids = append(ids, id)
		}
	}
	n := start(t, func(n *node, o *pluginhost.Options) {
		o.StartTimeout = 30 * time.Second
		o.Config = map[string]map[string]any{"schema": {"n": "text"}, "nobody": {}}
		o.Secrets = map[string]map[string]config.Secret{"ok": {"misspelt": config.NewSecret("x")}}
		for id, content := range map[string]string{"notexec": "x", "notelf": "x"} {
			mode := os.FileMode(0o755)
			if id == "notexec" {
				mode = 0o644
			}
			if err := os.Mkdir(filepath.Join(n.dir, id), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(n.file(id), []byte(content), mode); err != nil {
				t.Fatal(err)
			}
			n.pin(t, id)
		}
		if err := os.Mkdir(filepath.Join(n.dir, "missing"), 0o755); err != nil {
			t.Fatal(err)
		}
		n.install(t, "notpinned")
		if err := os.Mkdir(filepath.Join(n.dir, "wrongpin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(n.file("wrongpin"), []byte("old"), 0o755); err != nil {
			t.Fatal(err)
		}
		n.pin(t, "wrongpin")
		if err := os.WriteFile(n.file("wrongpin"), []byte("new"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(n.dir, "README.md"), nil, 0o600); err != nil { // a file is no plugin
			t.Fatal(err)
		}
	}, ids...)
	if got, want := len(n.Plugins()), len(broken)+3; got != want {
		t.Errorf("%d plugins, want %d", got, want)
	}
	for id, want := range broken {
		eventually(t, id+" is left alone", func() bool { return n.status(id).State == pluginhost.Failed })
		s := n.status(id)
		if s.State != pluginhost.Failed || !strings.Contains(s.LastError, want) || s.PID != 0 {
			t.Errorf("%s: %s, pid %d, %q; want %q", id, s.State, s.PID, s.LastError, want)
		}
		if a := n.call(t, id, "echo", ""); a.Status != 404 && a.Status != 503 {
			t.Errorf("%s serves: %d", id, a.Status)
		}
	}
	for _, id := range []string{"ok", "dup-a", "empty"} {
		if s := n.status(id); s.State != pluginhost.Running || !s.Pinned || s.PID == 0 {
			t.Errorf("%+v", s)
		}
	}
	// Another start may mend what a process does, never what its operator or author did.
	for id, want := range map[string]int{"early": 3, "garbage": 3, "crashstart": 3, "refuse": 3, "schema": 0, "secret": 0, "native": 0, "dup-b": 0, "notpinned": 0} {
		if s := n.status(id); s.Restarts != want {
			t.Errorf("%s: %d restarts", id, s.Restarts)
		}
	}
	if got := n.status("early").LastLines; len(got) != 4 || got[0] != "cannot find my database" {
		t.Errorf("last lines %q", got)
	}
	for _, want := range []string{"plugins.config.nobody", "plugins.secrets.ok.misspelt", "plugin failed"} {
		if !strings.Contains(n.log.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
}

func TestPluginsThatDoNotAnswerAreLeftOut(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) {
		o.StartTimeout = time.Second
		o.Restart.MaxRestarts = 1
	}, "mute", "hang", "hangstart")
	for id, want := range map[string]string{
		"mute":      `no handshake within 1s`,
		"hang":      `no answer to Describe in time`,
		"hangstart": `no answer to Start in time`,
	} {
		if s := n.status(id); s.State == pluginhost.Running || !strings.Contains(s.LastError, want) {
			t.Errorf("%s: %s, %q; want %q", id, s.State, s.LastError, want)
		}
		eventually(t, id+" is left alone", func() bool { return n.status(id).State == pluginhost.Failed })
		if s := n.status(id); !strings.Contains(s.LastError, want) || s.PID != 0 || s.Restarts != 1 {
			t.Errorf("%s: pid %d, %d restarts, %q; want %q", id, s.PID, s.Restarts, s.LastError, want)
		}
	}
}

func TestConfigAndSecretsArrive(t *testing.T) {
	t.Setenv("SLUICE_TEST_LEAK", "from the node")
	n := start(t, func(_ *node, o *pluginhost.Options) {
		o.Config = map[string]map[string]any{"schema": {"n": 3}}
		o.Secrets = map[string]map[string]config.Secret{"secret": {"key": config.NewSecret("s3cret"), "undeclared": config.NewSecret("no")}}
	}, "schema", "secret")
	if got := string(n.call(t, "schema", "config", "").Result); !strings.Contains(got, `"config":{"n":3}`) {
		t.Errorf("config %s", got)
	}
	got := string(n.call(t, "secret", "config", "").Result)
	if !strings.Contains(got, `"key":"s3cret"`) || strings.Contains(got, "undeclared") {
		t.Errorf("secrets %s", got)
	}
	if strings.Contains(got, "SLUICE_TEST_LEAK") || strings.Contains(got, "HOME=") {
		t.Errorf("the environment of the node reached the plugin: %s", got)
	}
}

func TestDevelopmentModeRunsWhatIsNotPinned(t *testing.T) {
	n := start(t, func(n *node, o *pluginhost.Options) {
		o.Dev = true
		n.install(t, "ok")
	})
	if s := n.status("ok"); s.State != pluginhost.Running || s.Pinned {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(n.log.String(), "DEVELOPMENT MODE") {
		t.Error("it does not say so loudly")
	}
}

// A line that a file differs from is a statement; development mode does not override it.
func TestDevelopmentModeRefusesAWrongPin(t *testing.T) {
	n := start(t, func(n *node, o *pluginhost.Options) {
		o.Dev = true
		if err := os.WriteFile(n.lockFile(), []byte(strings.Repeat("0", 64)+"  ok/ok\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		n.install(t, "ok")
	})
	if s := n.status("ok"); s.State != pluginhost.Failed {
		t.Errorf("%+v", s)
	}
}

func TestUnreadableLockFileTrustsNothing(t *testing.T) {
	n := start(t, func(n *node, o *pluginhost.Options) {
		o.Dev = true
		n.install(t, "ok")
		if err := os.WriteFile(n.lockFile(), []byte("nonsense\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if s := n.status("ok"); s.State != pluginhost.Failed || !strings.Contains(s.LastError, "line 1") {
		t.Errorf("%+v", s)
	}
}

func TestNoPlugins(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.Dir = "" })
	if len(n.Plugins()) != 0 {
		t.Error(n.Plugins())
	}
	if _, err := open(t, func(n *node, o *pluginhost.Options) { o.Dir = filepath.Join(n.dir, "nowhere") }); err == nil {
		t.Error("a plugins folder that is not there is a mistake")
	}
}

func TestStartIsGivenUpWithItsContext(t *testing.T) {
	for _, id := range []string{"mute", "hang", "hangstart"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		n, err := open(t, func(n *node, o *pluginhost.Options) {
			n.opening = ctx
			o.StartTimeout = time.Minute
		}, id)
		if err == nil || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %s", id, err, time.Since(began))
		}
		if left, _ := filepath.Glob(filepath.Join(n.data, "plugins", "run", "*")); len(left) > 0 {
			t.Errorf("%s: files are left: %v", id, left)
		}
	}
}

func TestPluginInThisProcess(t *testing.T) {
	p := sdk.Plugin{
		ID: "inside", Version: "1", Calls: []string{"document:get"},
		Actions: []sdk.Action{{Controller: "inside", Name: "hi", Handler: func(_ context.Context, r *sdk.Request) (any, error) {
			return "hi " + r.User.ID, nil
		}}},
	}
	n := start(t, func(_ *node, o *pluginhost.Options) {
		o.InProcess = map[string]func(context.Context) (grpc.ClientConnInterface, error){
			"inside": func(context.Context) (grpc.ClientConnInterface, error) { return sdktest.Dial(t, p), nil },
		}
	})
	if a := n.call(t, "inside", "hi", ""); string(a.Result) != `"hi ann"` {
		t.Errorf("%v %s", a.Error, a.Result)
	}
}

func TestContributionOfAPlugin(t *testing.T) {
	n := start(t, nil, "grant")
	s := n.registry.Current()
	e, _ := s.Action("grant", "echo")
	if e == nil || e.Auth != router.AuthRequired || e.Profile != protocol.KuzzleV1 || e.Plugin != "grant" {
		t.Fatalf("%+v", e)
	}
	m, ok := s.Match("POST", "/_/grant/echo/1")
	if !ok || m.Entry != e {
		t.Errorf("route %v", ok)
	}
	if !s.Grants().Has("default", "grant", "echo") {
		t.Error("no grant")
	}
}
