package node_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
)

// TestElasticsearchAway: a node whose Elasticsearch ends says so at once to clients, operators and whoever balances load, and goes
// on by itself when it is back.
func TestElasticsearchAway(t *testing.T) {
	s := elastictest.Start(t)
	n := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) { onElasticsearch(c, s.URL) }})
	n.Must("POST", "/lost/_create", "")
	n.Must("PUT", "/lost/things", "")
	n.Must("POST", "/lost/things/a/_create", `{"n":1}`)
	awaitStatus(t, n, "/_ready", http.StatusOK)
	awaitHealth(t, n, "yellow") // there is one server, and every index wants a copy
	s.Do(http.MethodPut, "/_all/_settings?expand_wildcards=all", `{"index.number_of_replicas":0}`)
	awaitHealth(t, n, "green")
	wantMetrics(t, n, "sluice_elasticsearch_ready 1", "sluice_elasticsearch_outages_total 0")

	t.Run("TLS", func(t *testing.T) { throughTLS(t, s) })

	s.Kill()
	begin := time.Now()
	if a := n.HTTP("GET", "/lost/things/a", ""); a.Get("error.id") != "services.storage.not_connected" {
		t.Errorf("read: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("POST", "/lost/things/b/_create", `{}`); a.Get("error.id") != "services.storage.not_connected" {
		t.Errorf("write: %d %s", a.Status, a.Body)
	}
	if took := time.Since(begin); took > 20*time.Second { // of 30 s for one request
		t.Errorf("the errors took %s", took)
	}
	awaitStatus(t, n, "/_ready", http.StatusServiceUnavailable)
	if a := n.HTTP("GET", "/_ready", ""); !strings.Contains(a.Body, "Elasticsearch has not answered since") {
		t.Errorf("/_ready does not say why: %s", a.Body)
	}
	if a := n.HTTP("GET", "/_healthCheck", ""); a.Status != 500 || a.Get("result.services.storageEngine") != "red" {
		t.Errorf("health: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/_healthcheck", ""); a.Status != http.StatusOK { // the process lives
		t.Errorf("/_healthcheck: %d", a.Status)
	}
	wantMetrics(t, n, "sluice_elasticsearch_ready 0", "sluice_elasticsearch_outages_total 1", `sluice_elasticsearch_requests_total{outcome="failed"}`)

	n.Log.Await(t, "Elasticsearch cannot serve")
	startsWithout(t, s)
	awaitStatus(t, n, "/_ready", http.StatusOK)
	n.Log.Await(t, "Elasticsearch serves again")
	if a := n.Must("GET", "/lost/things/a", ""); a.Get("result._version") != 1.0 {
		t.Errorf("read: %s", a.Body)
	}
	n.Must("POST", "/lost/things/b/_create", `{}`)
	awaitHealth(t, n, "green")
	wantMetrics(t, n, "sluice_elasticsearch_ready 1")
}

func onElasticsearch(c *config.Config, address string) {
	c.Storage.Engine, c.Storage.Elasticsearch.Addresses = "elasticsearch", []string{address}
	c.Storage.Elasticsearch.ProbeInterval = 50 * time.Millisecond
}

// startsWithout starts nodes without Elasticsearch: one gives up, the other is there when Elasticsearch is.
func startsWithout(t *testing.T, s *elastictest.Server) {
	t.Helper()
	start := func(wait time.Duration, log *nodetest.Log) error {
		c := config.Defaults()
		onElasticsearch(c, s.URL)
		c.Dev, c.Server.Port, c.Server.DataDir, c.Storage.Elasticsearch.StartTimeout = true, 0, t.TempDir(), wait
		n, err := node.Start(t.Context(), node.Options{Config: c, Version: "test", Logger: slog.New(slog.NewTextHandler(log, nil))})
		if err == nil {
			err = n.Stop(context.WithoutCancel(t.Context()))
		}
		return err
	}
	if err := start(time.Millisecond, &nodetest.Log{}); err == nil || !strings.Contains(err.Error(), "connect to Elasticsearch at "+s.URL) {
		t.Errorf("a node without Elasticsearch: %v", err)
	}
	log, started := &nodetest.Log{}, make(chan error, 1)
	go func() { started <- start(5*time.Minute, log) }()
	log.Await(t, "waiting for Elasticsearch")
	s.Start()
	if err := <-started; err != nil {
		t.Errorf("a node that waits for Elasticsearch: %v", err)
	}
}

// throughTLS starts a node that reaches Elasticsearch by TLS alone, with a key and with a certificate of its own.
func throughTLS(t *testing.T, s *elastictest.Server) {
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(to)
	guard := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "APIKey a2V5" {
			http.Error(w, "nobody", http.StatusUnauthorized)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	guard.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	guard.StartTLS()
	t.Cleanup(guard.Close)
	key, err := x509.MarshalPKCS8PrivateKey(guard.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, kind string, bytes []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	n := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) {
		onElasticsearch(c, guard.URL)
		e := &c.Storage.Elasticsearch
		e.APIKey, e.CAFile = config.NewSecret("a2V5"), file("ca.pem", "CERTIFICATE", guard.Certificate().Raw)
		e.CertFile, e.KeyFile = e.CAFile, file("key.pem", "PRIVATE KEY", key)
	}})
	if a := n.Must("GET", "/lost/things/a", ""); a.Get("result._source.n") != 1.0 {
		t.Errorf("read: %s", a.Body)
	}
}

func awaitStatus(t *testing.T, n *nodetest.Node, path string, status int) {
	t.Helper()
	await(t, func() string {
		if a := n.HTTP("GET", path, ""); a.Status != status {
			return path + ": " + a.Body
		}
		return ""
	})
}

func awaitHealth(t *testing.T, n *nodetest.Node, color string) {
	t.Helper()
	await(t, func() string {
		if a := n.HTTP("GET", "/_healthCheck", ""); a.Get("result.status") != color || a.Get("result.services.storageEngine") != color {
			return "the health is not " + color + ": " + a.Body
		}
		return ""
	})
}

// await waits until wrong gives nothing.
func await(t *testing.T, wrong func() string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text := wrong()
		if text == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(text)
		}
	}
}

func wantMetrics(t *testing.T, n *nodetest.Node, lines ...string) {
	t.Helper()
	all := n.HTTP("GET", "/metrics", "").Body
	for _, line := range lines {
		if !strings.Contains(all, "\n"+line) {
			t.Errorf("%q is not among the metrics", line)
		}
	}
}
