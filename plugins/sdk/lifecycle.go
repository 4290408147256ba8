package sdk

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// Register puts the services of p on a gRPC server. Serve does so for a process of its own; sdktest for a test.
func Register(s grpc.ServiceRegistrar, p Plugin) { register(s, p, nil) }

// register calls started, when not nil, as soon as the host is known.
func register(s grpc.ServiceRegistrar, p Plugin, started func(*Host)) {
	r := &running{
		plugin: p, started: started,
		handlers: make(map[actionName]Handler, len(p.Actions)), strategies: make(map[string]*Strategy, len(p.Strategies)),
	}
	for _, a := range p.Actions {
		r.handlers[actionName{a.Controller, a.Name}] = a.Handler
	}
	for i := range p.Strategies {
		r.strategies[p.Strategies[i].Name] = &p.Strategies[i]
	}
	pluginv1.RegisterLifecycleServer(s, lifecycle{running: r})
	pluginv1.RegisterActionsServer(s, actions{running: r})
	pluginv1.RegisterEventsServer(s, listeners{running: r})
	pluginv1.RegisterStrategiesServer(s, strategies{running: r})
}

// running is one plugin between its first and its last call.
type running struct {
	plugin     Plugin
	handlers   map[actionName]Handler
	strategies map[string]*Strategy
	started    func(*Host)

	mu    sync.Mutex
	host  *Host // nil before Start and after Drain
	calls sync.WaitGroup
}

type actionName struct{ controller, name string }

// enter counts a call in. It fails before Start and after Drain, when plugin code must not run.
func (r *running) enter() (*Host, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.host == nil {
		return nil, status.Error(codes.FailedPrecondition, "the plugin is not started")
	}
	r.calls.Add(1)
	return r.host, nil
}

type lifecycle struct {
	pluginv1.UnimplementedLifecycleServer
	*running
}

// Describe implements pluginv1.LifecycleServer.
func (l lifecycle) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	m, err := l.plugin.manifest()
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &pluginv1.DescribeResponse{Manifest: m}, nil
}

// Start implements pluginv1.LifecycleServer.
func (l lifecycle) Start(ctx context.Context, in *pluginv1.StartRequest) (*pluginv1.StartResponse, error) {
	host, err := newHost(l.plugin.ID, in) //nolint:contextcheck // its log outlives this call
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if l.started != nil {
		l.started(host)
	}
	if l.plugin.Start != nil {
		config := in.GetConfig()
		if len(config) == 0 {
			config = []byte("{}")
		}
		if err := guard(ctx, host, "Start", func() error { return l.plugin.Start(ctx, host, config) }); err != nil {
			host.close(ctx)
			if ctx.Err() != nil { // it ran out of time here, a moment before it does for the node
				return nil, status.FromContextError(ctx.Err()).Err()
			}
			return &pluginv1.StartResponse{Error: codec.FromError(err)}, nil
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.host = host
	return &pluginv1.StartResponse{}, nil
}

// Drain implements pluginv1.LifecycleServer.
func (l lifecycle) Drain(ctx context.Context, _ *pluginv1.DrainRequest) (*pluginv1.DrainResponse, error) {
	l.mu.Lock()
	host := l.host
	l.host = nil
	l.mu.Unlock()
	if host == nil {
		return &pluginv1.DrainResponse{}, nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.calls.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done(): // the process is about to be ended
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	if l.plugin.Stop != nil {
		if err := guard(ctx, host, "Stop", func() error { return l.plugin.Stop(ctx) }); err != nil {
			host.Logger().Error("stop failed", "error", err.Message)
		}
	}
	host.close(ctx)
	return &pluginv1.DrainResponse{}, nil
}

// guard runs code of the plugin's author: what it fails with, and a panic, becomes the error that a client may see.
func guard(ctx context.Context, host *Host, what string, f func() error) (failure *kerror.Error) {
	defer func() {
		if r := recover(); r != nil {
			text := fmt.Sprintf("panic in %s: %v", what, r)
			host.Logger().LogAttrs(ctx, slog.LevelError, text, slog.String("stack", stack()))
			failure = kerror.PluginRuntimeUnexpectedError.New(text)
		}
	}()
	return asError(ctx, host, what, f())
}
