package main

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
)

// gvp is the plugin that must know of erasures, and one that listens to the event.
type gvp struct {
	mu     sync.Mutex
	refuse bool
	told   []string // bodies of forget
	events []string
}

func (g *gvp) plugin() sdk.Plugin {
	return sdk.Plugin{
		ID: "gvp", WireName: "gvp-uniapi", Version: "1.0.0", Description: "Forgets users for a test.",
		Actions: []sdk.Action{{Controller: forgetController, Name: forgetAction, Auth: sdk.AuthRequired, Handler: func(_ context.Context, r *sdk.Request) (any, error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			if r.Internal == nil || r.Internal.Plugin != id {
				return nil, errors.New("not from aura")
			}
			if g.refuse {
				return nil, errors.New("not now")
			}
			g.told = append(g.told, string(r.Body))
			return map[string]int{"erased": 1}, nil
		}}},
		Hooks: map[string]sdk.HookFunc{erasedEvent: func(_ context.Context, e *sdk.Event) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.events = append(g.events, string(e.Data))
		}},
	}
}

func (g *gvp) set(refuse bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuse = refuse
}

// await waits until gvp was told of so many users and events.
func (g *gvp) await(t *testing.T, told, events int) (bodies, data []string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		g.mu.Lock()
		if len(g.told) >= told && len(g.events) >= events {
			defer g.mu.Unlock()
			return g.told, g.events
		}
		g.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatalf("told %d, events %d", len(g.told), len(g.events))
		}
	}
}

// rows reads a collection of the plugin.
func (e *engine) rows(t *testing.T, name string) []string {
	t.Helper()
	var rows []string
	err := e.Scan(t.Context(), storage.Collection{Scope: storage.Internal, Index: e.index(t), Name: name}, "", func(d storage.Document) bool {
		rows = append(rows, string(d.Source))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// engine keeps the engine of a node for the test.
type engine struct{ storage.Engine }

func (e *engine) kept() nodetest.Options {
	return nodetest.Options{WrapEngine: func(inner storage.Engine) storage.Engine { e.Engine = inner; return inner }}
}

// index is the name that the host gives the plugin's own index.
func (e *engine) index(t *testing.T) string {
	t.Helper()
	all, err := e.List(t.Context(), storage.Internal)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == usersCollection {
			return c.Index
		}
	}
	t.Fatal("no collection of the plugin")
	return ""
}

func withGVP(t *testing.T, g *gvp, data string) (service, *engine) {
	t.Helper()
	e := &engine{}
	o := options{
		config:    map[string]any{"erasure": map[string]any{"firstRetry": "20ms", "longestRetry": "100ms"}},
		inProcess: e.kept(),
		configure: func(c *config.Config) {
			if data != "" {
				c.Server.DataDir = data
			}
		},
	}
	o.inProcess.InProcess = sdktest.InProcess(t, g.plugin())
	return start(t, o), e
}

func TestErasuresReachGVP(t *testing.T) {
	g := &gvp{}
	s, e := withGVP(t, g, "")
	first := s.auraID(t, "userId=u1&authorizationId=a1&phoneNumber=34600111222&channelId="+c1)
	second := s.auraID(t, "userId=u1&authorizationId=a1&phoneNumber=34600111222&channelId="+c2)
	other := s.auraID(t, "userId=u2&authorizationId=a1&channelId="+c2)
	if a := s.HTTP("DELETE", mount+"/admin/users/phone-numbers/34600111222", "", s.kernel, "X-Correlator: corr-1"); a.Status != 204 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if a := s.HTTP("DELETE", mount+"/users/"+other, "", s.kernel); a.Status != 204 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	bodies, events := g.await(t, 3, 3)
	for _, auraID := range []string{first, second, other} {
		if !strings.Contains(strings.Join(bodies, " "), `"auraId":"`+auraID+`"`) || !strings.Contains(strings.Join(events, " "), `"auraId":"`+auraID+`"`) {
			t.Errorf("not told of %s: %v %v", auraID, bodies, events)
		}
	}
	awaitNone(t, e, pendingCollection)
	for _, name := range []string{usersCollection, auraIDsCollection, globalsCollection, globalIDsCollection, phonesCollection} {
		if rows := e.rows(t, name); len(rows) != 0 {
			t.Errorf("%s holds %v", name, rows)
		}
	}
	rows := e.rows(t, erasuresCollection)
	text := strings.Join(append(slices.Clone(rows), e.rows(t, auditCollection)...), " ")
	if len(rows) != 3 || strings.Count(text, `"delivered":true`) != 3 || strings.Count(text, `"correlator":"corr-1"`) != 2 || strings.Contains(text, "sealed") {
		t.Errorf("%v", rows)
	}
	for _, personal := range []string{first, second, other, "34600111222", `"u1"`, `"u2"`, `"a1"`} {
		if strings.Contains(text, personal) {
			t.Errorf("%s is still there: %v", personal, text)
		}
	}
	line := regexp.MustCompile(`^{"at":"[^"]+","actor":"key:[0-9a-f-]{36}","action":"(eraseByPhone|delete)","subject":"[0-9a-f]{32}",("phoneHmac":"[0-9a-f]{32}",)?` +
		`"correlator":"[^"]+","delivered":true,"deliveredAt":"[^"]+"(,"_kuzzle_info":{[^}]*})?}$`)
	for _, row := range rows {
		if !line.MatchString(row) {
			t.Errorf("more than what was done by whom, and HMACs: %s", row)
		}
	}
}

func awaitNone(t *testing.T, e *engine, collection string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(e.rows(t, collection)) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s holds %v", collection, e.rows(t, collection))
		}
	}
}

func TestErasuresWaitForGVP(t *testing.T) {
	g := &gvp{refuse: true}
	data := t.TempDir()
	s, e := withGVP(t, g, data)
	auraID := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1)
	if a := s.HTTP("DELETE", mount+"/users/"+auraID, "", s.kernel); a.Status != 204 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	expect(t, s.get("/users/"+auraID, s.bot), 404, "NOT_FOUND")
	s.Log.Await(t, "erasures are not delivered yet")
	rows := strings.Join(e.rows(t, erasuresCollection), " ")
	if !strings.Contains(rows, `"delivered":false`) || strings.Contains(rows, auraID) {
		t.Errorf("%s", rows)
	}
	again := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1) // the user comes back before gvp does
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, e = restarted(t, g, data)
	if rows := strings.Join(e.rows(t, erasuresCollection), " "); !strings.Contains(rows, `"delivered":false`) {
		t.Errorf("%s", rows)
	}
	g.set(false)
	bodies, events := g.await(t, 1, 1)
	if want := `{"auraId":"` + auraID + `","phoneHmac":""}`; len(bodies) != 1 || bodies[0] != want || len(events) != 1 {
		t.Errorf("%v %v", bodies, events)
	}
	awaitNone(t, e, pendingCollection)
	if a := s.get("/users/"+again, s.bot); a.Status != 200 {
		t.Errorf("who came back was erased: %d %s", a.Status, a.Body)
	}
}

// restarted is withGVP on data that has an administrator and keys already.
func restarted(t *testing.T, g *gvp, data string) (service, *engine) {
	t.Helper()
	e := &engine{}
	o := e.kept()
	o.PluginDir, o.InProcess = pluginDir(t, id), sdktest.InProcess(t, g.plugin())
	o.Configure = func(c *config.Config) {
		c.Server.DataDir = data
		c.Plugins.Required = []string{id}
		c.Plugins.Config = map[string]map[string]any{id: {"erasure": map[string]any{"firstRetry": "20ms", "longestRetry": "100ms"}}}
		c.Plugins.Secrets = map[string]map[string]config.Secret{id: {"keyRing": config.NewSecret(ringText)}}
	}
	s := service{Node: nodetest.Start(t, o), secrets: &secretsSeen{}}
	s.root = "Authorization: Bearer " + s.Login("root", "root-Secret-1", "")
	s.bot = s.key(t, `{"consumer":"aura-bot","classes":["internal"],"mode":"rw"}`)
	return s, e
}

func TestErasuresWithoutGVP(t *testing.T) {
	e := &engine{}
	s := start(t, options{
		config:    map[string]any{"erasure": map[string]any{"tellGvp": false}},
		inProcess: e.kept(),
	})
	auraID := s.auraID(t, "userId=u1&authorizationId=a1&channelId="+c1)
	if a := s.HTTP("DELETE", mount+"/users/"+auraID, "", s.kernel); a.Status != 204 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	awaitNone(t, e, pendingCollection)
}

// The other side as it is.
func TestErasuresReachTheBundledGVP(t *testing.T) {
	e := &engine{}
	o := options{inProcess: e.kept()}
	o.inProcess.PluginDir = pluginDir(t, id, "gvp")
	s := start(t, o)
	auraID := s.auraID(t, "userId=u1&authorizationId=a1&phoneNumber=34600111222&channelId="+c1)
	if a := s.HTTP("DELETE", mount+"/users/"+auraID, "", s.kernel); a.Status != 204 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	awaitNone(t, e, pendingCollection)
	if rows := e.rows(t, erasuresCollection); len(rows) != 1 || !strings.Contains(rows[0], `"delivered":true`) {
		t.Errorf("%v", rows)
	}
}
