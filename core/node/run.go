package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/pluginhost/catalog"
)

// Check finds what Start would refuse in the settings, beyond what config.Load does: keys, certificates and pins that cannot be read.
func Check(c *config.Config) error {
	err := errors.Join(auth.CheckKey(TokenOptions(c)), checkTLS(c.Server.TLS), checkProviders(c.Security.OIDC))
	if c.Plugins.Dir != "" {
		_, lockErr := catalog.ReadLock(c.Plugins.LockPath())
		err = errors.Join(err, lockErr)
	}
	return err
}

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
	var b strings.Builder
	fmt.Fprintf(&b, "Sluice (%s) listens on http%[3]s://%[2]s and ws%[3]s://%[2]s\n", n.options.Version, n.Address(), n.tls.suffix())
	fmt.Fprintf(&b, "  data     %s\n", data)
	if n.elastic != nil {
		fmt.Fprintf(&b, "  storage  Elasticsearch at %s\n", n.elastic.Place())
	}
	for i, p := range n.Plugins() {
		label := "plugins"
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(&b, "  %-8s %s\n", label, strings.Join(strings.Fields(fmt.Sprintf("%s %s (%s)", p.ID, p.Version, p.State)), " "))
	}
	for _, id := range slices.Sorted(maps.Keys(n.sites)) {
		fmt.Fprintf(&b, "  %-8s http%s://%s\n", id, n.tls.suffix(), n.SiteAddress(id))
	}
	if address := n.MQTTAddress(); address != "" {
		fmt.Fprintf(&b, "  mqtt     %s\n", address)
	}
	if len(c.Server.TLS.ACME.Domains) > 0 {
		fmt.Fprintf(&b, "  names    %s, certified by %s\n", strings.Join(c.Server.TLS.ACME.Domains, ", "), c.Server.TLS.ACME.DirectoryURL)
	}
	if len(n.Plugins()) == 0 {
		b.WriteString("  plugins  none; name their folder with --plugins\n")
	}
	if c.Dev {
		b.WriteString("  mode     development: plugins run without a pin, errors show their causes; never in production\n")
	}
	try := "/_healthcheck"
	if n.WideOpen() {
		b.WriteString("  rights   everybody may call the API until a first administrator is made with reset; plugins may ask for a login all the same; only this machine is served\n")
		try = "/_now"
	}
	if n.tls.config == nil {
		fmt.Fprintf(&b, "Try: curl http://%s%s\n", reachable(n.Address()), try)
	} else { // whatever name the certificate is for, nobody stands between a machine and itself
		fmt.Fprintf(&b, "Try: curl --insecure https://%s%s\n", reachable(n.Address()), try)
	}
	_, _ = io.WriteString(out, b.String()) // the node serves all the same
}

// reachable is an address to call for one to listen on: all addresses include this machine's own.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}
