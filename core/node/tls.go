package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/network/certs"
)

// encryption is TLS on every port of the node; the zero value is a node without it.
type encryption struct {
	config *tls.Config
	acme   *certs.ACME
	// challenges is nil without server.tls.acme.httpPort.
	challenges net.Listener
}

// suffix makes https of http and wss of ws.
func (e encryption) suffix() string {
	if e.config == nil {
		return ""
	}
	return "s"
}

func (n *Node) openTLS(ctx context.Context) error {
	t := n.options.Config.Server.TLS
	if !t.Enabled() {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.MinVersion == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	if t.ClientCAFile != "" {
		authorities, err := certs.Pool(t.ClientCAFile)
		if err != nil {
			return fmt.Errorf("server.tls.clientCaFile: %w", err)
		}
		c.ClientCAs, c.ClientAuth = authorities, tls.RequireAndVerifyClientCert
	}
	n.tls.config = c
	if t.ACME.Enabled {
		return n.openACME()
	}
	return n.openCertificate(ctx)
}

// openCertificate shows the certificate of a file, whatever it holds from then on.
func (n *Node) openCertificate(ctx context.Context) error {
	t := n.options.Config.Server.TLS
	files, err := certs.Open(t.CertFile, t.KeyFile, n.options.Logger)
	if err != nil {
		return fmt.Errorf("server.tls: %w", err)
	}
	n.tls.config.GetCertificate = files.Certificate
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.background(func() { files.Watch(watching, t.ReloadInterval) }, stop)
	return nil
}

func (n *Node) openACME() error {
	c := n.options.Config.Server
	o := certs.ACMEOptions{
		Domains: c.TLS.ACME.Domains, Email: c.TLS.ACME.Email, CacheDir: c.ACMECacheDir(), DirectoryURL: c.TLS.ACME.DirectoryURL,
		Logger: n.options.Logger,
	}
	if file := c.TLS.ACME.CAFile; file != "" {
		var err error
		if o.Authorities, err = certs.Pool(file); err != nil {
			return fmt.Errorf("server.tls.acme.caFile: %w", err)
		}
	}
	n.tls.acme = certs.NewACME(o)
	n.tls.config.GetCertificate = n.tls.acme.Certificate
	n.tls.config.NextProtos = []string{certs.Protocol}
	return nil
}

func (n *Node) listenACME(ctx context.Context) error {
	c := n.options.Config.Server
	port := c.TLS.ACME.HTTPPort
	if n.tls.acme == nil || port == 0 {
		return nil
	}
	var err error
	if n.tls.challenges, err = n.listenOn(ctx, net.JoinHostPort(c.Host, strconv.Itoa(port))); err != nil {
		return fmt.Errorf("listen for challenges of ACME: %w (%s)", err, listenAdvice(err, "the setting server.tls.acme.httpPort"))
	}
	return nil
}

// serveACME answers the authority and asks it for what is missing.
func (n *Node) serveACME() {
	if n.tls.acme == nil {
		return
	}
	if n.tls.challenges != nil {
		challenges := certs.NewChallenges(n.tls.acme)
		go func() { n.served <- challenges.Serve(n.tls.challenges) }()
		n.onStop(challenges.Shutdown)
	}
	n.background(n.tls.acme.Obtain, n.tls.acme.Close)
}

// background runs work until the node stops, which stop makes it end.
func (n *Node) background(work, stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	n.onStop(func(ctx context.Context) error {
		stop()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// checkTLS finds what openTLS would refuse.
func checkTLS(t config.TLS) error {
	var errs []error
	if t.CertFile != "" {
		if _, err := certs.Open(t.CertFile, t.KeyFile, slog.New(slog.DiscardHandler)); err != nil {
			errs = append(errs, fmt.Errorf("server.tls: %w", err))
		}
	}
	for _, authorities := range []struct{ setting, file string }{
		{"server.tls.clientCaFile", t.ClientCAFile},
		{"server.tls.acme.caFile", t.ACME.CAFile},
	} {
		if authorities.file == "" {
			continue
		}
		if _, err := certs.Pool(authorities.file); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", authorities.setting, err))
		}
	}
	return errors.Join(errs...)
}
