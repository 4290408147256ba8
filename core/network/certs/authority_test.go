package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// authority is Pebble, the ACME server that Let's Encrypt tests clients with.
type authority struct {
	url string
	// file holds what url is trusted by.
	file string
	// roots are what its certificates are trusted by.
	roots *x509.CertPool
}

// startAuthority looks for challenges on these ports of this machine, whatever the name is.
func startAuthority(t *testing.T, httpPort, tlsPort int) authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	silent := log.New(io.Discard, "", 0)
	dns := net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
	names, err := challtestsrv.New(challtestsrv.Config{Log: silent, DNSAddrs: []string{dns}})
	if err != nil {
		t.Fatal(err)
	}
	names.SetDefaultDNSIPv6("")
	go names.Run()
	t.Cleanup(names.Shutdown)
	store := db.NewMemoryStore()
	issuer := ca.New(silent, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	front := wfe.New(silent, store, va.New(silent, httpPort, tlsPort, true, dns, store), issuer, []string{"pebble.test"}, true, false, 1, 1)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	a := authority{url: server.URL + wfe.DirectoryPath, file: filepath.Join(t.TempDir(), "authority.pem"), roots: x509.NewCertPool()}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(issuer.GetRootCert(0).DER)
	if err != nil {
		t.Fatal(err)
	}
	a.roots.AddCert(root)
	return a
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestACME(t *testing.T) {
	const domain = "sluice.example.org"
	for name, test := range map[string]struct{ overHTTP bool }{"TLS-ALPN-01": {false}, "HTTP-01": {true}} {
		t.Run(name, func(t *testing.T) {
			port, httpPort, nowhere := freePort(t), freePort(t), freePort(t)
			a := startAuthority(t, httpPort, map[bool]int{false: port, true: nowhere}[test.overHTTP])
			cache := filepath.Join(t.TempDir(), "certificates")
			configure := func(c *config.Config) {
				c.Server.Port = port
				c.Server.TLS.ACME = config.ACME{
					Enabled: true, Domains: []string{domain}, Email: "ops@example.org", CacheDir: cache, DirectoryURL: a.url, CAFile: a.file,
				}
				if test.overHTTP {
					c.Server.TLS.ACME.HTTPPort = httpPort
				}
			}
			n := nodetest.Start(t, nodetest.Options{Configure: configure})
			n.Log.Await(t, "certificate ready")
			for _, name := range []string{domain, ""} { // who names no host gets the first
				conn, err := tls.Dial("tcp", n.Client.Address, &tls.Config{ServerName: name, RootCAs: a.roots, InsecureSkipVerify: name == ""})
				if err != nil {
					t.Fatalf("%q: %v", name, err)
				}
				if err := conn.ConnectionState().PeerCertificates[0].VerifyHostname(domain); err != nil {
					t.Error(err)
				}
				conn.Close()
			}
			if _, err := tls.Dial("tcp", n.Client.Address, &tls.Config{ServerName: "other.example.org", InsecureSkipVerify: true}); err == nil {
				t.Error("there is a certificate for another name")
			}
			ownersOnly(t, cache)
		})
	}
}

// ownersOnly checks that nobody else can read the keys.
func ownersOnly(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 2 {
		t.Fatalf("%v %v", entries, err)
	}
	paths := []string{dir}
	for _, e := range entries {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
}
