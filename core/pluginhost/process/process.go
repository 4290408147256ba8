package process

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// Spec says what to run and how.
type Spec struct {
	// Path is the private copy of the executable. It runs in the folder of that file.
	Path string
	// Sum is the SHA-256 that the file must have at every start.
	Sum [sha256.Size]byte
	// SocketDir is a folder that only this user may enter, with a short path: addresses of sockets end at 104 bytes.
	SocketDir string
	// StartTimeout is the time until the handshake.
	StartTimeout time.Duration
	// Output takes what the process prints.
	Output *Output
}

// Process is a running plugin. It is safe for concurrent use.
//
// Its life: Start has read the handshake; Done closes when the process has ended, by itself or through Stop. Stop must be
// called in either case: it waits until everything that belongs to the process is gone.
type Process struct {
	client *plugin.Client
	group  *group
	conn   *grpc.ClientConn
}

// killGrace is the time a plugin has between the request to exit and the kill.
const killGrace = time.Second

// Start runs the executable. Its errors say what the operator or the author can do. When ctx ends during the start the
// process is killed.
func Start(ctx context.Context, s Spec) (*Process, error) {
	// A hash.Hash remembers what it read, so each start has its own.
	secure := plugin.SecureConfig{Checksum: s.Sum[:], Hash: sha256.New()}
	if same, err := secure.Check(s.Path); err != nil {
		return nil, fmt.Errorf("hash %s: %w", s.Path, err)
	} else if !same {
		return nil, fmt.Errorf("%s has changed since it was copied: somebody writes into the data folder", s.Path)
	}
	cmd := exec.Command(s.Path) //nolint:gosec,noctx // the operator pinned the file; the group is killed, not the process alone
	cmd.Dir = filepath.Dir(s.Path)
	g := newGroup(cmd, s.Output)
	p := &Process{group: g, client: plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: pluginv1.HandshakeVersion, MagicCookieKey: pluginv1.CookieName, MagicCookieValue: pluginv1.CookieValue,
		},
		Plugins: plugin.PluginSet{"plugin": connection{}},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			cmd.Env = append(environment(), spec.Env...) // spec.Env names the folder for the socket
			return g, nil
		},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		StartTimeout:     s.StartTimeout,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: s.SocketDir},
		SyncStdout:       s.Output.stdout(),
		SyncStderr:       s.Output.stderr(),
		Logger:           hclog.NewNullLogger(),
		GRPCDialOptions: []grpc.DialOption{
			// The bridge keeps the limits: it can say which setting is meant.
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)),
			grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithIdleTimeout(0),
		},
	})}
	stop := context.AfterFunc(ctx, func() { _ = g.Kill(ctx) })
	defer stop()
	began := time.Now()
	conn, err := p.connect()
	if err != nil {
		err = p.startError(ctx, s, err, time.Since(began))
		p.Stop() //nolint:contextcheck // the process goes, whether ctx is over or not
		return nil, err
	}
	p.conn = conn
	return p, nil
}

func (p *Process) connect() (*grpc.ClientConn, error) {
	client, err := p.client.Client()
	if err != nil {
		return nil, err
	}
	dispensed, err := client.Dispense("plugin")
	if err != nil {
		return nil, err
	}
	return dispensed.(*grpc.ClientConn), nil //nolint:forcetypeassert // connection gives nothing else
}

// startError says in our words why a plugin did not start, and ends what is left of it.
func (p *Process) startError(ctx context.Context, s Spec, err error, took time.Duration) error {
	if p.group.ID() == "" {
		if errors.Is(err, os.ErrPermission) {
			return fmt.Errorf("%w: is the data folder on a file system that forbids execution (noexec)?", err)
		}
		return fmt.Errorf("%w: is the file built for this system (GOOS, GOARCH)?", err)
	}
	ended := p.group.endsWithin(pipeGrace)
	_ = p.group.Kill(ctx)
	_ = p.group.Wait(ctx)
	greeting := p.group.greeted()
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("the start was given up: %w", context.Cause(ctx))
	case greeting != "":
		return fmt.Errorf("it wrote %q to stdout in place of the handshake: before a plugin is served, stdout must stay silent; write to stderr", cut(greeting))
	case ctx.Err() != nil || took >= s.StartTimeout:
		return fmt.Errorf("no handshake within %s (setting plugins.startTimeout)%s", s.StartTimeout, p.lastWords(s))
	case ended:
		return fmt.Errorf("it ended before the handshake (%s)%s", exitText(p.group.waitErr), p.lastWords(s))
	}
	return err
}

func (p *Process) lastWords(s Spec) string {
	if tail := s.Output.Tail(); len(tail) > 0 {
		return "; last line of stderr: " + tail[len(tail)-1]
	}
	return ""
}

// Conn is the connection to the plugin's services. It is closed by Stop.
func (p *Process) Conn() grpc.ClientConnInterface { return p.conn }

// PID is the number of the process.
func (p *Process) PID() int { return p.group.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.group.exited }

// Exit says how the process ended; it is to be called after Done.
func (p *Process) Exit() error { return errors.New(exitText(p.group.waitErr)) }

// Stop asks the process to exit, kills it with its children after a second, and waits until it is gone.
func (p *Process) Stop() {
	if p.group.ID() == "" {
		return
	}
	kill := time.AfterFunc(killGrace, func() { _ = p.group.Kill(context.Background()) })
	defer kill.Stop()
	p.client.Kill()
	_ = p.group.Kill(context.Background())
	<-p.group.exited
}

// Kill ends the process at once. Stop is still to be called.
func (p *Process) Kill() { _ = p.group.Kill(context.Background()) }

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

func cut(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// environment is all that a plugin sees of the node's: what programs need to find other programs, certificates and the time.
func environment() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for _, name := range []string{"TZ", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// connection gives the bare gRPC connection; the services are made on it elsewhere.
type connection struct{ plugin.NetRPCUnsupportedPlugin }

// GRPCServer implements plugin.GRPCPlugin; the plugin has its own.
func (connection) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("process: not a server")
}

// GRPCClient implements plugin.GRPCPlugin.
func (connection) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

var _ plugin.GRPCPlugin = connection{}
