package node_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/audit"
	"github.com/sluicehq/sluice/core/node"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestEveryActionIsAuditedOrNot fails for a new action of a controller that matters to security: put it into the table of
// core/audit, or among those that are left out.
func TestEveryActionIsAuditedOrNot(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	api, ok := n.Must("GET", "/_publicApi", "").Get("result").(map[string]any)
	if !ok {
		t.Fatal("no API")
	}
	looked := 0
	for _, controller := range []string{"auth", "security", "admin", "index", "cluster", "debug"} {
		actions, _ := api[controller].(map[string]any)
		for action := range actions {
			looked++
			if in, out := audit.Audited(controller, action), audit.Exempt(controller, action); in == out {
				t.Errorf("%s:%s: recorded %v, left out %v", controller, action, in, out)
			}
		}
	}
	if looked < 70 {
		t.Errorf("only %d actions were looked at", looked)
	}
}

// audited is a node whose audit log is synced, so that what it answered is in the file.
type audited struct {
	*nodetest.Node
	t    *testing.T
	file string
}

func newAudited(t *testing.T, configure func(*config.Config)) audited {
	t.Helper()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t)
	})
	a := audited{t: t}
	a.Node = nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) {
		c.Audit.Sync = true
		if configure != nil {
			configure(c)
		}
		a.file = c.Audit.File(c.Server.DataDir)
	}})
	a.Must("POST", "/_createFirstAdmin/root?reset=true", `{"credentials":{"local":{"username":"root","password":"`+password+`"}}}`)
	return a
}

func (a audited) events() []audit.Event {
	a.t.Helper()
	b, err := os.ReadFile(a.file)
	if err != nil {
		a.t.Fatal(err)
	}
	var all []audit.Event
	for line := range strings.Lines(string(b)) {
		var e audit.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			a.t.Fatalf("%s: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

// last is the newest event of an action.
func (a audited) last(action string) audit.Event {
	a.t.Helper()
	for _, e := range slices.Backward(a.events()) {
		if e.Controller+":"+e.Action == action {
			return e
		}
	}
	a.t.Errorf("%s is not in the audit log", action)
	return audit.Event{}
}

// await waits for an event, which may be written after the answer when it is no success.
func (a audited) await(what string, found func(audit.Event) bool) audit.Event {
	a.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if all := a.events(); slices.ContainsFunc(all, found) {
			return all[slices.IndexFunc(all, found)]
		}
	}
	a.t.Fatalf("%s is not in the audit log", what)
	return audit.Event{}
}

func TestAuditLogOfASession(t *testing.T) {
	a := newAudited(t, nil)
	if e := a.events()[0]; e.Event != audit.NodeStart || e.Outcome != audit.Success || e.Facts["version"] != "test" {
		t.Errorf("%+v", e)
	}
	if e := a.last("security:createFirstAdmin"); e.User != "-1" || !slices.Equal(e.Targets, []string{"root"}) {
		t.Errorf("%+v", e)
	}
	root := a.Login("root", password, "")
	if e := a.last("auth:login"); e.User != "root" || e.Strategy != "local" || e.Issued != audit.Fingerprint(root) || e.IP != "127.0.0.1" || e.Protocol != "http" {
		t.Errorf("%+v", e)
	}
	as := "Authorization: Bearer " + root
	a.Must("POST", "/users/_create", `{"content":{"profileIds":["default"]},"credentials":{"local":{"username":"ann","password":"`+password+`"}}}`, as)
	made := a.last("security:createUser")
	if len(made.Targets) != 1 || made.User != "root" || !slices.Equal(made.Profiles, []string{"admin"}) || made.Token != audit.Fingerprint(root) {
		t.Errorf("an id that the node chose: %+v", made)
	}
	key := a.Must("POST", "/users/"+made.Targets[0]+"/api-keys/_create", `{"description":"d"}`, as)
	if e := a.last("security:createApiKey"); e.Owner != made.Targets[0] || e.Targets[0] != key.Get("result._id") || e.Issued != audit.Fingerprint(key.Get("result._source.token").(string)) {
		t.Errorf("%+v", e)
	}
	a.Must("POST", "/users/_mDelete", `{"ids":["`+made.Targets[0]+`"]}`, as, "X-Kuzzle-Request-Id: r1")
	if e := a.last("security:mDeleteUsers"); !slices.Equal(e.Targets, made.Targets) {
		t.Errorf("%+v", e)
	}
	a.Must("POST", "/_logout", "", as)
	if e := a.last("auth:logout"); e.User != "root" || e.Token != audit.Fingerprint(root) {
		t.Errorf("%+v", e)
	}
	socket := a.WebSocket()
	socket.Call(`{"controller":"security","action":"deleteRole","_id":"x","requestId":"r2"}`)
	e := a.await("a refused deletion", func(e audit.Event) bool { return e.Action == "deleteRole" })
	if e.Outcome != audit.Refused || e.Error == "" || e.Protocol != "websocket" || e.Request != "r2" || e.Connection == "" {
		t.Errorf("%+v", e)
	}
	a.HTTP("POST", "/_login/local", `{"username":"root","password":"wrong"}`)
	bad := a.await("a login that failed", func(e audit.Event) bool { return e.Event == "login" && e.Outcome == audit.Refused })
	if bad.Strategy != "local" || bad.Error != "plugin.strategy.missing_user" || bad.User != "-1" {
		t.Errorf("%+v", bad)
	}
	if r, err := audit.Verify(a.file); err != nil || r.Problems != nil {
		t.Errorf("%+v %v", r, err)
	}
}

func TestAuditLogOfRefusals(t *testing.T) {
	a := newAudited(t, nil)
	a.Query(`{"controller":"document","action":"get","index":"i","collection":"c","_id":"secret-id"}`)
	e := a.await("a refused read", func(e audit.Event) bool { return e.Event == audit.Refusal })
	if e.Controller != "document" || e.Action != "get" || e.Targets != nil {
		t.Errorf("%+v", e)
	}
	a.Query(`{"controller":"my-password","action":"my-password"}`)
	e = a.await("a call of nothing", func(e audit.Event) bool { return e.Event == audit.Refusal && e.Controller == "" })
	if e.Action != "" {
		t.Errorf("%+v", e)
	}
	for range 50 {
		a.Query(`{"controller":"document","action":"get","index":"i","collection":"c","_id":"x"}`)
	}
	if n := len(a.events()); n > 6 {
		t.Errorf("%d lines: repeats are written", n)
	}
}

func TestRefusalsAreLeftOutOfTheAuditLog(t *testing.T) {
	quiet := newAudited(t, func(c *config.Config) { c.Audit.Refusals = false })
	quiet.Query(`{"controller":"document","action":"get","index":"i","collection":"c","_id":"x"}`)
	quiet.Query(`{"controller":"security","action":"deleteUser","_id":"x"}`)
	quiet.await("a refused deletion", func(e audit.Event) bool { return e.Action == "deleteUser" })
	if slices.ContainsFunc(quiet.events(), func(e audit.Event) bool { return e.Event == audit.Refusal }) {
		t.Error("refusals are recorded although they are off")
	}
}

func TestRequiredAuditLogStopsWhatItCannotRecord(t *testing.T) {
	a := newAudited(t, func(c *config.Config) { c.Audit.Required = true })
	if err := os.Rename(a.file, a.file+".aside"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(a.file, 0o700); err != nil {
		t.Fatal(err)
	}
	a.Log.Await(t, "somebody took the audit log away")
	a.Login("root", password, "") // nobody knows yet
	a.Log.Await(t, "the audit log cannot be written")
	answer := a.HTTP("POST", "/_login/local", `{"username":"root","password":"`+password+`"}`)
	if answer.Get("error.id") != "core.fatal.service_unavailable" || !strings.Contains(answer.Body, "audit.required") {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
	if status := a.HTTP("GET", "/_ready", "").Status; status != http.StatusServiceUnavailable {
		t.Errorf("/_ready answers %d", status)
	}
	a.Must("POST", "/_checkToken", `{"token":"x"}`) // changes nothing, so it goes on
	if err := os.Remove(a.file); err != nil {
		t.Fatal(err)
	}
	a.Log.Await(t, "the audit log can be written again")
	a.Login("root", password, "")
	if len(a.events()) < 2 {
		t.Error("what waited is not in the file")
	}
}

func TestANodeWithoutItsAuditLogDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := startWith(t, func(c *config.Config) { c.Audit.Path = filepath.Join(file, "audit.log") })
	if err == nil || !strings.Contains(err.Error(), "audit.path") {
		t.Errorf("%v", err)
	}
	off := nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) { c.Audit.Enabled, c.Server.DataDir = false, dir }})
	off.HTTP("POST", "/_login/local", `{"username":"root","password":"wrong"}`)
	if _, err := os.Stat(filepath.Join(dir, "audit")); !os.IsNotExist(err) {
		t.Errorf("an audit log that is off: %v", err)
	}
}

// startWith starts a node that should not.
func startWith(t *testing.T, configure func(*config.Config)) (*node.Node, error) {
	t.Helper()
	c := config.Defaults()
	c.Server.Port, c.Server.DataDir = 0, t.TempDir()
	configure(c)
	n, err := node.Start(t.Context(), node.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err := n.Stop(t.Context())
		t.Errorf("it started (and stopped: %v)", err)
	}
	return n, err
}
