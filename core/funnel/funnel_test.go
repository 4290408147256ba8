package funnel_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/funnel"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a funnel over real users and tokens. Anonymous may call test:open and nothing else of the controller test.
type fixture struct {
	*funnel.Funnel
	registry *router.Registry
	users    *security.Service
	tokens   *auth.Service
	log      *strings.Builder
}

// allOpen are connections that nobody closes.
type allOpen struct{}

func (allOpen) Open(string) bool { return true }

func (allOpen) TokenEnded(context.Context, []string, bool) {}

func (allOpen) UserEnded(context.Context, string, func(string) bool) {}

func newFixture(t testing.TB, change func(*funnel.Options)) fixture {
	t.Helper()
	engine, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	users, err := security.Open(t.Context(), security.Options{Engine: engine, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.Open(t.Context(), auth.Options{
		Engine: engine, Users: users, Secret: strings.Repeat("s", 32), ExpiresIn: time.Hour, MaxTTL: -1, Connections: allOpen{},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	log := &strings.Builder{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	bus := events.NewBus(16, logger)
	registry := router.NewRegistry()
	t.Cleanup(func() {
		bus.Close(context.Background())
		tokens.Close()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	o := funnel.Options{
		Registry: registry, Tokens: tokens, Users: users, Bus: bus, Concurrent: 8, Waiting: 8,
		StrictSDKVersion: true, NodeID: "n1", Logger: logger, Metrics: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&o)
	}
	f, err := funnel.New(o)
	if err != nil {
		t.Fatal(err)
	}
	x := fixture{f, registry, users, tokens, log}
	x.contribute(t, router.Contribution{
		Owner: "test",
		Actions: []router.Action{
			x.action("open", ok), x.action("closed", ok),
			x.action("fails", func(context.Context, *protocol.Request) (any, error) { return nil, errors.New("a detail") }),
			x.action("broken", func(context.Context, *protocol.Request) (any, error) {
				return nil, kerror.ServicesStorageNotConnected.Wrap(errors.New("the disk is full"))
			}),
			x.action("panics", func(context.Context, *protocol.Request) (any, error) { panic("boom") }),
			x.action("partly", func(context.Context, *protocol.Request) (any, error) {
				return []string{"a"}, kerror.ServicesStorageIncompleteDelete.New("b").WithErrors([]any{"b"})
			}),
		},
		Grants: []security.Grant{
			{Role: "anonymous", Controller: "test", Action: "open"},
			{Role: "anonymous", Controller: "test", Action: "fails"},
			{Role: "anonymous", Controller: "test", Action: "broken"},
			{Role: "anonymous", Controller: "test", Action: "panics"},
			{Role: "anonymous", Controller: "test", Action: "partly"},
			{Role: "anonymous", Controller: "test", Action: "unknown"},
		},
	})
	return x
}

func (fixture) action(name string, h router.Handler) router.Action {
	return router.Action{Controller: "test", Name: name, Handler: h}
}

func (x fixture) contribute(t testing.TB, c router.Contribution) {
	t.Helper()
	if err := x.registry.Set(c); err != nil {
		t.Fatal(err)
	}
}

func ok(context.Context, *protocol.Request) (any, error) { return "done", nil }

func request(action string) *protocol.Request {
	return &protocol.Request{RequestID: "r", Controller: "test", Action: action, Connection: &protocol.Connection{ID: "c", Protocol: "http"}}
}

func id(a *protocol.Response) string {
	if a.Error == nil {
		return ""
	}
	return a.Error.ID
}

func TestWhatIsAnswered(t *testing.T) {
	x := newFixture(t, nil)
	for _, c := range []struct {
		name   string
		change func(*protocol.Request)
		status int
		id     string
	}{
		{"an allowed action", nil, 200, ""},
		{"no controller", func(r *protocol.Request) { r.Controller = "" }, 400, "api.assert.missing_argument"},
		{"no action", func(r *protocol.Request) { r.Action = "" }, 400, "api.assert.missing_argument"},
		{"targets and index", func(r *protocol.Request) {
			r.Index = "i"
			r.Args.Set("targets", jsontext.Value("[]"))
		}, 400, "api.assert.mutually_exclusive"},
		{"targets and collection", func(r *protocol.Request) {
			r.Collection = "c"
			r.Args.Set("targets", jsontext.Value("[]"))
		}, 400, "api.assert.mutually_exclusive"},
		{"not allowed", func(r *protocol.Request) { r.Action = "closed" }, 401, "security.rights.unauthorized"},
		{"an unknown action that may not be called", func(r *protocol.Request) { r.Action = "no" }, 401, "security.rights.unauthorized"},
		{"an unknown controller that may not be called", func(r *protocol.Request) { r.Controller = "no" }, 401, "security.rights.unauthorized"},
		{"an unknown action that may be called", func(r *protocol.Request) { r.Action = "unknown" }, 404, "api.process.action_not_found"},
		{"a bad token", func(r *protocol.Request) { r.Token = "kauth-x" }, 401, "security.token.invalid"},
		{"an old SDK", func(r *protocol.Request) { r.Volatile = jsontext.Value(`{"sdkName":"js@6.1.0"}`) }, 400, "api.process.incompatible_sdk_version"},
		{"an SDK of Kuzzle 1", func(r *protocol.Request) { r.Volatile = jsontext.Value(`{"sdkVersion":"5.0.0"}`) }, 400, "api.process.incompatible_sdk_version"},
		{"a new SDK", func(r *protocol.Request) { r.Volatile = jsontext.Value(`{"sdkName":"js@10.0.0"}`) }, 200, ""},
		{"an SDK nobody knows", func(r *protocol.Request) { r.Volatile = jsontext.Value(`{"sdkName":"rust@0.1"}`) }, 200, ""},
		{"an SDK name that is no text", func(r *protocol.Request) { r.Volatile = jsontext.Value(`{"sdkName":7}`) }, 200, ""},
		{"an error that is not the client's", func(r *protocol.Request) { r.Action = "fails" }, 500, "core.fatal.unexpected_error"},
		{"a panic", func(r *protocol.Request) { r.Action = "panics" }, 500, "core.fatal.unexpected_error"},
		{"a partial failure", func(r *protocol.Request) { r.Action = "partly" }, 206, "services.storage.incomplete_delete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request("open")
			if c.change != nil {
				c.change(r)
			}
			a := x.Execute(t.Context(), r)
			if a.Status != c.status || id(a) != c.id || a.RequestID != "r" || a.Node != "n1" {
				t.Errorf("%d %s (%v), want %d %s", a.Status, id(a), a.Error, c.status, c.id)
			}
			if a.Error != nil && strings.Contains(a.Error.Message, "a detail") {
				t.Error("an internal error is shown to the client")
			}
			if a.Status == 206 && string(a.Result) != `["a"]` {
				t.Errorf("the result of a partial failure is %s", a.Result)
			}
		})
	}
	if !strings.Contains(x.log.String(), "a detail") || !strings.Contains(x.log.String(), "boom") {
		t.Errorf("internal errors are not logged: %s", x.log)
	}
}

// TestCausesAreLogged: what the client must not see of a catalogued failure is in the log.
func TestCausesAreLogged(t *testing.T) {
	x := newFixture(t, nil)
	a := x.Execute(t.Context(), request("broken"))
	if id(a) != "services.storage.not_connected" || strings.Contains(a.Error.Message, "disk") {
		t.Errorf("%v", a.Error)
	}
	if !strings.Contains(x.log.String(), `cause="the disk is full"`) {
		t.Errorf("the cause is not logged: %s", x.log)
	}
}

func TestAuthRequired(t *testing.T) {
	x := newFixture(t, nil)
	required := x.action("required", ok)
	required.Auth, required.Profile = router.AuthRequired, protocol.KuzzleV1
	x.contribute(t, router.Contribution{
		Owner: "more", Actions: []router.Action{required},
		Grants: []security.Grant{{Role: "anonymous", Controller: "test", Action: "required"}},
	})
	a := x.Execute(t.Context(), request("required"))
	if a.Status != 401 || a.Error.V1 != "Json Web Token Error" || a.Profile != protocol.KuzzleV1 {
		t.Errorf("%+v", a)
	}
}

// listen records the events of one request.
type listen struct {
	mu    sync.Mutex
	heard []string
	on    map[string]func(*events.Payload) error
}

func (l *listen) Pipe(_ context.Context, event string, p *events.Payload) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, event)
	if f := l.on[event]; f != nil {
		return f(p)
	}
	return nil
}

func (x fixture) listen(t *testing.T, on map[string]func(*events.Payload) error) *listen {
	t.Helper()
	l := &listen{on: on}
	x.contribute(t, router.Contribution{Owner: "listener", Listeners: events.Listeners{Owner: "listener", Pipes: map[string]events.Pipe{
		"request:*": l, "test:*": l,
	}}})
	return l
}

func TestEventsInTheirOrder(t *testing.T) {
	for _, c := range []struct {
		name, action string
		on           map[string]func(*events.Payload) error
		heard        []string
		status       int
	}{
		{"success", "open", nil, []string{
			"request:beforeExecution", "request:onAuthorized", "test:beforeOpen", "test:afterOpen", "request:onSuccess", "request:afterExecution",
		}, 200},
		{"failure", "fails", nil, []string{
			"request:beforeExecution", "request:onAuthorized", "test:beforeFails", "test:errorFails", "request:onError", "request:afterExecution",
		}, 500},
		{"refused", "closed", nil, []string{
			"request:beforeExecution", "request:onUnauthorized", "request:onError", "request:afterExecution",
		}, 401},
		{"stopped by a pipe", "open", map[string]func(*events.Payload) error{
			"test:beforeOpen": func(*events.Payload) error { return kerror.Bare(kerror.ForbiddenError, "no") },
		}, []string{"request:beforeExecution", "request:onAuthorized", "test:beforeOpen", "request:onError", "request:afterExecution"}, 403},
		{"recovered by a pipe", "fails", map[string]func(*events.Payload) error{
			"test:errorFails": func(p *events.Payload) error { p.Result, p.Err = "saved", nil; return nil },
		}, []string{
			"request:beforeExecution", "request:onAuthorized", "test:beforeFails", "test:errorFails", "request:onSuccess", "request:afterExecution",
		}, 200},
		{"changed by a pipe", "open", map[string]func(*events.Payload) error{
			"test:afterOpen": func(p *events.Payload) error { p.Result = "saved"; return nil },
		}, []string{
			"request:beforeExecution", "request:onAuthorized", "test:beforeOpen", "test:afterOpen", "request:onSuccess", "request:afterExecution",
		}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newFixture(t, nil)
			l := x.listen(t, c.on)
			a := x.Execute(t.Context(), request(c.action))
			if a.Status != c.status || !slices.Equal(l.heard, c.heard) {
				t.Errorf("%d, heard %v\nwant %d, %v", a.Status, l.heard, c.status, c.heard)
			}
			if c.on != nil && c.status == 200 && string(a.Result) != `"saved"` {
				t.Errorf("result %s", a.Result)
			}
		})
	}
}

func TestTooMuchAtOnce(t *testing.T) {
	x := newFixture(t, func(o *funnel.Options) { o.Concurrent, o.Waiting, o.WarnWaiting = 1, 1, 1 })
	overload := make(chan any, 1)
	x.contribute(t, router.Contribution{Owner: "hooks", Listeners: events.Listeners{Owner: "hooks", Hooks: map[string]events.Hook{
		"core:overload": events.HookFunc(func(_ context.Context, _ string, p *events.Payload) { overload <- p.Data }),
	}}})
	entered, release := make(chan struct{}), make(chan struct{})
	x.contribute(t, router.Contribution{
		Owner: "slow", Actions: []router.Action{x.action("slow", func(context.Context, *protocol.Request) (any, error) {
			entered <- struct{}{}
			<-release
			return nil, nil
		})},
		Grants: []security.Grant{{Role: "anonymous", Controller: "test", Action: "slow"}},
	})
	answers := make(chan *protocol.Response)
	run := func(ctx context.Context) { answers <- x.Execute(ctx, request("slow")) }
	go run(t.Context())
	<-entered
	waiting, leave := context.WithCancel(t.Context())
	go run(waiting)
	for !x.Overloaded() { // until the second waits
		time.Sleep(time.Millisecond)
	}
	if a := x.Execute(t.Context(), request("open")); id(a) != "api.process.overloaded" || a.Status != 503 {
		t.Errorf("a third: %d %s", a.Status, id(a))
	}
	if percent := <-overload; percent != 100.0 {
		t.Errorf("core:overload says %v", percent)
	}
	leave()
	if a := <-answers; id(a) != "api.process.connection_dropped" {
		t.Errorf("who left: %d %s", a.Status, id(a))
	}

	drained := make(chan error)
	go func() { drained <- x.Drain(t.Context()) }()
	for id(x.Execute(waiting, request("open"))) != "api.process.shutting_down" {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-drained:
		t.Error("drained while a request runs")
	default:
	}
	close(release)
	if a := <-answers; a.Status != 200 {
		t.Errorf("the running one: %d %s", a.Status, id(a))
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestTheTimeOfARequest(t *testing.T) {
	x := newFixture(t, nil)
	x.contribute(t, router.Contribution{
		Owner: "slow", Actions: []router.Action{x.action("slow", func(ctx context.Context, _ *protocol.Request) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})},
		Grants: []security.Grant{{Role: "anonymous", Controller: "test", Action: "slow"}},
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if a := x.Execute(ctx, request("slow")); a.Status != 504 {
		t.Errorf("%d %s", a.Status, id(a))
	}
}

func TestRateLimit(t *testing.T) {
	x := newFixture(t, nil)
	a := request("open")
	limited := 0
	for range 450 { // the standard profile of anonymous allows 200 a second
		r := *a
		if id(x.Execute(t.Context(), &r)) == "api.process.too_many_requests" {
			limited++
		}
	}
	if limited == 0 {
		t.Error("nothing was limited")
	}
}

func TestCallsFromInside(t *testing.T) {
	x := newFixture(t, func(o *funnel.Options) { o.Concurrent, o.Waiting = 1, 1 })
	l := x.listen(t, nil)
	r := request("closed")
	r.Internal = &protocol.Internal{Plugin: "p"}
	if a := x.Execute(t.Context(), r); a.Status != 200 || len(l.heard) != 0 {
		t.Errorf("as the plugin: %d %v, heard %v", a.Status, a.Error, l.heard)
	}
	r = request("closed")
	r.Internal = &protocol.Internal{Plugin: "p", CheckRights: true}
	if a := x.Execute(t.Context(), r); id(a) != "security.rights.unauthorized" {
		t.Errorf("as anonymous: %d %v", a.Status, a.Error)
	}
	l.heard = nil
	r = request("closed")
	r.Internal = &protocol.Internal{Plugin: "p", TriggerEvents: true}
	if a := x.Execute(t.Context(), r); a.Status != 200 || !slices.Contains(l.heard, "test:beforeClosed") {
		t.Errorf("with events: %d %v, heard %v", a.Status, a.Error, l.heard)
	}
	r = request("unknown")
	r.Internal = &protocol.Internal{}
	if a := x.Execute(t.Context(), r); id(a) != "api.process.action_not_found" {
		t.Errorf("an unknown action: %d %v", a.Status, a.Error)
	}
}

// A request over WebSocket also finds its connection linked to its token.
func BenchmarkExecute(b *testing.B) {
	x := newFixture(b, func(o *funnel.Options) { o.Concurrent = 100 })
	x.contribute(b, router.Contribution{
		Owner: "bench", Actions: []router.Action{{Controller: "server", Name: "now", Handler: func(context.Context, *protocol.Request) (any, error) {
			return jsontext.Value(`{"now":1700000000000}`), nil
		}}},
	})
	if _, err := x.users.CreateUser(b.Context(), "root", nil, jsontext.Value(`{"profileIds":["admin"]}`), security.Write{}); err != nil {
		b.Fatal(err)
	}
	issued, err := x.tokens.Issue(b.Context(), "root", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	for _, of := range []struct{ name, protocol, token string }{
		{"anonymous", "http", ""}, {"token/http", "http", issued.Text}, {"token/websocket", "websocket", issued.Text},
	} {
		b.Run(of.name, func(b *testing.B) {
			connection := &protocol.Connection{ID: "c", Protocol: of.protocol}
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				var buf []byte
				for p.Next() {
					r := request("now")
					r.Controller, r.Token, r.Connection = "server", of.token, connection
					a := x.Execute(context.Background(), r)
					buf = a.Append(buf[:0], "")
				}
			})
		})
	}
}
