package certs_test

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/network/certs"
)

// What a real authority gives is tried with the whole node.

func newACME(t *testing.T, directory string) (*certs.ACME, *buffer) {
	t.Helper()
	log := &buffer{}
	a := certs.NewACME(certs.ACMEOptions{
		Domains: []string{"sluice.example.org"}, CacheDir: t.TempDir(), DirectoryURL: directory,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	t.Cleanup(a.Close)
	return a, log
}

func TestAuthorityThatFailsIsSaid(t *testing.T) {
	authority := httptest.NewServer(http.NotFoundHandler())
	defer authority.Close()
	a, log := newACME(t, authority.URL)
	a.Obtain()
	for _, want := range []string{"level=ERROR", "no certificate", "sluice.example.org", "port 443", "404"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log: %s", want, log)
		}
	}
}

// Nobody makes the node ask for certificates of other names, which authorities count.
func TestOtherNamesAreNotAskedFor(t *testing.T) {
	asked := make(chan struct{}, 1)
	authority := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
	}))
	defer authority.Close()
	a, _ := newACME(t, authority.URL)
	for _, name := range []string{"other.example.org", "a.sluice.example.org", "localhost"} {
		if _, err := a.Certificate(&tls.ClientHelloInfo{ServerName: name}); err == nil {
			t.Errorf("there is a certificate for %s", name)
		}
	}
	if len(asked) > 0 {
		t.Error("the authority was asked")
	}
}

// A stopping node does not wait for an authority that does not answer.
func TestCloseEndsObtain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, log := newACME(t, "http://"+l.Addr().String())
	done := make(chan struct{})
	go func() { defer close(done); a.Obtain() }()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	a.Close()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it still waits")
	}
	if strings.Contains(log.String(), "no certificate") {
		t.Errorf("stopping is no failure: %s", log)
	}
}
