package bridge

import (
	"context"
	"log/slog"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// Options are the bounds of one plugin's calls. All of them must be set.
type Options struct {
	Plugin string
	// CallTimeout is the time for one call, waiting included.
	CallTimeout time.Duration
	// SlowCall is the duration from which a call is logged.
	SlowCall time.Duration
	// Concurrent calls run in the plugin at once; Waiting more may queue for a place.
	Concurrent, Waiting int
	MaxMessageBytes     int
	// HookQueue is how many events wait for the plugin's hooks.
	HookQueue int
	Serving   Serving
	Observer  Observer
	Logger    *slog.Logger
}

// Serving remembers which requests a plugin works on, so that the plugin can name them.
type Serving interface {
	// Serve gives the name of r until end is called.
	Serve(r *protocol.Request) (id uint64, end func())
}

// Observer is told of every call.
type Observer interface {
	// Called tells how long a call of that kind ("action", "pipe", "hooks", "strategy") took and how it ended: "ok", "refused" when the
	// plugin answered with an error, or why there was no answer.
	Called(kind, outcome string, took time.Duration)
}

// Bridge is one plugin as the node sees it, whichever process it runs in. It is safe for concurrent use.
//
// Its life: New, then Connect and Disconnect with every process; Drain refuses new calls for good and waits for the running
// ones; Close drops what waits for hooks and must always be called.
type Bridge struct {
	Options
	target  atomic.Pointer[target]
	places  chan struct{}
	waiting atomic.Int64
	hooks   *hookQueue
}

// target is where calls go, or why they cannot.
type target struct {
	transport Transport // nil when down
	state     string
}

// New makes a bridge that leads nowhere yet.
func New(o Options) *Bridge {
	b := &Bridge{Options: o, places: make(chan struct{}, o.Concurrent)}
	b.Disconnect("starting")
	b.hooks = newHookQueue(b, o.HookQueue)
	return b
}

// Connect sends calls to t from now on.
func (b *Bridge) Connect(t Transport) { b.target.Store(&target{transport: t}) }

// Disconnect answers calls with 503 from now on, naming the state the plugin is in.
func (b *Bridge) Disconnect(state string) { b.target.Store(&target{state: state}) }

// Contribution is what the plugin brings to the router; mount is where its routes stand, "" for nowhere but where they say.
// It stays registered while the plugin is down.
func (b *Bridge) Contribution(m *pluginv1.Manifest, mount string) (router.Contribution, error) {
	c := router.Contribution{
		Owner: b.Plugin, Grants: grants(m), Service: service(m, mount),
		Listeners: events.Listeners{Owner: b.Plugin, Pipes: map[string]events.Pipe{}, Hooks: map[string]events.Hook{}},
	}
	for _, a := range m.GetActions() {
		action, err := b.action(a, mount)
		if err != nil {
			return c, err
		}
		c.Actions = append(c.Actions, action)
	}
	for _, name := range m.GetPipes() {
		c.Listeners.Pipes[name] = pipe{b, name}
	}
	for _, name := range m.GetHooks() {
		c.Listeners.Hooks[name] = hook{b.hooks, name}
	}
	return c, nil
}

// action makes one that has been checked.
func (b *Bridge) action(a *pluginv1.Action, mount string) (router.Action, error) {
	profile, err := protocol.ParseProfile(a.GetProfile())
	if err != nil {
		return router.Action{}, err
	}
	action := router.Action{
		Controller: a.GetController(), Name: a.GetName(), Handler: b.execute,
		Auth: authModes[a.GetAuth()], Profile: profile, Plugin: b.Plugin,
		RawBody: a.GetRawBody(), MaxBodyBytes: int64(min(a.GetMaxBodyBytes(), math.MaxInt64)), ContentTypes: a.GetContentTypes(),
	}
	if a.GetRawBody() {
		action.Handler = b.executeRaw
	}
	for _, r := range a.GetRoutes() {
		route := router.Route{Verb: r.GetVerb(), Path: r.GetPath(), Deprecated: r.GetDeprecated()}
		if mount != "" {
			route.Path, route.Bare = mount+r.GetPath(), r.GetPath()
		}
		action.Routes = append(action.Routes, route)
	}
	if l := a.GetRateLimit(); l != nil {
		perUser := l.GetPer() == pluginv1.RateLimit_PER_USER
		action.Limit, err = router.NewLimit(perUser, l.GetPerSecond(), int(l.GetBurst()))
	}
	return action, err
}

// Running and Waiting count calls.
func (b *Bridge) Running() int { return len(b.places) }

// WaitingCalls counts those that wait for a place.
func (b *Bridge) WaitingCalls() int { return int(b.waiting.Load()) }

// DroppedHooks counts the events that the plugin's hooks were not told of.
func (b *Bridge) DroppedHooks() int64 { return b.hooks.dropped.Load() }

// Drain refuses new calls for good, sends the events that wait, and returns when no call runs any more, or with the error of
// ctx.
func (b *Bridge) Drain(ctx context.Context) error {
	if err := b.hooks.close(ctx); err != nil {
		return err
	}
	transport := b.target.Load().transport
	b.Disconnect("stopped")
	if transport == nil {
		return nil
	}
	for range cap(b.places) { // whoever holds all places is alone
		select {
		case b.places <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close lets go of everything; calls are refused.
func (b *Bridge) Close() {
	b.Disconnect("stopped")
	b.hooks.abandon()
}

// executeRaw is the handler of actions that want the body as it came: an envelope holds it as JSON.
func (b *Bridge) executeRaw(ctx context.Context, req *protocol.Request) (any, error) {
	if req.RawBody == nil && req.Body != nil {
		req.RawBody, req.ContentType = req.Body, "application/json"
	}
	return b.execute(ctx, req)
}

// execute is the handler of every other action.
func (b *Bridge) execute(ctx context.Context, req *protocol.Request) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, b.CallTimeout)
	defer cancel()
	var out *pluginv1.ExecuteResponse
	err := b.call(ctx, call{kind: "action", what: req.Controller + ":" + req.Action, request: req}, func(t Transport, id uint64) error {
		in := &pluginv1.ExecuteRequest{Request: codec.FromRequest(req, b.Plugin), CallId: id}
		err := b.fits(in)
		if err == nil {
			out, err = t.Execute(ctx, in)
		}
		return err
	}, func() bool { return out.GetError() != nil })
	if err != nil {
		return nil, err
	}
	return codec.ToAnswer(out, &req.Reply)
}

// call is one crossing of the boundary.
type call struct {
	kind, what string
	// request is what the plugin will work on, for Serving.
	request *protocol.Request
}

// call takes a place, sends, and tells the observer. Errors are *kerror.Error.
func (b *Bridge) call(ctx context.Context, c call, send func(Transport, uint64) error, refused func() bool) error {
	began := time.Now()
	outcome := "ok"
	defer func() { b.observe(c, outcome, time.Since(began)) }()
	transport, err := b.enter(ctx, c)
	if err != nil {
		outcome = reasonOf(err)
		return err
	}
	defer func() { <-b.places }()
	id, end := b.Serving.Serve(c.request)
	defer end()
	if err := send(transport, id); err != nil {
		err, outcome = b.failure(ctx, c, err, time.Since(began))
		return err
	}
	if refused() {
		outcome = "refused"
	}
	return nil
}

func (b *Bridge) observe(c call, outcome string, took time.Duration) {
	b.Observer.Called(c.kind, outcome, took)
	if took >= b.SlowCall {
		b.Logger.Warn("slow plugin call", "kind", c.kind, "call", c.what, "took", took, "outcome", outcome)
	}
}

// enter takes a place and gives the process in force.
func (b *Bridge) enter(ctx context.Context, c call) (Transport, error) {
	if t := b.target.Load(); t.transport == nil {
		return nil, b.down(t.state)
	}
	select {
	case b.places <- struct{}{}:
	default:
		if err := b.wait(ctx, c); err != nil {
			return nil, err
		}
	}
	t := b.target.Load()
	if t.transport == nil {
		<-b.places
		return nil, b.down(t.state)
	}
	return t.transport, nil
}

// wait queues for a place. Hooks always may: there is one such call at a time, and nobody waits for it.
func (b *Bridge) wait(ctx context.Context, c call) error {
	defer b.waiting.Add(-1)
	if b.waiting.Add(1) > int64(b.Waiting) && c.kind != "hooks" {
		return kerror.APIProcessOverloaded.New()
	}
	select {
	case b.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return kerror.APIProcessOverloaded.Wrap(ctx.Err())
	}
}

func (b *Bridge) down(state string) error {
	return kerror.PluginRuntimeUnavailable.New(b.Plugin, state)
}

// fits refuses what the plugin would not be allowed to get.
func (b *Bridge) fits(m proto.Message) error {
	if size := proto.Size(m); size > b.MaxMessageBytes {
		return kerror.PluginRuntimeRequestTooLarge.New(b.Plugin, strconv.Itoa(size), strconv.Itoa(b.MaxMessageBytes))
	}
	return nil
}
