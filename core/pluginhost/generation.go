package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/core/pluginhost/hostapi"
	"github.com/sluicehq/sluice/core/pluginhost/process"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// generation is one running process of a plugin.
type generation struct {
	running
	lifecycle pluginv1.LifecycleClient
	manifest  *pluginv1.Manifest
	api       *hostapi.Server // nil before start
}

// running is what carries a generation: a process, or this process in tests.
type running interface {
	Conn() grpc.ClientConnInterface
	// PID is 0 in this process.
	PID() int
	// Done is closed when it ended by itself; Exit then says how.
	Done() <-chan struct{}
	Exit() error
	// Stop ends it and waits.
	Stop()
}

// describe asks what the plugin is. On failure the generation is ended.
func describe(ctx context.Context, r running, o Options) (*generation, error) {
	g := &generation{running: r, lifecycle: pluginv1.NewLifecycleClient(r.Conn())}
	answer, err := g.lifecycle.Describe(ctx, &pluginv1.DescribeRequest{HostVersion: o.Version}, grpc.MaxCallRecvMsgSize(o.MaxMessageBytes))
	if err != nil {
		err = g.reason(ctx, "Describe", err)
		g.Stop()
		return nil, err
	}
	if answer.GetManifest() == nil {
		g.Stop()
		return nil, errors.New("it does not describe itself: the answer to Describe has no manifest")
	}
	g.manifest = answer.GetManifest()
	return g, nil
}

// start hands over the configuration. The generation stays as it is on failure.
func (g *generation) start(ctx context.Context, in *pluginv1.StartRequest) error {
	answer, err := g.lifecycle.Start(ctx, in)
	if err != nil {
		return g.reason(ctx, "Start", err)
	}
	switch {
	case answer.GetError() == nil:
		return nil
	case ctx.Err() != nil: // its deadline came first there: it gives back what it was told
		return g.reason(ctx, "Start", ctx.Err())
	}
	return fmt.Errorf("it refuses to start: %w", codec.ToError(answer.GetError()))
}

// reason says why a step of the life failed.
func (g *generation) reason(ctx context.Context, step string, err error) error {
	s := status.Convert(err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("the start was given up: %w", context.Cause(ctx))
	case ctx.Err() != nil || s.Code() == codes.DeadlineExceeded:
		return fmt.Errorf("no answer to %s in time (setting plugins.startTimeout)", step)
	case s.Code() != codes.Unavailable:
		return fmt.Errorf("%s: %s", step, s.Message())
	}
	select { // the connection broke, so the process is ending
	case <-g.Done():
		return fmt.Errorf("it ended in %s: %w", step, g.Exit())
	case <-time.After(time.Second):
		return fmt.Errorf("it closed its socket in %s", step)
	}
}

// close ends the process and its way to the node.
func (g *generation) close() {
	g.Stop()
	if g.api != nil {
		g.api.Close()
	}
}

// inProcess carries a plugin in this process.
type inProcess struct{ conn grpc.ClientConnInterface }

func (p inProcess) Conn() grpc.ClientConnInterface { return p.conn }
func (inProcess) PID() int                         { return 0 }
func (inProcess) Done() <-chan struct{}            { return nil }
func (inProcess) Exit() error                      { return nil }
func (inProcess) Stop()                            {}

var (
	_ running = (*process.Process)(nil)
	_ running = inProcess{}
)
