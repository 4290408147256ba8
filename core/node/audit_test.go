package node_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
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
	"github.com/sluicehq/sluice/core/auth"
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
	for _, controller := range []string{"auth", "security", "admin", "index", "cluster", "debug", "kuzzle-plugin-auth-passport-local/password"} {
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
	kept := a.Must("POST", "/_login/local?cookieAuth", `{"username":"root","password":"`+password+`"}`).Header.Get("Set-Cookie")
	token, _, _ := strings.Cut(strings.TrimPrefix(kept, "authToken="), ";")
	if e := a.last("auth:login"); e.Issued != audit.Fingerprint(token) {
		t.Errorf("a token in a cookie: %+v, %s", e, kept)
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

// Whoever closes his socket in the middle of an action leaves its line behind, and no half account.
func TestAClientThatLeavesIsInTheAuditLog(t *testing.T) {
	a := newAudited(t, nil)
	as := "Authorization: Bearer " + a.Login("root", password, "")
	const users = 12
	for i := range users {
		name := fmt.Sprint("victim", i)
		a.CreateUser(name, `{"profileIds":["default"]}`, name, password, as)
	}
	for i := range users {
		socket, err := net.Dial("tcp", a.Client.Address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(socket, "DELETE /users/victim%d?refresh=wait_for HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", i, as)
		time.Sleep(time.Duration(1+i%6) * time.Millisecond) // somewhere in the middle
		socket.Close()
	}
	for i := range users {
		name := fmt.Sprint("victim", i)
		var line audit.Event
		has := func(e audit.Event) bool {
			line = e
			return e.Action == "deleteUser" && slices.Contains(e.Targets, name)
		}
		for deadline := time.Now().Add(5 * time.Second); !slices.ContainsFunc(a.events(), has) && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
		gone := a.HTTP("GET", "/users/"+name, "", as).Status == http.StatusNotFound
		if named := line.Action == "deleteUser" && slices.Contains(line.Targets, name); gone != (named && line.Outcome == audit.Success) {
			t.Errorf("%s: gone %v, in the log %v: %+v", name, gone, named, line)
		}
		credentials := a.HTTP("GET", "/credentials/local/"+name+"/_exists", "", as).Get("result")
		if !gone && credentials != true {
			t.Errorf("%s is half an account: %v", name, credentials)
		}
	}
}

// Anonymous neither fills the audit log nor hides in it what others do.
func TestAnonymousDoesNotFloodTheAuditLog(t *testing.T) {
	a := newAudited(t, func(c *config.Config) {
		c.Security.Passkey.Enabled, c.Security.Passkey.RPID, c.Security.Passkey.RPOrigins = true, "localhost", []string{"http://localhost"}
	})
	as := "Authorization: Bearer " + a.Login("root", password, "")
	a.CreateUser("mallory", `{"profileIds":["default"]}`, "mallory", password, as)
	mallory := a.Login("mallory", password, "")
	api, _ := a.HTTP("GET", "/_publicApi", "").Get("result").(map[string]any)
	sent := 0
	for controller, actions := range api {
		for action := range actions.(map[string]any) {
			if sent++; sent <= 100 {
				a.Query(`{"controller":"` + controller + `","action":"` + action + `","index":"i","collection":"c","_id":"x"}`)
			}
		}
	}
	lines := func() int { // with all that was recorded before the login
		a.Login("mallory", password, "")
		return len(a.events())
	}
	before := lines()
	for range 100 {
		begun := a.Query(`{"controller":"auth","action":"login","strategy":"passkey","body":{},"requestId":"` + strings.Repeat(`\u0001`, 128) + `"}`)
		if begun.Status != http.StatusOK {
			t.Fatalf("%d %s", begun.Status, begun.Body)
		}
	}
	if n := lines() - 1; sent < 100 || n > before+2 {
		t.Errorf("%d actions, %d lines before 100 logins that only begin, %d after", sent, before, n)
	}
	a.Query(`{"controller":"security","action":"updateUser","_id":"root","body":{"profileIds":[]},"jwt":"` + mallory + `"}`)
	a.await("the refusal of a user", func(e audit.Event) bool { return e.User == "mallory" && e.Action == "updateUser" })
	a.HTTP("POST", "/_login/local", `{"username":"root","password":"wrong"}`)
	a.await("a failed login", func(e audit.Event) bool { return e.Event == "login" && e.Outcome == audit.Refused })
}

// Keys that were changed while no node ran show at the next start.
func TestAuditLogNamesTheKeysAtTheStart(t *testing.T) {
	dir := t.TempDir()
	start := func() audit.Event {
		c := config.Defaults()
		c.Server.Port, c.Server.DataDir = 0, dir
		n, err := node.Start(t.Context(), node.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := audited{t: t, file: c.Audit.File(dir)}.events()
		for _, e := range slices.Backward(all) {
			if e.Event == audit.NodeStart {
				return e
			}
		}
		t.Fatalf("no start in %v", all)
		return audit.Event{}
	}
	before := start()
	o := auth.Options{KeysFile: filepath.Join(dir, "signing-keys.json")}
	if _, err := auth.RotateKey(o, "EdDSA"); err != nil {
		t.Fatal(err)
	}
	if err := auth.RemoveKey(o, before.Facts["signs"]); err != nil {
		t.Fatal(err)
	}
	after := start()
	if before.Facts["signs"] == "" || before.Facts["verify"] != before.Facts["signs"] {
		t.Errorf("%v", before.Facts)
	}
	if after.Facts["signs"] == before.Facts["signs"] || after.Facts["verify"] != after.Facts["signs"] {
		t.Errorf("%v, before %v", after.Facts, before.Facts)
	}
}

func TestTwoNodesDoNotWriteOneAuditLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) { c.Audit.Path = path }})
	_, err := startWith(t, func(c *config.Config) { c.Audit.Path = path })
	if err == nil || !strings.Contains(err.Error(), "another node writes the audit log "+path) || !strings.Contains(err.Error(), "audit.path") {
		t.Errorf("%v", err)
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
