// Package node puts a node together from its parts, starts them in order and stops them in reverse. It is the only package
// that imports everything; it holds no behaviour of its own. cmd/sluice and tests import it.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/audit"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/local"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/funnel"
	"github.com/sluicehq/sluice/core/metrics"
	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/httpserver"
	"github.com/sluicehq/sluice/core/network/wsserver"
	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/elastic"
	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Options are what a node is started with.
type Options struct {
	Config *config.Config
	// ConfigFile is where the settings came from, "" for no file.
	ConfigFile string
	// Version is that of the binary.
	Version string
	Logger  *slog.Logger
	// InProcess are plugins, by id, that run in this process: for tests. Each function dials one.
	InProcess map[string]func(context.Context) (grpc.ClientConnInterface, error)
	// WrapEngine puts something between the node and its storage engine: tests inject faults with it. nil for nothing.
	WrapEngine func(storage.Engine) storage.Engine
}

// Node is a running node.
//
// Life: Start, then Stop once. Done is closed when it can serve no longer by itself.
type Node struct {
	options Options
	id      string
	started time.Time
	metrics *prometheus.Registry
	audit   *audit.Log // nil for none
	engine  storage.Engine
	// elastic is engine without what is put before it, nil when documents are not in Elasticsearch.
	elastic  *elastic.Engine
	users    *security.Service
	tokens   *auth.Service
	bus      *events.Bus
	registry *router.Registry
	funnel   *funnel.Funnel
	plugins  *pluginhost.Host
	http     *httpserver.Server
	listener net.Listener
	// starting answers until the node serves, nil afterwards.
	starting *starting
	counters *network.Metrics
	// sites are the listeners that belong to a plugin each, by its id.
	sites map[string]net.Listener
	mqtt  mqtt
	tls   encryption
	// passwords are those of the strategy local; throttle slows down guesses of them.
	passwords *local.Strategy
	throttle  *auth.Throttle
	// specifications are what the documents of each collection must be like.
	specifications *validation.Validator
	realtime       *realtime.Service
	// connections are the sockets that messages can be sent to.
	connections network.Connections
	// webSockets is nil until the node serves, and when it offers no WebSocket.
	webSockets atomic.Pointer[wsserver.Server]

	ready atomic.Bool
	// served gets what ended the server, nil after Stop.
	served chan error
	// stops are undone in reverse order.
	stops []func(context.Context) error
}

// Start builds a node and lets it serve. When a part cannot be started, those before it are stopped again and the error
// says what to do; a plugin that cannot be started is logged and left out.
func Start(ctx context.Context, o Options) (*Node, error) {
	n := &Node{
		options: o, id: "knode-" + uuid.NewString(), started: time.Now(),
		metrics: metrics.New(), registry: router.NewRegistry(), served: make(chan error, 3+len(o.Config.Plugins.Listen)),
	}
	for _, step := range []func(context.Context) error{
		n.openTLS, n.listen, n.answerMeanwhile, n.openStorage, n.openAudit, n.openSecurity, n.openValidation, n.openEvents, n.openRealtime, n.openFunnel, n.openPlugins, n.serve,
	} {
		if err := step(ctx); err != nil {
			n.auditStart(ctx, audit.Failed)
			return nil, errors.Join(err, n.Stop(ctx))
		}
	}
	n.auditStart(ctx, audit.Success)
	n.ready.Store(true)
	return n, nil
}

// Address is where the node listens, host and port.
func (n *Node) Address() string { return n.listener.Addr().String() }

// SiteAddress is where the listener of a plugin's own listens, "" when it has none.
func (n *Node) SiteAddress(plugin string) string {
	if l := n.sites[plugin]; l != nil {
		return l.Addr().String()
	}
	return ""
}

// Plugins tells how every plugin is.
func (n *Node) Plugins() []pluginhost.Status { return n.plugins.Plugins() }

// Done gets what made the node stop serving by itself.
func (n *Node) Done() <-chan error { return n.served }

// Ready is nil, or why /_ready answers 503.
func (n *Node) Ready() error {
	switch {
	case !n.ready.Load():
		return kerror.Bare(kerror.ServiceUnavailableError, "The node starts or stops.")
	case n.funnel.Overloaded():
		return kerror.APIProcessOverloaded.New()
	case n.audit.Blocking():
		return kerror.CoreFatalServiceUnavailable.New("audit log")
	}
	if n.elastic != nil {
		return n.elastic.Ready()
	}
	return nil
}

// WideOpen reports whether anonymous may do everything, so that only this machine is served.
func (n *Node) WideOpen() bool { return n.users.WideOpen() }

// Stop refuses new work with 503, lets what runs end, closes the sockets so that clients come back, and stops every part
// in reverse order. When ctx ends first, the rest is cut off. A part that takes too long is cut off earlier: requests that
// hang must not take away the time in which plugins finish and storage closes.
func (n *Node) Stop(ctx context.Context) error {
	n.ready.Store(false)
	var errs []error
	for i := len(n.stops) - 1; i >= 0; i-- {
		errs = append(errs, stopPart(ctx, n.stops[i]))
	}
	n.stops = nil
	return errors.Join(errs...)
}

// stopPart stops one part in three quarters of the time that is left, so that those after it get some.
func stopPart(ctx context.Context, stop func(context.Context) error) error {
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left-left/4)
		defer cancel()
	}
	return stop(ctx)
}

func (n *Node) onStop(stop func(context.Context) error) { n.stops = append(n.stops, stop) }

func (n *Node) listen(ctx context.Context) error {
	var err error
	if n.listener, err = n.listenOn(ctx, n.options.Config.Server.Address()); err != nil {
		return fmt.Errorf("listen: %w (%s)", err, listenAdvice(err, "--port"))
	}
	n.sites = map[string]net.Listener{}
	for id, address := range n.options.Config.Plugins.Listen {
		if n.sites[id], err = n.listenOn(ctx, address); err != nil {
			return fmt.Errorf("listen for the plugin %q (setting plugins.listen): %w", id, err)
		}
	}
	return errors.Join(n.listenMQTT(ctx), n.listenACME(ctx))
}

// listenAdvice says what to do when a port cannot be opened that is chosen with setting.
func listenAdvice(err error, setting string) string {
	if errors.Is(err, os.ErrPermission) {
		return "ports below 1024 need a right: setcap cap_net_bind_service=+ep on the binary, or AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit; or choose another with " + setting
	}
	return "another program may use the port; choose one with " + setting
}

func (n *Node) listenOn(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	n.onStop(func(context.Context) error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

func (n *Node) openEvents(context.Context) error {
	n.bus = events.NewBus(n.options.Config.Plugins.HookQueueSize, n.options.Logger)
	n.onStop(func(ctx context.Context) error { n.bus.Close(ctx); return nil })
	return nil
}

func (n *Node) openFunnel(context.Context) error {
	c := n.options.Config
	var err error
	n.funnel, err = funnel.New(funnel.Options{
		Registry: n.registry, Tokens: n.tokens, Users: n.users, Bus: n.bus, Audit: n.audit,
		Concurrent: c.Limits.ConcurrentRequests, Waiting: c.Limits.RequestsBufferSize, WarnWaiting: c.Limits.RequestsBufferWarningThreshold,
		StrictSDKVersion: c.Server.StrictSDKVersion, AcceptUnprefixed: c.Security.AuthToken.AcceptUnprefixed,
		NodeID: n.id, Dev: c.Dev, Logger: n.options.Logger, Metrics: n.metrics,
	})
	if err != nil {
		return err
	}
	return n.contribute()
}
