package sdk_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) {
	if os.Getenv("SLUICE_TEST_BY_HAND") != "" {
		sdk.Serve(greeter())
		return
	}
	goleak.VerifyTestMain(m)
}

// greeter answers in every way an action can.
func greeter() sdk.Plugin {
	act := func(name string, h sdk.Handler) sdk.Action {
		return sdk.Action{Controller: "Greeter/main", Name: name, Profile: protocol.KuzzleV1, Handler: h}
	}
	return sdk.Plugin{
		ID: "greeter", WireName: "Greeter", Version: "1.2.3", Description: "Greets.",
		Calls: []string{"document:*"},
		Actions: []sdk.Action{
			act("hello", func(_ context.Context, r *sdk.Request) (any, error) {
				name, err := r.Args.String("name")
				if err != nil {
					return nil, err
				}
				r.Reply.Status = 201
				r.Reply.SetHeader("x-greeting", "yes")
				return map[string]string{"text": "Hello, " + name + " from " + r.User.ID}, nil
			}),
			act("plain", func(context.Context, *sdk.Request) (any, error) { return nil, errors.New("disk on fire") }),
			act("panic", func(context.Context, *sdk.Request) (any, error) { panic("ouch") }),
			act("unencodable", func(context.Context, *sdk.Request) (any, error) { return func() {}, nil }),
			act("partial", func(context.Context, *sdk.Request) (any, error) {
				return 1, kerror.Bare(kerror.PartialError, "half")
			}),
			act("text", func(_ context.Context, r *sdk.Request) (any, error) {
				r.Reply.Raw, r.Reply.ContentType = true, "text/plain"
				return "as it is", nil
			}),
			act("absent", func(context.Context, *sdk.Request) (any, error) { return protocol.Absent, nil }),
		},
	}
}

func TestActionsAnswer(t *testing.T) {
	p := sdktest.New(t, greeter(), sdktest.Options{})
	for _, c := range []struct {
		action string
		args   string
		status int
		want   string // in the answer's bytes
	}{
		{"hello", `{"name":"Ann"}`, 201, `"result":{"text":"Hello, Ann from u"}`},
		{"hello", `{}`, 400, `Missing`},
		{"plain", `{}`, 500, `disk on fire`},
		{"panic", `{}`, 500, `ouch`},
		{"unencodable", `{}`, 500, `"result":null`},
		{"partial", `{}`, 206, `"result":1`},
		{"text", `{}`, 200, `as it is`},
		{"absent", `{}`, 200, `"result":null`},
		{"nothing", `{}`, 500, `"status":500`},
	} {
		args, err := protocol.ParseArgs(jsontext.Value(c.args), "")
		if err != nil {
			t.Fatal(err)
		}
		a := p.Execute(t.Context(), &protocol.Request{
			Controller: "Greeter/main", Action: c.action, Args: args, User: &protocol.User{ID: "u"},
		})
		got := string(a.Append(nil, ""))
		if a.Status != c.status || !strings.Contains(got, c.want) && c.want != "Missing" {
			t.Errorf("%s: %d %s", c.action, a.Status, got)
		}
		if c.want == "Missing" && !errors.Is(a.Error, kerror.APIAssertMissingArgument) {
			t.Errorf("%s: %v", c.action, a.Error)
		}
		if c.action == "hello" && a.Status == 201 && a.Header.Get("X-Greeting") != "yes" {
			t.Errorf("headers %v", a.Header)
		}
		if c.action == "plain" && !errors.Is(a.Error, kerror.PluginRuntimeUnexpectedError) {
			t.Errorf("plain error: %+v", a.Error)
		}
	}
}

func TestHostCalls(t *testing.T) {
	var host *sdk.Host
	p := greeter()
	p.Start = func(_ context.Context, h *sdk.Host, _ jsontext.Value) error {
		host = h
		return nil
	}
	call := func(ctx context.Context, asUser bool) (any, error) {
		c := sdk.Call{
			Controller: "document", Action: "create", Index: "i", Collection: "c", ID: "d",
			Args: map[string]any{"refresh": "wait_for"}, Body: map[string]any{"n": 1}, TriggerEvents: true,
		}
		f := host.Call
		if asUser {
			f = host.CallAsUser
		}
		r, err := f(ctx, c)
		if err != nil {
			return nil, err
		}
		var id struct{ ID string }
		if err := r.Decode(&id); err != nil {
			return nil, err
		}
		return id.ID, nil
	}
	p.Actions[0].Handler = func(ctx context.Context, r *sdk.Request) (any, error) {
		user, err := r.Args.Bool("user")
		if err != nil {
			return nil, err
		}
		return call(ctx, user)
	}
	var got *protocol.Request
	started := sdktest.New(t, p, sdktest.Options{Host: func(_ context.Context, r *protocol.Request) (any, error) {
		got = r
		return map[string]string{"ID": r.ID}, nil
	}})
	req := func(args string) *protocol.Request {
		a, err := protocol.ParseArgs(jsontext.Value(args), "")
		if err != nil {
			t.Fatal(err)
		}
		return &protocol.Request{
			RequestID: "r1", Controller: "Greeter/main", Action: "hello", Args: a,
			User: &protocol.User{ID: "u"}, Internal: &protocol.Internal{Hops: 2},
		}
	}
	if a := started.Execute(t.Context(), req(`{"user":true}`)); string(a.Result) != `"d"` {
		t.Fatalf("%v %s", a.Error, a.Result)
	}
	if got.User.ID != "u" || !got.Internal.CheckRights || got.Internal.Hops != 3 || got.Internal.Plugin != "greeter" ||
		!got.Internal.TriggerEvents || got.RequestID != "r1" || string(got.Body) != `{"n":1}` || string(got.Args.JSON()) != `{"refresh":"wait_for"}` {
		t.Errorf("as user: %+v %+v", got, got.Internal)
	}
	if a := started.Execute(t.Context(), req(`{}`)); a.Error != nil {
		t.Fatal(a.Error)
	}
	if got.User != nil || got.Internal.CheckRights {
		t.Errorf("as the plugin: %+v", got)
	}
	if _, err := host.CallAsUser(t.Context(), sdk.Call{Controller: "document", Action: "create"}); kind(err) != kerror.ForbiddenError {
		t.Errorf("as user outside of a request: %v", err)
	}
	if _, err := host.Call(t.Context(), sdk.Call{Controller: "security", Action: "createUser"}); kind(err) != kerror.ForbiddenError {
		t.Errorf("a call that is not listed: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if _, err := host.Call(ctx, sdk.Call{Controller: "document", Action: "get"}); kind(err) != kerror.GatewayTimeoutError {
		t.Errorf("no time: %v", err)
	}
}

func TestPipesChange(t *testing.T) {
	p := greeter()
	p.Pipes = map[string]sdk.PipeFunc{
		"document:before*": func(_ context.Context, e *sdk.Event) error {
			e.Request.Body = jsontext.Value(`{"by":"` + e.Name + `"}`)
			e.Request.Args.Set("added", jsontext.Value("1"))
			e.Request.ID = "new"
			return nil
		},
		"document:afterGet": func(_ context.Context, e *sdk.Event) error {
			e.Result = jsontext.Value(`"changed"`)
			return nil
		},
		"document:errorGet": func(_ context.Context, e *sdk.Event) error {
			e.Err, e.Result = nil, jsontext.Value(`"recovered"`)
			return nil
		},
		"generic:data": func(_ context.Context, e *sdk.Event) error {
			e.Data = jsontext.Value(`[1]`)
			return nil
		},
		"document:beforeDelete": func(context.Context, *sdk.Event) error { return kerror.APIProcessActionLocked.New("x") },
		"document:beforePanic":  func(context.Context, *sdk.Event) error { panic("no") },
		"document:untouched":    func(context.Context, *sdk.Event) error { return nil },
	}
	started := sdktest.New(t, p, sdktest.Options{})

	e := &sdk.Event{Name: "document:beforeCreate", Request: &sdk.Request{}}
	if err := started.Pipe(t.Context(), "document:before*", e); err != nil {
		t.Fatal(err)
	}
	if string(e.Request.Body) != `{"by":"document:beforeCreate"}` || e.Request.ID != "new" || !e.Request.Args.Has("added") {
		t.Errorf("request %+v", e.Request)
	}
	e = &sdk.Event{Request: &sdk.Request{}, Result: jsontext.Value(`1`)}
	if err := started.Pipe(t.Context(), "document:afterGet", e); err != nil || string(e.Result) != `"changed"` {
		t.Errorf("%v %s", err, e.Result)
	}
	e = &sdk.Event{Request: &sdk.Request{}, Err: kerror.Bare(kerror.NotFoundError, "no")}
	if err := started.Pipe(t.Context(), "document:errorGet", e); err != nil || e.Err != nil || string(e.Result) != `"recovered"` {
		t.Errorf("%v %v %s", err, e.Err, e.Result)
	}
	e = &sdk.Event{Request: &sdk.Request{}, Err: kerror.Bare(kerror.NotFoundError, "no"), Data: jsontext.Value(`0`)}
	if err := started.Pipe(t.Context(), "document:untouched", e); err != nil || e.Err == nil || string(e.Data) != "0" {
		t.Errorf("%v %+v", err, e)
	}
	e = &sdk.Event{Data: jsontext.Value(`[]`)}
	if err := started.Pipe(t.Context(), "generic:data", e); err != nil || string(e.Data) != `[1]` {
		t.Errorf("%v %s", err, e.Data)
	}
	if err := started.Pipe(t.Context(), "document:beforeDelete", &sdk.Event{}); !errors.Is(err, kerror.APIProcessActionLocked) {
		t.Errorf("stopped with %v", err)
	}
	if err := started.Pipe(t.Context(), "document:beforePanic", &sdk.Event{}); !errors.Is(err, kerror.PluginRuntimeUnexpectedError) {
		t.Errorf("panicked with %v", err)
	}
}

func TestHooksAreTold(t *testing.T) {
	p := greeter()
	var names []string
	p.Hooks = map[string]sdk.HookFunc{
		"document:*":  func(_ context.Context, e *sdk.Event) { names = append(names, e.Name) },
		"user:broken": func(context.Context, *sdk.Event) { panic("no") },
	}
	started := sdktest.New(t, p, sdktest.Options{})
	if err := started.Hook(t.Context(), "user:broken", &sdk.Event{}); err != nil {
		t.Error(err)
	}
	if err := started.Hook(t.Context(), "document:*", &sdk.Event{Name: "document:afterCreate"}); err != nil {
		t.Error(err)
	}
	if len(names) != 1 || names[0] != "document:afterCreate" {
		t.Errorf("told of %v", names)
	}
}

func TestStartAndStop(t *testing.T) {
	p := greeter()
	stopped := false
	p.Start = func(ctx context.Context, h *sdk.Host, config jsontext.Value) error {
		h.Logger().With("a", 1).WithGroup("g").InfoContext(ctx, "started", "config", string(config))
		if h.Secret("key") != "s3cret" {
			return errors.New("no key")
		}
		return nil
	}
	p.Stop = func(context.Context) error {
		stopped = true
		return nil
	}
	t.Run("inner", func(t *testing.T) {
		sdktest.New(t, p, sdktest.Options{Config: map[string]int{"n": 1}, Secrets: map[string]string{"key": "s3cret"}})
	})
	if !stopped {
		t.Error("not stopped")
	}
	if _, err := sdktest.Start(t, p, sdktest.Options{}); !errors.Is(err, kerror.PluginRuntimeUnexpectedError) || !strings.Contains(err.Error(), "no key") {
		t.Errorf("refused with %v", err)
	}
}

func TestManifestFindsWhatCannotWork(t *testing.T) {
	p := greeter()
	p.Actions = append(p.Actions, sdk.Action{Controller: "greeter", Name: "x"}, sdk.Action{Controller: "greeter", Name: "y", Auth: 9, Handler: p.Actions[0].Handler})
	p.Pipes = map[string]sdk.PipeFunc{"a:b": nil}
	p.Hooks = map[string]sdk.HookFunc{"c:d": nil}
	p.Strategies = []sdk.Strategy{{Name: "door"}}
	_, err := sdktest.Start(t, p, sdktest.Options{})
	for _, want := range []string{"greeter:x has no handler", "unknown AuthMode", "a:b is nil", "c:d is nil", "strategy door has no Verify", "strategy door has no Delete"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

func TestDrainWaitsForCalls(t *testing.T) {
	p := greeter()
	entered := make(chan struct{})
	var finished, stoppedAfter bool
	p.Actions[0].Handler = func(context.Context, *sdk.Request) (any, error) {
		close(entered)
		time.Sleep(50 * time.Millisecond)
		finished = true
		return nil, nil
	}
	p.Stop = func(context.Context) error {
		stoppedAfter = finished
		return nil
	}
	answered := make(chan *protocol.Response, 1)
	t.Run("inner", func(t *testing.T) {
		started := sdktest.New(t, p, sdktest.Options{})
		go func() {
			answered <- started.Execute(context.Background(), &protocol.Request{Controller: "Greeter/main", Action: "hello"})
		}()
		<-entered
	})
	if !stoppedAfter {
		t.Error("Stop did not wait for the call")
	}
	if a := <-answered; a.Error != nil {
		t.Errorf("the call failed: %v", a.Error)
	}
}

func TestLogLevels(t *testing.T) {
	p := greeter()
	p.Start = func(ctx context.Context, h *sdk.Host, _ jsontext.Value) error {
		if !h.Logger().Enabled(ctx, slog.LevelDebug) {
			return errors.New("sdktest asks for everything")
		}
		for range 5000 { // more than the queue holds: it must not block
			h.Logger().Debug("many")
		}
		return nil
	}
	sdktest.New(t, p, sdktest.Options{})
}

func kind(err error) kerror.Class {
	var e *kerror.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Class
}
