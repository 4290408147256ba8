package elastic

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// guarded stands before the real Elasticsearch with TLS, takes who brings a certificate of its own and wants a header.
func guarded(t *testing.T, authorization string) *httptest.Server {
	t.Helper()
	to, err := url.Parse(server(t))
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != authorization {
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"type":"security_exception","reason":"unable to authenticate user [ann]"},"status":401}`)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(func() {
		s.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s
}

// TestCredentials: over TLS with a private authority and a certificate of the client, by password, by key, and by the id of a
// deployment in Elastic Cloud; nothing goes without.
func TestCredentials(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:secret"))
	for name, test := range map[string]struct {
		authorization string
		change        func(*Options, *httptest.Server)
		want          *kerror.Def
	}{
		"password": {basic, func(o *Options, _ *httptest.Server) { o.Username, o.Password = "ann", "secret" }, nil},
		"API key":  {"APIKey a2V5", func(o *Options, _ *httptest.Server) { o.APIKey = "a2V5" }, nil},
		"Elastic Cloud": {"APIKey a2V5", func(o *Options, s *httptest.Server) {
			o.APIKey, o.Addresses, o.CloudID = "a2V5", nil, "mine:"+base64.StdEncoding.EncodeToString([]byte("example.com$deployment$kibana"))
			o.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != "deployment.example.com:443" {
					t.Errorf("the address is %s", address)
				}
				return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
			}
		}, nil},
		"wrong password": {basic, func(o *Options, _ *httptest.Server) { o.Username, o.Password = "ann", "terces" }, kerror.ServicesStorageUnexpectedError},
		"nobody":         {basic, func(*Options, *httptest.Server) {}, kerror.ServicesStorageUnexpectedError},
		"no certificate": {"", func(o *Options, _ *httptest.Server) { o.Certificate = nil }, kerror.ServicesStorageNotConnected},
		"no authority":   {"", func(o *Options, _ *httptest.Server) { o.CACert = nil }, kerror.ServicesStorageNotConnected},
	} {
		t.Run(name, func(t *testing.T) {
			s := guarded(t, test.authorization)
			o := Options{
				Addresses: []string{s.URL}, Certificate: &s.TLS.Certificates[0],
				CACert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
			}
			test.change(&o, s)
			e, err := Open(t.Context(), o)
			if test.want != nil {
				wantErr(t, "Open", err, test.want)
				if err != nil && strings.Contains(err.Error(), "terces") {
					t.Errorf("the error tells the password: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if _, err := e.List(t.Context(), storage.Public); err != nil {
				t.Errorf("List: %v", err)
			}
		})
	}
}

// TestWrongCredentialsAreNotWaitedOut: no time makes them right.
func TestWrongCredentialsAreNotWaitedOut(t *testing.T) {
	s := guarded(t, "Basic x")
	_, err := Open(t.Context(), Options{
		Addresses: []string{s.URL}, Certificate: &s.TLS.Certificates[0], StartTimeout: time.Hour,
		CACert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
	})
	if err == nil || !strings.Contains(err.Error(), "storage.elasticsearch.apiKey") {
		t.Errorf("Open: %v", err)
	}
}

// TestReadsGoElsewhere: a read whose connection breaks is sent to another address.
func TestReadsGoElsewhere(t *testing.T) {
	direct := opened(t)
	c := fresh(t, direct)
	ensure(t, direct, c, "")
	to, err := url.Parse(server(t))
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(to)
	var mu sync.Mutex
	lost := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/_mget") {
			mu.Lock()
			defer mu.Unlock()
			lost++
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	}))
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	defer s.Close()
	e, err := Open(t.Context(), Options{Addresses: []string{s.URL, server(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for range 4 { // each address begins at some time
		_, err := e.Get(t.Context(), c, "a")
		wantErr(t, "Get", err, kerror.ServicesStorageNotFound)
	}
	mu.Lock()
	defer mu.Unlock()
	if lost == 0 {
		t.Error("no connection was broken, so that nothing was tried")
	}
}

// TestBoundedRequests: no more requests run than may; the others wait, as long as they are wanted.
func TestBoundedRequests(t *testing.T) {
	hold, arrived := make(chan struct{}), make(chan struct{}, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		if strings.HasSuffix(r.URL.Path, "/_alias/"+aliases(storage.Public, "")) {
			arrived <- struct{}{}
			<-hold
		}
		_, _ = io.WriteString(w, `{"version":{"number":"8.1.0"},"status":"green"}`)
	}))
	defer s.Close()
	e, err := Open(t.Context(), Options{Addresses: []string{s.URL}, MaxRequests: 2, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() { _, _ = e.List(t.Context(), storage.Public) })
	}
	<-arrived
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.List(ctx, storage.Public); err == nil || ctx.Err() == nil {
		t.Errorf("a third request gave %v", err)
	}
	if len(arrived) > 0 {
		t.Error("a request was sent beyond the bound")
	}
	close(hold)
	running.Wait()
}

// TestFullQueue: who waits as long as a request may take is told that there are too many, and nobody takes the server for one that
// is away.
func TestFullQueue(t *testing.T) {
	e, err := Open(t.Context(), Options{Addresses: []string{server(t)}, MaxRequests: 1, Timeout: time.Second, BreakerFailures: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	e.client.slots <- struct{}{}
	_, err = e.List(t.Context(), storage.Public)
	wantErr(t, "List", err, kerror.ServicesStorageTooManyOperations)
	if err := e.Ready(); err != nil {
		t.Errorf("Ready gives %v", err)
	}
	<-e.client.slots
	if _, err = e.List(t.Context(), storage.Public); err != nil {
		t.Errorf("List, when there is room again: %v", err)
	}
}
