package sdktest

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// Options are what the plugin is given.
type Options struct {
	// Config encodes to a JSON object; nil for an empty one. It is not compared with the schema.
	Config any
	// Secrets are given whether the plugin asked for them or not.
	Secrets map[string]string
	// Host answers the plugin's calls as an action would. Internal.Plugin of the request names the plugin; a call as the user
	// has Internal.CheckRights and the User. Calls that the plugin does not list are refused before. nil refuses all.
	// Calls on the plugin's own collections (sdk.Store) have Internal.Storage, and the Index as the plugin named it.
	Host func(ctx context.Context, r *protocol.Request) (any, error)
	// Trigger is told of the events that the plugin fires, and answers their data; nil answers it as it is.
	Trigger func(ctx context.Context, event string, data jsontext.Value) (jsontext.Value, error)
}

// Plugin is a started plugin. It is drained when the test ends.
type Plugin struct {
	Manifest *pluginv1.Manifest

	host    *host
	actions pluginv1.ActionsClient
	events  pluginv1.EventsClient
}

// New starts p and fails the test when it does not start.
func New(t testing.TB, p sdk.Plugin, o Options) *Plugin {
	t.Helper()
	started, err := Start(t, p, o)
	if err != nil {
		t.Fatalf("plugin %s: %v", p.ID, err)
	}
	return started
}

// Start starts p; the error is what its Start answered, a *kerror.Error.
func Start(t testing.TB, p sdk.Plugin, o Options) (*Plugin, error) {
	t.Helper()
	conn := Dial(t, p)
	lifecycle := pluginv1.NewLifecycleClient(conn)
	described, err := lifecycle.Describe(t.Context(), &pluginv1.DescribeRequest{})
	if err != nil {
		return nil, err
	}
	config := []byte("{}")
	if o.Config != nil {
		if config, err = json.Marshal(o.Config); err != nil {
			return nil, fmt.Errorf("config: %w", err)
		}
	}
	h := &host{t: t, manifest: described.GetManifest(), answer: o.Host, trigger: o.Trigger, serving: map[uint64]*protocol.Request{}}
	address := serveHost(t, h)
	answer, err := lifecycle.Start(t.Context(), &pluginv1.StartRequest{
		Config: config, Secrets: o.Secrets, HostAddress: address, HostToken: "test", LogLevel: -4,
	})
	if err != nil {
		return nil, err
	}
	if answer.GetError() != nil {
		return nil, codec.ToError(answer.GetError())
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // t.Context is over
		defer cancel()
		if _, err := lifecycle.Drain(ctx, &pluginv1.DrainRequest{}); err != nil {
			t.Errorf("plugin %s does not drain: %v", p.ID, err)
		}
	})
	return &Plugin{
		Manifest: described.GetManifest(), host: h,
		actions: pluginv1.NewActionsClient(conn), events: pluginv1.NewEventsClient(conn),
	}, nil
}

// Dial serves p in this process, not started, and gives the connection on which a node would call it. Both end with the
// test.
func Dial(t testing.TB, p sdk.Plugin) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))
	sdk.Register(server, p)
	conn, err := grpc.NewClient("passthrough:///plugin",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	serve(t, server, listener) // ends before the connection, on which answers may still be under way
	return conn
}

// InProcess makes plugins ones that a real node in the process of the test runs: give the map to nodetest.Options. They end
// with the test.
func InProcess(t testing.TB, plugins ...sdk.Plugin) map[string]func(context.Context) (grpc.ClientConnInterface, error) {
	t.Helper()
	dials := map[string]func(context.Context) (grpc.ClientConnInterface, error){}
	for _, p := range plugins {
		conn := Dial(t, p)
		dials[p.ID] = func(context.Context) (grpc.ClientConnInterface, error) { return conn, nil }
	}
	return dials
}

// Execute calls an action and gives the answer as a client would see it: Append writes the bytes, in the wire profile of
// the action: of a raw one the answer over its routes, unless r.Connection.Protocol is "websocket". A request without
// connection gets an empty one.
func (p *Plugin) Execute(ctx context.Context, r *protocol.Request) *protocol.Response {
	fill(r)
	action := p.action(r)
	if own := action.GetAuth(); own == pluginv1.AuthMode_AUTH_MODE_PLUGIN || own == pluginv1.AuthMode_AUTH_MODE_NONE {
		r.Private = p.Manifest.GetId()
	}
	id, end := p.host.serve(r)
	defer end()
	var result any
	out, err := p.actions.Execute(ctx, &pluginv1.ExecuteRequest{Request: codec.FromRequest(r, p.Manifest.GetId()), CallId: id})
	if err == nil {
		result, err = codec.ToAnswer(out, &r.Reply)
	}
	answer := protocol.NewResponse(r, result, err)
	answer.Profile, _ = protocol.ParseProfile(action.GetProfile()) // the SDK wrote it
	if answer.Profile == protocol.Raw && r.Connection.Protocol != "websocket" {
		answer.Bare(p.refusals())
	}
	return answer
}

func (p *Plugin) refusals() protocol.Refusals {
	refusals := protocol.Refusals{}
	for _, r := range p.Manifest.GetRefusals() {
		refusals[int(r.GetStatus())] = protocol.Refusal{
			Body: r.GetBody(), ContentType: r.GetContentType(), Status: int(r.GetAnswerStatus()), Header: codec.ToHeader(r.GetHeaders()),
		}
	}
	return refusals
}

// Pipe runs the pipe that the plugin has on listener, an event or a wildcard, and changes e as the pipe did.
func (p *Plugin) Pipe(ctx context.Context, listener string, e *sdk.Event) error {
	m, r := toMessage(p.Manifest.GetId(), listener, e)
	id, end := p.host.serve(r)
	defer end()
	out, err := p.events.Pipe(ctx, &pluginv1.PipeRequest{Event: m, CallId: id})
	if err != nil {
		return err
	}
	if out.GetError() != nil {
		return codec.ToError(out.GetError())
	}
	return apply(out, e)
}

// Degraded is what the plugin says it cannot do now, "" when it can do all.
func (p *Plugin) Degraded() string {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	return p.host.degraded
}

// Hook runs the hook that the plugin has on listener, an event or a wildcard, and waits for it.
func (p *Plugin) Hook(ctx context.Context, listener string, e *sdk.Event) error {
	m, r := toMessage(p.Manifest.GetId(), listener, e)
	id, end := p.host.serve(&protocol.Request{Internal: r.Internal}) // events travel together: none of them is the user's
	defer end()
	_, err := p.events.Hooks(ctx, &pluginv1.HooksRequest{Events: []*pluginv1.Event{m}, CallId: id})
	return err
}

func (p *Plugin) action(r *protocol.Request) *pluginv1.Action {
	for _, a := range p.Manifest.GetActions() {
		if a.GetController() == r.Controller && a.GetName() == r.Action {
			return a
		}
	}
	return nil
}

func toMessage(plugin, listener string, e *sdk.Event) (*pluginv1.Event, *protocol.Request) {
	m := &pluginv1.Event{Name: e.Name, Listener: listener, Data: e.Data}
	if m.GetName() == "" {
		m.Name = listener
	}
	if e.Result != nil || e.Err != nil {
		m.Outcome = &pluginv1.Outcome{Result: e.Result, Error: codec.FromError(e.Err)}
	}
	if e.Request == nil {
		return m, &protocol.Request{}
	}
	fill(&e.Request.Request)
	m.Request = codec.FromRequest(&e.Request.Request, plugin)
	return m, &e.Request.Request
}

func apply(out *pluginv1.PipeResponse, e *sdk.Event) error {
	if c := out.GetRequest(); c != nil {
		if err := codec.ApplyChange(c, &e.Request.Request); err != nil {
			return err
		}
	}
	if o := out.GetOutcome(); o != nil {
		e.Result, e.Err = o.GetResult(), codec.ToError(o.GetError())
	}
	if out.Data != nil {
		e.Data = out.GetData()
	}
	return nil
}

func fill(r *protocol.Request) {
	if r.Connection == nil {
		r.Connection = &protocol.Connection{Protocol: "test"}
	}
	if r.RequestID == "" {
		r.RequestID = "test"
	}
}

func serve(t testing.TB, server *grpc.Server, listener net.Listener) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends by GracefulStop
	}()
	t.Cleanup(func() {
		late := time.AfterFunc(10*time.Second, server.Stop)
		defer late.Stop()
		server.GracefulStop()
		<-done
	})
}

// serveHost serves h on a socket, as a node does, and gives its address. t.TempDir is too long for a socket.
func serveHost(t testing.TB, h *host) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sluice-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "host")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pluginv1.RegisterHostServer(server, h)
	serve(t, server, listener)
	return "unix:" + path
}
