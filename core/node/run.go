package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Run runs a node until ctx ends, and tells out where it is, where its data lives, which plugins it started and what to
// try. It returns when everything has stopped, or server.shutdownTimeout later.
func Run(ctx context.Context, o Options, out io.Writer) error {
	n, err := Start(ctx, o)
	if err != nil {
		return err
	}
	n.greet(out)
	var ended error
	select {
	case <-ctx.Done():
		o.Logger.Info("stopping: running requests may end", "timeout", o.Config.Server.ShutdownTimeout)
	case ended = <-n.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Config.Server.ShutdownTimeout)
	defer cancel()
	return errors.Join(ended, n.Stop(stopping))
}

func (n *Node) greet(out io.Writer) {
	c := n.options.Config
	data, err := filepath.Abs(c.Server.DataDir)
	if err != nil {
		data = c.Server.DataDir
	}
	address := strings.Replace(n.Address(), "[::]", "127.0.0.1", 1)
	var b strings.Builder
	fmt.Fprintf(&b, "Sluice %s listens on http://%s and ws://%s\n", n.options.Version, address, address)
	fmt.Fprintf(&b, "  data     %s\n", data)
	for i, p := range n.Plugins() {
		label := "plugins"
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(&b, "  %-8s %s %s (%s)\n", label, p.ID, p.Version, p.State)
	}
	if len(n.Plugins()) == 0 {
		b.WriteString("  plugins  none; name their folder with --plugins\n")
	}
	if n.WideOpen() {
		b.WriteString("  rights   everybody may do everything until a first administrator is made with reset; only this machine is served\n")
	}
	fmt.Fprintf(&b, "Try: curl http://%s/_now\n", address)
	_, _ = io.WriteString(out, b.String()) // the node serves all the same
}
