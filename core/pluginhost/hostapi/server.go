package hostapi

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// Executor runs requests: the funnel.
type Executor interface {
	Execute(ctx context.Context, r *protocol.Request) *protocol.Response
}

// Events fires events: the bus of the node, with those who listen now.
type Events interface {
	Fire(ctx context.Context, event string, p *events.Payload) error
}

// Options are what a server needs. All of them must be set.
type Options struct {
	Plugin string
	// Manifest says what the plugin may do.
	Manifest *pluginv1.Manifest
	// Granted are the public indexes whose documents the plugin may work on as itself; "*" is every one.
	Granted  []string
	Calls    *Calls
	Executor Executor
	Events   Events
	// Health is told what the plugin says of itself: why it is degraded, "" when it is not.
	Health func(degraded string)
	// MaxHops bounds how many calls inside the node may lead to one another.
	MaxHops int
	// Concurrent calls run at once; the plugin waits with more.
	Concurrent int
	// CallTimeout holds for calls without a deadline of their own.
	CallTimeout     time.Duration
	MaxMessageBytes int
	Logger          *slog.Logger
}

// Server is the node as one process of a plugin reaches it.
type Server struct {
	pluginv1.UnimplementedHostServer
	Options
	address string
	token   string
	places  chan struct{}
	lines   *rate.Limiter
	server  *grpc.Server
	done    chan struct{}
	once    sync.Once
}

const (
	logEntriesPerSecond = 1000
	logBurst            = 5000
	// logStreams are for Log beside the calls.
	logStreams = 16
)

// Listen serves on a new socket in dir, which only this user may enter. Close must be called.
func Listen(ctx context.Context, dir string, o Options) (*Server, error) {
	path := filepath.Join(dir, "host-"+rand.Text()[:8])
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for the plugin %q: %w", o.Plugin, err)
	}
	s := &Server{
		Options: o, address: "unix:" + path, token: rand.Text(), places: make(chan struct{}, o.Concurrent),
		lines: rate.NewLimiter(logEntriesPerSecond, logBurst), done: make(chan struct{}),
	}
	s.server = grpc.NewServer(
		grpc.UnaryInterceptor(s.authenticate),
		grpc.MaxRecvMsgSize(o.MaxMessageBytes), grpc.MaxSendMsgSize(o.MaxMessageBytes),
		grpc.MaxConcurrentStreams(uint32(o.Concurrent+logStreams)), //nolint:gosec // a setting
		grpc.WaitForHandlers(true),
	)
	pluginv1.RegisterHostServer(s.server, s)
	go func() {
		defer close(s.done)
		_ = s.server.Serve(listener) // ends by Close, which also removes the socket
	}()
	return s, nil
}

// Address is where the plugin finds the server, as a gRPC target.
func (s *Server) Address() string { return s.address }

// Token is what the plugin must present.
func (s *Server) Token() string { return s.token }

// Close ends the server and its calls, and waits for them.
func (s *Server) Close() {
	s.once.Do(s.server.Stop)
	<-s.done
}

// authenticate lets in who knows the token.
func (s *Server) authenticate(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	tokens := md.Get(pluginv1.TokenKey)
	if len(tokens) != 1 || subtle.ConstantTimeCompare([]byte(tokens[0]), []byte(s.token)) != 1 {
		return nil, status.Error(codes.Unauthenticated, "wrong token")
	}
	return handler(ctx, req)
}

var _ pluginv1.HostServer = (*Server)(nil)
