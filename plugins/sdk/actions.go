package sdk

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

type actions struct {
	pluginv1.UnimplementedActionsServer
	*running
}

// Execute implements pluginv1.ActionsServer.
func (a actions) Execute(ctx context.Context, in *pluginv1.ExecuteRequest) (*pluginv1.ExecuteResponse, error) {
	host, err := a.enter()
	if err != nil {
		return nil, err
	}
	defer a.calls.Done()
	req := new(Request)
	if err := codec.ToRequest(in.GetRequest(), &req.Request); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	handler := a.handlers[actionName{req.Controller, req.Action}]
	if handler == nil {
		return nil, status.Errorf(codes.Unimplemented, "no action %s:%s", req.Controller, req.Action)
	}
	ctx = withServed(ctx, served{in.GetCallId(), req.RequestID})
	what := req.Controller + ":" + req.Action
	var result any
	failure := guard(ctx, host, what, func() (err error) {
		result, err = handler(ctx, req)
		return err
	})
	answer, err := codec.FromAnswer(result, req.Reply, failure)
	if err != nil {
		host.Logger().ErrorContext(ctx, "result does not encode to JSON", "action", what, "error", err.Error())
		return &pluginv1.ExecuteResponse{Error: codec.FromError(kerror.PluginControllerUnserializableResponse.New())}, nil
	}
	return answer, nil
}

// asError makes err what a client may see, and logs what its author did not mean for clients.
func asError(ctx context.Context, host *Host, what string, err error) *kerror.Error {
	if err == nil {
		return nil
	}
	var known *kerror.Error
	if errors.As(err, &known) {
		return known
	}
	host.Logger().LogAttrs(ctx, slog.LevelError, "unexpected error", slog.String("in", what), slog.String("error", err.Error()))
	return kerror.PluginRuntimeUnexpectedError.New(err.Error())
}

// served is the call from the node that a goroutine works for.
type served struct {
	callID    uint64
	requestID string
}

type servedKey struct{}

func withServed(ctx context.Context, s served) context.Context {
	return context.WithValue(ctx, servedKey{}, s)
}

// servedBy gives the zero value outside of calls.
func servedBy(ctx context.Context) served {
	s, _ := ctx.Value(servedKey{}).(served)
	return s
}

func stack() string { return string(debug.Stack()) }
