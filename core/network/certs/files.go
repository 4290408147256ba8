package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Files is a certificate and its key in two files. It may be used by many goroutines at once, but for Watch.
//
// Life: Open, then Watch in a goroutine of its own for as long as the certificate is shown.
type Files struct {
	certFile, keyFile string
	logger            *slog.Logger
	current           atomic.Pointer[tls.Certificate]
	// seen is what was read last, whether it is in use or not: what is wrong is said once.
	seen pair
}

// pair is the content of both files, or the error of reading them.
type pair struct {
	cert, key []byte
	err       error
}

func (p pair) same(other pair) bool {
	return bytes.Equal(p.cert, other.cert) && bytes.Equal(p.key, other.key) && (p.err == nil) == (other.err == nil)
}

// Open reads both files. A certificate that has expired is no error, as clients may be told to bear it; it is logged.
func Open(certFile, keyFile string, logger *slog.Logger) (*Files, error) {
	f := &Files{certFile: certFile, keyFile: keyFile, logger: logger, seen: readPair(certFile, keyFile)}
	cert, err := f.seen.certificate()
	if err != nil {
		return nil, fmt.Errorf("certificate %s with the key %s: %w", certFile, keyFile, err)
	}
	f.use(cert)
	return f, nil
}

// Certificate is tls.Config.GetCertificate.
func (f *Files) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.current.Load(), nil
}

// Watch looks at both files until ctx ends, and uses what they hold once they have changed and fit together. Otherwise the
// certificate in use stays, which is also what happens between the replacing of one file and of the other.
func (f *Files) Watch(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.look()
		}
	}
}

// look compares contents, not times: files come from links, mounts and copies that keep the time of others.
func (f *Files) look() {
	now := readPair(f.certFile, f.keyFile)
	if now.same(f.seen) {
		return
	}
	f.seen = now
	cert, err := now.certificate()
	if err != nil {
		f.logger.Error("the new certificate is not used, the old one stays", "certFile", f.certFile, "keyFile", f.keyFile, "error", err)
		return
	}
	f.use(cert)
	f.logger.Info("certificate changed", "certFile", f.certFile, "names", cert.Leaf.DNSNames, "expires", cert.Leaf.NotAfter)
}

func (f *Files) use(cert *tls.Certificate) {
	f.current.Store(cert)
	if now := time.Now(); now.After(cert.Leaf.NotAfter) {
		f.logger.Warn("the certificate has expired: clients refuse it; put a new one into its place", "certFile", f.certFile, "expired", cert.Leaf.NotAfter)
	} else if now.Before(cert.Leaf.NotBefore) {
		f.logger.Warn("the certificate is not valid yet: clients refuse it; look at the clock of this machine", "certFile", f.certFile, "from", cert.Leaf.NotBefore)
	}
}

func readPair(certFile, keyFile string) pair {
	cert, certErr := os.ReadFile(certFile) //nolint:gosec // the operator names the file
	key, keyErr := os.ReadFile(keyFile)    //nolint:gosec // the operator names the file
	return pair{cert, key, errors.Join(certErr, keyErr)}
}

func (p pair) certificate() (*tls.Certificate, error) {
	if p.err != nil {
		return nil, p.err
	}
	cert, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, err
	}
	return &cert, nil
}
