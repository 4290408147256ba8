package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// askTimeout bounds one request to the authority.
const askTimeout = 30 * time.Second

var errClosed = errors.New("the node stops")

// ACMEOptions is what ACME is made of; Domains, CacheDir and DirectoryURL are required.
type ACMEOptions struct {
	// Domains are the host names that certificates are for; nobody makes the node ask for one of another name.
	Domains []string
	Email   string
	// CacheDir is made when it is missing, readable by its owner only, like the files in it.
	CacheDir     string
	DirectoryURL string
	// Authorities are those that DirectoryURL is trusted by, nil for those of the system.
	Authorities *x509.CertPool
	Logger      *slog.Logger
}

// ACME has certificates of an authority. It may be used by many goroutines at once.
//
// Life: NewACME, Obtain, Close.
type ACME struct {
	o       ACMEOptions
	manager *autocert.Manager
	// closed is done after close was called.
	closed <-chan struct{}
	close  context.CancelFunc
}

// NewACME asks for nothing yet. Who makes it has accepted the authority's terms of service.
func NewACME(o ACMEOptions) *ACME {
	life, end := context.WithCancel(context.Background())
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: o.Authorities, MinVersion: tls.VersionTLS12},
		DialContext: dialUntil(life), ForceAttemptHTTP2: true, IdleConnTimeout: askTimeout,
	}
	return &ACME{o: o, closed: life.Done(), close: end, manager: &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(o.CacheDir), HostPolicy: autocert.HostWhitelist(o.Domains...), Email: o.Email,
		Client: &acme.Client{DirectoryURL: o.DirectoryURL, HTTPClient: &http.Client{Transport: transport, Timeout: askTimeout}, UserAgent: "sluice"},
	}}
}

// dialUntil dials connections that are closed when life ends: the library has no context of its own to end.
func dialUntil(life context.Context) func(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if life.Err() != nil {
			return nil, errClosed
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(life, func() { _ = conn.Close() }) // nobody waits for its answers any more
		return conn, nil
	}
}

// Protocol is what tls.Config.NextProtos must hold so that the authority can look for its challenge in a handshake.
const Protocol = acme.ALPNProto

// Certificate is tls.Config.GetCertificate. The first handshake of a name without a certificate waits for one.
func (a *ACME) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName == "" {
		named := *hello
		named.ServerName = a.o.Domains[0]
		hello = &named
	}
	return a.manager.GetCertificate(hello)
}

// Obtain gets the certificates that are missing, before a client has to wait for them, and logs what went wrong: nobody else
// says it. It ends soon after Close.
func (a *ACME) Obtain() {
	for _, domain := range a.o.Domains {
		a.obtain(domain)
	}
}

func (a *ACME) obtain(domain string) {
	cert, err := a.manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName: domain, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, // as of a client of today
	})
	select {
	case <-a.closed:
		return
	default:
	}
	if err != nil {
		a.o.Logger.Error("no certificate; it is tried again when a client asks for the host. The authority must reach this node under that name on port 443, or on port 80 with server.tls.acme.httpPort",
			"domain", domain, "authority", a.o.DirectoryURL, "error", err)
		return
	}
	a.o.Logger.Info("certificate ready", "domain", domain, "expires", cert.Leaf.NotAfter)
}

// Close asks the authority nothing more.
func (a *ACME) Close() { a.close() }
