package httpserver

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// executor answers with what it was asked, unless do says otherwise.
type executor struct {
	do func(ctx context.Context, req *protocol.Request) (any, error)
}

func (e executor) Execute(ctx context.Context, req *protocol.Request) *protocol.Response {
	do := e.do
	if do == nil {
		do = echo
	}
	result, err := do(ctx, req)
	resp := protocol.NewResponse(req, result, err)
	resp.Node = "node-1"
	return resp
}

// seen is what the action saw of a request.
type seen struct {
	Index      string         `json:"index,omitempty"`
	Collection string         `json:"collection,omitempty"`
	ID         string         `json:"_id,omitempty"`
	Token      string         `json:"token,omitempty"`
	Args       jsontext.Value `json:"args"`
	Body       jsontext.Value `json:"body"`
}

func echo(_ context.Context, req *protocol.Request) (any, error) {
	body := req.Body
	if body == nil {
		body = jsontext.Value("null")
	}
	return seen{req.Index, req.Collection, req.ID, req.Token, req.Args.JSON(), body}, nil
}

type gate struct {
	wideOpen bool
	notReady error
}

func (g gate) WideOpen() bool { return g.wideOpen }
func (g gate) Ready() error   { return g.notReady }

func routes(t testing.TB) func() *router.Snapshot {
	t.Helper()
	registry := router.NewRegistry()
	nothing := func(context.Context, *protocol.Request) (any, error) { return nil, nil }
	err := registry.Set(router.Contribution{Owner: "test", Actions: []router.Action{
		{Controller: "server", Name: "info", Handler: nothing, Routes: []router.Route{{Verb: "GET", Path: "/"}}},
		{Controller: "server", Name: "now", Handler: nothing, Routes: []router.Route{{Verb: "GET", Path: "/_now"}}},
		{Controller: "server", Name: "healthCheck", Handler: nothing, Routes: []router.Route{{Verb: "GET", Path: "/_healthCheck"}}},
		{Controller: "document", Name: "get", Handler: nothing, Routes: []router.Route{{Verb: "GET", Path: "/:index/:collection/:_id"}}},
		{Controller: "document", Name: "create", Handler: nothing, Routes: []router.Route{{Verb: "POST", Path: "/:index/:collection/_create"}}},
		{Controller: "Old/user", Name: "check", Handler: nothing, Profile: protocol.KuzzleV1, Routes: []router.Route{{Verb: "POST", Path: "/_plugin/Old/check"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return registry.Current
}

func options(t testing.TB) Options {
	t.Helper()
	metrics, err := network.NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	origins, err := network.NewOrigins([]string{"https://app.example"}, false)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Base: network.Base{
			Executor: executor{}, Gate: gate{}, Logger: slog.New(slog.DiscardHandler), Metrics: metrics,
			Connections: &network.Connections{}, Origins: origins, NodeID: "node-1",
			Proxies:        network.Proxies{netip.MustParsePrefix("127.0.0.0/8")},
			RequestTimeout: 10 * time.Second, MaxRequestBytes: 64 << 10,
		},
		Routes: routes(t), Unsent: network.NewUnsent(64 << 20), AllowMethods: "GET,POST", AllowHeaders: "Content-Type", AllowCompression: true, MaxEncodingLayers: 3,
		MaxConnections: 100, MaxHeaderBytes: 8 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second,
	}
}

// serve starts a server and gives its address; it is shut down with the test.
func serve(t testing.TB, o Options) (address string, s *Server) {
	t.Helper()
	s = New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error("shutdown:", err)
		}
		if err := <-served; err != nil {
			t.Error("serve:", err)
		}
	})
	return l.Addr().String(), s
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// field reads one key of the envelope as it came.
func (a answer) field(t testing.TB, path ...string) string {
	t.Helper()
	value := jsontext.Value(a.body)
	for _, key := range path {
		var members map[string]jsontext.Value
		if err := json.Unmarshal(value, &members); err != nil {
			t.Fatalf("%v in %s: %v", path, a.body, err)
		}
		value = members[key]
	}
	return strings.Trim(string(value), `"`)
}

// do sends one request byte for byte, without any client's own ideas, and reads one answer.
func do(t testing.TB, address, raw string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(conn, raw) // the server may answer, and close, before it has read everything
	return read(t, bufio.NewReader(conn), raw)
}

func read(t testing.TB, r *bufio.Reader, raw string) answer {
	t.Helper()
	verb, _, _ := strings.Cut(raw, " ")
	resp, err := http.ReadResponse(r, &http.Request{Method: verb})
	if err != nil {
		t.Fatalf("%.100q: %v", raw, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%.100q: %v", raw, err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// request writes a request of HTTP/1.1. Headers are lines; a body gets its length.
func request(line, body string, headers ...string) string {
	raw := line + " HTTP/1.1\r\nHost: localhost\r\n"
	for _, h := range headers {
		raw += h + "\r\n"
	}
	if body != "" {
		raw += "Content-Length: " + itoa(len(body)) + "\r\n"
	}
	return raw + "\r\n" + body
}

// counted reads a counter.
func counted(c prometheus.Counter) float64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return -1
	}
	return m.GetCounter().GetValue()
}
