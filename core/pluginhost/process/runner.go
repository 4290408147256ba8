package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// pipeGrace is how long the pipes of a dead process are still read; a child that left the group may hold them open.
const pipeGrace = 200 * time.Millisecond

// maxHandshakeBytes bounds the line that precedes everything.
const maxHandshakeBytes = 4 << 10

var handshakePattern = regexp.MustCompile(`^\d+\|\d+\|(unix|tcp)\|[^|]+\|`)

// group runs a command as the leader of a process group; it is the runner that go-plugin drives.
type group struct {
	cmd    *exec.Cmd
	output *Output

	stdout, stderr       *os.File       // read ends of the process's own
	handshake, nothing   *io.PipeReader // what go-plugin reads in their place
	toHandshake, toStdio *io.PipeWriter
	readers              sync.WaitGroup

	// exited is closed when the process is reaped; then waitErr says how it ended.
	exited  chan struct{}
	waitErr error

	mu              sync.Mutex
	started, reaped bool
	// greeting is the first line on stdout when it was no handshake.
	greeting string
}

func newGroup(cmd *exec.Cmd, output *Output) *group {
	g := &group{cmd: cmd, output: output, exited: make(chan struct{})}
	g.handshake, g.toHandshake = io.Pipe()
	g.nothing, g.toStdio = io.Pipe()
	return g
}

// Start implements runner.Runner.
func (g *group) Start(context.Context) error {
	stdout, stdoutEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	stderr, stderrEnd, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdout.Close(), stdoutEnd.Close())
	}
	g.stdout, g.stderr = stdout, stderr
	g.cmd.Stdin, g.cmd.Stdout, g.cmd.Stderr = nil, stdoutEnd, stderrEnd
	g.cmd.SysProcAttr = ownGroup()
	spawned := make(chan error, 1)
	go g.live(spawned)
	err = <-spawned
	_ = stdoutEnd.Close() // the process has its own
	_ = stderrEnd.Close()
	if err != nil {
		return errors.Join(err, stdout.Close(), stderr.Close(), g.toHandshake.Close(), g.toStdio.Close())
	}
	g.mu.Lock()
	g.started = true
	g.mu.Unlock()
	g.readers.Go(g.readStdout)
	g.readers.Go(g.readStderr)
	return nil
}

// live spawns the process and stays on its thread until it is dead: the kernel takes the end of the thread for the end of
// the node.
func (g *group) live(spawned chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := g.cmd.Start(); err != nil {
		spawned <- err
		return
	}
	spawned <- nil
	g.reap()
	deadline := time.Now().Add(pipeGrace)
	_ = g.stdout.SetReadDeadline(deadline)
	_ = g.stderr.SetReadDeadline(deadline)
	close(g.exited)
}

// reap waits for the end of the process and takes its children with it.
func (g *group) reap() {
	pid := g.cmd.Process.Pid
	if waitWithoutReaping(pid) { // the number of the group stays taken until Wait
		g.mu.Lock()
		defer g.mu.Unlock()
		killGroup(pid)
		g.waitErr, g.reaped = g.cmd.Wait(), true
		return
	}
	err := g.cmd.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	killGroup(pid)
	g.waitErr, g.reaped = err, true
}

// readStdout hands the first line to go-plugin and the rest to the output. go-plugin by itself would stop reading at a long
// line, and the plugin would block.
func (g *group) readStdout() {
	defer g.stdout.Close() //nolint:errcheck // read only
	r := bufio.NewReader(g.stdout)
	line, err := firstLine(r, maxHandshakeBytes)
	if err == nil && handshakePattern.MatchString(line) {
		_, _ = io.WriteString(g.toHandshake, line)
	} else {
		g.mu.Lock()
		g.greeting = line
		g.mu.Unlock()
		_ = g.toHandshake.Close() // ends the start at once
	}
	g.output.stdout().drain(r)
	_ = g.toHandshake.Close()
}

func (g *group) readStderr() {
	defer g.stderr.Close() //nolint:errcheck // read only
	g.output.stderr().drain(g.stderr)
	_ = g.toStdio.Close()
}

// Wait implements runner.AttachedRunner: it returns when the process has ended.
func (g *group) Wait(context.Context) error {
	<-g.exited
	g.readers.Wait()
	return g.waitErr
}

// Kill implements runner.AttachedRunner: it kills the process and its children.
func (g *group) Kill(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.started && !g.reaped {
		killGroup(g.cmd.Process.Pid)
	}
	return nil
}

// endsWithin reports whether the process ends by itself.
func (g *group) endsWithin(d time.Duration) bool {
	select {
	case <-g.exited:
		return true
	case <-time.After(d):
		return false
	}
}

// greeted gives what the process wrote in place of the handshake.
func (g *group) greeted() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.greeting
}

// Stdout implements runner.Runner.
func (g *group) Stdout() io.ReadCloser { return g.handshake }

// Stderr implements runner.Runner: nothing, until the process is gone. The lines went to the output.
func (g *group) Stderr() io.ReadCloser { return g.nothing }

// Name implements runner.Runner.
func (g *group) Name() string { return g.cmd.Path }

// ID implements runner.AttachedRunner. It is "" before the start, as go-plugin expects.
func (g *group) ID() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.started {
		return ""
	}
	return strconv.Itoa(g.cmd.Process.Pid)
}

// Diagnose implements runner.Runner.
func (g *group) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.AddrTranslator: both see the same files.
func (g *group) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("the plugin listens on %s; only unix sockets are accepted", network)
	}
	return network, address, nil
}

// HostToPlugin implements runner.AddrTranslator.
func (g *group) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

var _ runner.Runner = (*group)(nil)
