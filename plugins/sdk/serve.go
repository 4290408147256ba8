package sdk

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// Serve is the main of a plugin's executable: it serves p to the node that started the process, and returns when the node
// ends it. Started by hand it prints what the plugin is and how to use it; with the argument "manifest" it prints the
// manifest as JSON.
//
// From Start on the default loggers of log/slog and log write into the log of the node. SIGTERM is ignored, because a
// service manager sends it to the node and its plugins alike, and the node still needs them to finish its requests.
func Serve(p Plugin) {
	if os.Getenv(pluginv1.CookieName) != pluginv1.CookieValue {
		if err := about(os.Stdout, p, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM) // not Ignore, which children inherit
	go exitWithParent(os.Getppid())
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: pluginv1.HandshakeVersion, MagicCookieKey: pluginv1.CookieName, MagicCookieValue: pluginv1.CookieValue,
		},
		Plugins: plugin.PluginSet{"plugin": process{plugin: p}},
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			// The node keeps its own limit on what it sends and accepts.
			return grpc.NewServer(append(o, grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))...)
		},
		Logger: hclog.NewNullLogger(),
	})
}

// process is p in the form that go-plugin wants.
type process struct {
	plugin.NetRPCUnsupportedPlugin
	plugin Plugin
}

// GRPCServer implements plugin.GRPCPlugin.
func (s process) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	register(server, s.plugin, func(h *Host) {
		slog.SetDefault(h.Logger())
		go exitWithHost(h.conn)
	})
	return nil
}

// GRPCClient implements plugin.GRPCPlugin; the node has its own.
func (process) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("sdk: not a client")
}

// exitWithHost ends the process when the node's socket closes. The node closes it after the plugin has ended, or by dying.
func exitWithHost(conn *grpc.ClientConn) {
	conn.Connect()
	for state := conn.GetState(); ; state = conn.GetState() {
		switch state {
		case connectivity.Shutdown: // closed by this side
			return
		case connectivity.TransientFailure:
			os.Exit(1)
		case connectivity.Idle:
			conn.Connect() // a lost connection goes through here; the attempt tells
		case connectivity.Connecting, connectivity.Ready:
		}
		if !conn.WaitForStateChange(context.Background(), state) {
			return
		}
	}
}

// exitWithParent ends the process when it is handed to another parent. The kernel tells only on Linux, so it is asked.
func exitWithParent(parent int) {
	for range time.Tick(500 * time.Millisecond) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}

var _ plugin.GRPCPlugin = process{}
