package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
)

// benchNode is a node in a process of its own, which everybody on this machine may use.
type benchNode struct {
	address string
	process *exec.Cmd
	dir     string
}

// listens finds the address in what a node says first.
var listens = regexp.MustCompile(`listens on (http://\S+)`)

// startBenchNode starts a node with a folder of its own in parent.
func startBenchNode(ctx context.Context, parent string) (*benchNode, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "sluice-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the node: %w", err)
	}
	n := &benchNode{dir: dir, process: exec.CommandContext(ctx, program, "serve", "--dev", "--port", "0", "--data", dir, "--log-level", "error")} //nolint:gosec // this program
	out, err := n.process.StdoutPipe()
	if err == nil {
		err = n.process.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a node: %w", err), os.RemoveAll(dir))
	}
	first, err := bufio.NewReader(out).ReadString('\n')
	if found := listens.FindStringSubmatch(first); found != nil {
		n.address = found[1]
		return n, nil
	}
	return nil, errors.Join(fmt.Errorf("the node did not start; it said %q", first), err, n.stop())
}

// stop ends the node and removes its data.
func (n *benchNode) stop() error {
	_ = n.process.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	_ = n.process.Wait()
	return os.RemoveAll(n.dir)
}
