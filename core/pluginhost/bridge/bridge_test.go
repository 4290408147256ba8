package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/pluginhost/bridge"
	"github.com/sluicehq/sluice/core/pluginhost/hostapi"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a plugin that answers what the test says.
type fake struct {
	execute func(context.Context) (*pluginv1.ExecuteResponse, error)
	pipe    func(*pluginv1.PipeRequest) (*pluginv1.PipeResponse, error)
	verify  func(*pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error)
	manage  func(*pluginv1.ManageRequest) (*pluginv1.ManageResponse, error)

	mu    sync.Mutex
	hooks []*pluginv1.HooksRequest
}

func (f *fake) Execute(ctx context.Context, _ *pluginv1.ExecuteRequest) (*pluginv1.ExecuteResponse, error) {
	return f.execute(ctx)
}

func (f *fake) Pipe(_ context.Context, in *pluginv1.PipeRequest) (*pluginv1.PipeResponse, error) {
	return f.pipe(in)
}

func (f *fake) Verify(_ context.Context, in *pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error) {
	return f.verify(in)
}

func (f *fake) Manage(_ context.Context, in *pluginv1.ManageRequest) (*pluginv1.ManageResponse, error) {
	return f.manage(in)
}

func (f *fake) Hooks(_ context.Context, in *pluginv1.HooksRequest) (*pluginv1.HooksResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hooks = append(f.hooks, in)
	return &pluginv1.HooksResponse{}, nil
}

// observed counts outcomes.
type observed struct {
	mu       sync.Mutex
	outcomes []string
}

func (o *observed) Called(kind, outcome string, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outcomes = append(o.outcomes, kind+" "+outcome)
}

func newBridge(t *testing.T, f *fake) (*bridge.Bridge, *observed) {
	t.Helper()
	seen := &observed{}
	b := bridge.New(bridge.Options{
		Plugin: "p", CallTimeout: 100 * time.Millisecond, SlowCall: time.Second, Concurrent: 2, Waiting: 1, MaxMessageBytes: 2000,
		HookQueue: 10, Serving: &hostapi.Calls{}, Observer: seen, Logger: slog.New(slog.DiscardHandler),
	})
	if f != nil {
		b.Connect(f)
	}
	t.Cleanup(b.Close)
	return b, seen
}

var manifest = &pluginv1.Manifest{
	Id: "p", Actions: []*pluginv1.Action{{Controller: "p", Name: "a"}},
	Pipes: []string{"t:e"}, Hooks: []string{"t:e"},
}

// What went wrong on the way, and what a client is told.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		err     error
		class   kerror.Class
		text    string
		outcome string
	}{
		{status.Error(codes.Unavailable, "EOF"), kerror.ServiceUnavailableError, "may have had its effect", "crash"},
		{status.Error(codes.Canceled, "closing"), kerror.ServiceUnavailableError, "may have had its effect", "crash"},
		{status.Error(codes.DeadlineExceeded, ""), kerror.GatewayTimeoutError, "plugins.callTimeout", "timeout"},
		{status.Error(codes.ResourceExhausted, ""), kerror.PluginImplementationError, "plugins.maxMessageSize", "too_large"},
		{status.Error(codes.Unimplemented, "no action p:a"), kerror.PluginImplementationError, "no action p:a", "broken"},
		{errors.New("nobody knows"), kerror.PluginImplementationError, "nobody knows", "broken"},
	} {
		b, seen := newBridge(t, &fake{execute: func(context.Context) (*pluginv1.ExecuteResponse, error) { return nil, c.err }})
		_, err := execute(t, b, t.Context())
		e := protocol.AsError(err)
		if e.Class != c.class || !strings.Contains(e.Message, c.text) {
			t.Errorf("%v: %s %q", c.err, e.Class, e.Message)
		}
		if got := seen.outcomes; len(got) != 1 || got[0] != "action "+c.outcome {
			t.Errorf("%v: counted %v", c.err, got)
		}
	}
}

func TestResultThatIsNoJSONDoesNotReachTheEnvelope(t *testing.T) {
	b, _ := newBridge(t, &fake{execute: func(context.Context) (*pluginv1.ExecuteResponse, error) {
		return &pluginv1.ExecuteResponse{Result: []byte(`1,"error":null`)}, nil
	}})
	if _, err := execute(t, b, t.Context()); !errors.Is(err, kerror.PluginControllerUnserializableResponse) {
		t.Error(err)
	}
}

func TestPipeThatAnswersNonsenseStopsTheRequest(t *testing.T) {
	for name, out := range map[string]*pluginv1.PipeResponse{
		"args":   {Request: &pluginv1.RequestChange{Args: []byte(`[`)}},
		"body":   {Request: &pluginv1.RequestChange{Body: []byte(`{"a":`)}},
		"result": {Outcome: &pluginv1.Outcome{Result: []byte(`x`)}},
		"data":   {Data: []byte(`x`)},
	} {
		b, _ := newBridge(t, &fake{pipe: func(*pluginv1.PipeRequest) (*pluginv1.PipeResponse, error) { return out, nil }})
		p := &events.Payload{Request: &protocol.Request{ID: "before"}}
		err := contribution(t, b).Listeners.Pipes["t:e"].Pipe(t.Context(), "t:e", p)
		if !errors.Is(err, kerror.PluginRuntimeUnexpectedError) || p.Request.ID != "before" {
			t.Errorf("%s: %v, %+v", name, err, p.Request)
		}
	}
}

func TestPipeFailsClosed(t *testing.T) {
	down, _ := newBridge(t, nil)
	crashed, _ := newBridge(t, &fake{pipe: func(*pluginv1.PipeRequest) (*pluginv1.PipeResponse, error) {
		return nil, status.Error(codes.Unavailable, "EOF")
	}})
	late, _ := newBridge(t, &fake{pipe: func(*pluginv1.PipeRequest) (*pluginv1.PipeResponse, error) {
		return nil, status.Error(codes.DeadlineExceeded, "")
	}})
	for name, b := range map[string]*bridge.Bridge{"down": down, "crashed": crashed, "late": late} {
		if err := contribution(t, b).Listeners.Pipes["t:e"].Pipe(t.Context(), "t:e", &events.Payload{}); err == nil {
			t.Errorf("%s: the request went on", name)
		}
	}
	err := contribution(t, late).Listeners.Pipes["t:e"].Pipe(t.Context(), "t:e", &events.Payload{})
	if e := protocol.AsError(err); !errors.Is(e, kerror.PluginRuntimePipeTimeout) || e.Props[0] != "p" || e.Props[1] != "t:e" {
		t.Errorf("%+v", e)
	}
}

func TestPipeChangesAnOutcome(t *testing.T) {
	answer := &pluginv1.PipeResponse{}
	var got *pluginv1.Event
	b, _ := newBridge(t, &fake{pipe: func(in *pluginv1.PipeRequest) (*pluginv1.PipeResponse, error) {
		got = in.GetEvent()
		return answer, nil
	}})
	fire := func(p *events.Payload) error {
		return contribution(t, b).Listeners.Pipes["t:e"].Pipe(t.Context(), "t:e", p)
	}
	p := &events.Payload{Request: &protocol.Request{Reply: protocol.Reply{Raw: true}}, Result: []byte("raw"), Data: map[string]int{"n": 1}}
	if err := fire(p); err != nil || string(p.Result.([]byte)) != "raw" {
		t.Errorf("unchanged: %v %+v", err, p)
	}
	if string(got.GetOutcome().GetResult()) != `"raw"` || string(got.GetData()) != `{"n":1}` {
		t.Errorf("sent %v", got)
	}
	answer = &pluginv1.PipeResponse{Outcome: &pluginv1.Outcome{Result: []byte(`2`)}, Data: []byte(`3`)}
	p = &events.Payload{Request: &protocol.Request{}, Err: errors.New("internal: do not tell"), Data: 1}
	if err := fire(p); err != nil || p.Err != nil || string(p.Result.(jsontext.Value)) != "2" || string(p.Data.(jsontext.Value)) != "3" {
		t.Errorf("recovered: %v %+v", err, p)
	}
	if strings.Contains(got.GetOutcome().GetError().GetMessage(), "do not tell") {
		t.Error("an internal error crossed")
	}
	answer = &pluginv1.PipeResponse{Outcome: &pluginv1.Outcome{Error: &pluginv1.Error{Message: "no", Class: "NotFoundError"}}}
	p = &events.Payload{Request: &protocol.Request{}, Result: 1}
	if err := fire(p); err != nil || p.Result != nil || protocol.AsError(p.Err).Status != 404 {
		t.Errorf("failed: %v %+v", err, p)
	}
	p = &events.Payload{Data: func() {}}
	if err := fire(p); err == nil {
		t.Error("what cannot be told must stop the request")
	}
}

func TestHooksTravelTogether(t *testing.T) {
	f := &fake{}
	b, seen := newBridge(t, f)
	hook := contribution(t, b).Listeners.Hooks["t:e"]
	for i := range 5 {
		hook.Hook(t.Context(), "t:e", &events.Payload{Data: strings.Repeat("x", 900), Request: &protocol.Request{Internal: &protocol.Internal{Hops: i}}})
	}
	hook.Hook(t.Context(), "t:e", &events.Payload{Data: strings.Repeat("x", 5000)}) // larger than a message may be
	hook.Hook(t.Context(), "t:e", &events.Payload{Data: func() {}})
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, in := range f.hooks {
		told += len(in.GetEvents())
		if len(in.GetEvents()) > 2 {
			t.Errorf("%d events of 900 bytes in a message of 2000", len(in.GetEvents()))
		}
	}
	if told != 5 || b.DroppedHooks() != 2 {
		t.Errorf("told %d, dropped %d", told, b.DroppedHooks())
	}
	hook.Hook(t.Context(), "t:e", &events.Payload{})
	if b.DroppedHooks() != 3 {
		t.Error("a hook after Drain is dropped and counted")
	}
	for _, outcome := range seen.outcomes {
		if outcome != "hooks ok" {
			t.Error(outcome)
		}
	}
}

func TestWaitingEnds(t *testing.T) {
	release := make(chan struct{})
	b, seen := newBridge(t, &fake{execute: func(ctx context.Context) (*pluginv1.ExecuteResponse, error) {
		<-release
		return &pluginv1.ExecuteResponse{}, nil
	}})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { _, _ = execute(t, b, t.Context()) })
	}
	for b.Running() < 2 {
		time.Sleep(time.Millisecond)
	}
	if _, err := execute(t, b, t.Context()); !errors.Is(err, kerror.APIProcessOverloaded) { // after its 100 ms
		t.Error(err)
	}
	close(release)
	all.Wait()
	if got := fmt.Sprint(seen.outcomes); !strings.Contains(got, "action overloaded") || b.WaitingCalls() != 0 || b.Running() != 0 {
		t.Errorf("%s, waiting %d, running %d", got, b.WaitingCalls(), b.Running())
	}
}

func execute(t *testing.T, b *bridge.Bridge, ctx context.Context) (any, error) {
	t.Helper()
	return contribution(t, b).Actions[0].Handler(ctx, &protocol.Request{Controller: "p", Action: "a"})
}

func contribution(t testing.TB, b *bridge.Bridge) router.Contribution {
	t.Helper()
	c, err := b.Contribution(manifest, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
