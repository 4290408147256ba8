package bridge

import (
	"context"

	"google.golang.org/grpc"

	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// Transport carries calls to one process of a plugin. Errors are gRPC statuses. It is this narrow so that the unary calls
// can become one batched stream.
type Transport interface {
	Execute(ctx context.Context, in *pluginv1.ExecuteRequest) (*pluginv1.ExecuteResponse, error)
	Pipe(ctx context.Context, in *pluginv1.PipeRequest) (*pluginv1.PipeResponse, error)
	Hooks(ctx context.Context, in *pluginv1.HooksRequest) (*pluginv1.HooksResponse, error)
}

type unary struct {
	actions pluginv1.ActionsClient
	events  pluginv1.EventsClient
	limit   grpc.CallOption
}

// Unary is a Transport of one gRPC call each. Answers above maxMessageBytes fail with ResourceExhausted.
func Unary(conn grpc.ClientConnInterface, maxMessageBytes int) Transport {
	return unary{pluginv1.NewActionsClient(conn), pluginv1.NewEventsClient(conn), grpc.MaxCallRecvMsgSize(maxMessageBytes)}
}

func (u unary) Execute(ctx context.Context, in *pluginv1.ExecuteRequest) (*pluginv1.ExecuteResponse, error) {
	return u.actions.Execute(ctx, in, u.limit)
}

func (u unary) Pipe(ctx context.Context, in *pluginv1.PipeRequest) (*pluginv1.PipeResponse, error) {
	return u.events.Pipe(ctx, in, u.limit)
}

func (u unary) Hooks(ctx context.Context, in *pluginv1.HooksRequest) (*pluginv1.HooksResponse, error) {
	return u.events.Hooks(ctx, in, u.limit)
}
