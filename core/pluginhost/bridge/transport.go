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
	Verify(ctx context.Context, in *pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error)
	Manage(ctx context.Context, in *pluginv1.ManageRequest) (*pluginv1.ManageResponse, error)
}

type unary struct {
	actions    pluginv1.ActionsClient
	events     pluginv1.EventsClient
	strategies pluginv1.StrategiesClient
	limit      grpc.CallOption
}

// Unary is a Transport of one gRPC call each. Answers above maxMessageBytes fail with ResourceExhausted.
func Unary(conn grpc.ClientConnInterface, maxMessageBytes int) Transport {
	return unary{
		pluginv1.NewActionsClient(conn), pluginv1.NewEventsClient(conn), pluginv1.NewStrategiesClient(conn),
		grpc.MaxCallRecvMsgSize(maxMessageBytes),
	}
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

func (u unary) Verify(ctx context.Context, in *pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error) {
	return u.strategies.Verify(ctx, in, u.limit)
}

func (u unary) Manage(ctx context.Context, in *pluginv1.ManageRequest) (*pluginv1.ManageResponse, error) {
	return u.strategies.Manage(ctx, in, u.limit)
}
