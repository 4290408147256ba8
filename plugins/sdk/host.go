package sdk

import (
	"context"
	"fmt"
	"log/slog"
	"math"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// Host is the node, as a plugin sees it. It is safe for concurrent use, from Start until Stop has returned.
type Host struct {
	plugin  string
	conn    *grpc.ClientConn
	client  pluginv1.HostClient
	log     *logQueue
	logger  *slog.Logger
	secrets map[string]string
}

// Call is a call of an action of the API.
type Call struct {
	Controller string
	Action     string
	Index      string
	Collection string
	ID         string
	// Args encodes to a JSON object; nil for none.
	Args any
	// Body encodes to JSON; nil for none.
	Body any
	// Volatile encodes to a JSON object; nil for none.
	Volatile any
	// TriggerEvents fires the pipes and hooks that a client's request would fire.
	TriggerEvents bool
}

// Result is what an action answered.
type Result struct {
	Status int
	// Value is the result as it came, nil when there is none.
	Value jsontext.Value
}

// Decode reads the result into v.
func (r Result) Decode(v any) error { return json.Unmarshal(r.Value, v) }

func newHost(plugin string, in *pluginv1.StartRequest) (*Host, error) {
	limit := int(min(in.GetMaxMessageBytes(), math.MaxInt32))
	if limit == 0 {
		limit = 16 << 20
	}
	conn, err := grpc.NewClient(
		in.GetHostAddress(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), // a unix socket of this user
		grpc.WithUnaryInterceptor(withToken(in.GetHostToken())),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(limit), grpc.MaxCallSendMsgSize(limit)),
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0), // a connection that leaves its state tells that the node is gone
	)
	if err != nil {
		return nil, fmt.Errorf("reach the node: %w", err)
	}
	h := &Host{plugin: plugin, conn: conn, client: pluginv1.NewHostClient(conn), secrets: in.GetSecrets()}
	h.log = newLogQueue(h.client)
	h.logger = slog.New(newLogHandler(h.log, slog.Level(in.GetLogLevel())))
	return h, nil
}

// Call runs an action of the API or of another plugin, as the plugin itself: without a user, and without a look at rights.
// The manifest must list the action (Plugin.Calls). Stored documents it reaches in its own collections (see Store) and in
// indexes that the operator has granted. A plugin that is down answers plugin.runtime.unavailable: try again later.
//
// ctx should be the one the plugin was called with, where there is one: then the node knows what the call is for and stops
// loops. Every error is a *kerror.Error; a result may come with one.
func (h *Host) Call(ctx context.Context, c Call) (Result, error) { return h.call(ctx, c, false) }

// CallAsUser is Call with the user of the request that ctx belongs to, and by his rights. It fails outside of actions and
// pipes, and where nobody has looked at the token yet.
func (h *Host) CallAsUser(ctx context.Context, c Call) (Result, error) { return h.call(ctx, c, true) }

// Logger writes into the log of the node. It never waits: when the node is slow, entries are dropped and counted.
func (h *Host) Logger() *slog.Logger { return h.logger }

// Secret gives one of Plugin.Secrets, "" when the operator has not set it.
func (h *Host) Secret(name string) string { return h.secrets[name] }

func (h *Host) call(ctx context.Context, c Call, asUser bool) (Result, error) {
	in := &pluginv1.CallRequest{
		CallId: servedBy(ctx).callID, AsUser: asUser,
		Controller: c.Controller, Action: c.Action, Index: c.Index, Collection: c.Collection, Id: c.ID,
		TriggerEvents: c.TriggerEvents,
	}
	for _, x := range []struct {
		name string
		from any
		to   *[]byte
	}{{"args", c.Args, &in.Args}, {"body", c.Body, &in.Body}, {"volatile", c.Volatile, &in.Volatile}} {
		if x.from == nil {
			continue
		}
		b, err := json.Marshal(x.from)
		if err != nil {
			return Result{}, kerror.PluginRuntimeUnexpectedError.Wrap(err, fmt.Sprintf("%s of %s:%s: %v", x.name, c.Controller, c.Action, err))
		}
		*x.to = b
	}
	out, err := h.client.Call(ctx, in)
	if err != nil {
		return Result{}, h.failed("The call of "+c.Controller+":"+c.Action, err)
	}
	result := Result{Status: int(out.GetStatus()), Value: out.GetResult()}
	if len(result.Value) == 0 {
		result.Value = nil
	}
	if failure := codec.ToError(out.GetError()); failure != nil {
		return result, failure
	}
	return result, nil
}

// failed makes a failure of the way to the node an error of the API.
func (h *Host) failed(what string, err error) error {
	what += " "
	switch s := status.Convert(err); s.Code() {
	case codes.DeadlineExceeded:
		return kerror.Bare(kerror.GatewayTimeoutError, what+"took too long.")
	case codes.Canceled:
		return kerror.Bare(kerror.ServiceUnavailableError, what+"was cancelled.")
	case codes.ResourceExhausted:
		return kerror.Bare(kerror.SizeLimitError, what+"is larger than the node's setting plugins.maxMessageSize allows, or its answer is: "+s.Message())
	default:
		return kerror.Bare(kerror.ServiceUnavailableError, what+"did not reach the node: "+s.Message())
	}
}

// close sends the log entries that wait, while ctx lasts.
func (h *Host) close(ctx context.Context) {
	h.log.close(ctx)
	_ = h.conn.Close()
}

// withToken proves to the node who calls.
func withToken(token string) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		return invoke(metadata.AppendToOutgoingContext(ctx, pluginv1.TokenKey, token), method, req, reply, cc, opts...)
	}
}
