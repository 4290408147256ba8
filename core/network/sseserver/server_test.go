package sseserver_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/httpserver"
	"github.com/sluicehq/sluice/core/network/sseserver"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// executor answers subscriptions; what it gets goes into seen.
type executor struct {
	result any
	err    error
	seen   chan *protocol.Request
	// answered gets what the action is told of its answer.
	answered chan bool
}

func (e executor) Execute(_ context.Context, req *protocol.Request) *protocol.Response {
	req.Reply.Answered = func(ok bool) { e.answered <- ok }
	e.seen <- req
	return protocol.NewResponse(req, e.result, e.err)
}

func subscribes(result string) executor {
	return executor{jsontext.Value(result), nil, make(chan *protocol.Request, 64), make(chan bool, 64)}
}

type gate struct{}

func (gate) WideOpen() bool { return false }
func (gate) Ready() error   { return nil }

// node is an HTTP server with streams.
type node struct {
	nodetest.Client
	sse         *sseserver.Server
	http        *httpserver.Server
	connections *network.Connections
	metrics     *network.Metrics
	log         *nodetest.Log
	// opened and closed get the ids of connections.
	opened, closed chan string
}

// serve starts one that is shut down with the test. configure changes its options; nil for none.
func serve(t testing.TB, e executor, configure func(*httpserver.Options, *sseserver.Options)) *node {
	t.Helper()
	metrics, err := network.NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	origins, err := network.NewOrigins([]string{"https://app.example"}, false)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{
		connections: &network.Connections{}, metrics: metrics, log: &nodetest.Log{},
		opened: make(chan string, 64), closed: make(chan string, 64),
	}
	base := network.Base{
		Executor: e, Gate: gate{}, Logger: slog.New(slog.NewTextHandler(n.log, nil)), Metrics: metrics,
		Connections: n.connections, Origins: origins, NodeID: "node-1",
		RequestTimeout: 10 * time.Second, MaxRequestBytes: 64 << 10,
	}
	o := httpserver.Options{
		Base: base, Unsent: network.NewUnsent(1 << 20), AllowCompression: true, MaxEncodingLayers: 3,
		MaxConnections: 100, MaxHeaderBytes: 8 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second,
	}
	so := sseserver.Options{
		Base: base, Heartbeat: time.Hour, OutboxMessages: 256, OutboxBytes: 1 << 20, WriteTimeout: 10 * time.Second,
		Subscribed: func(string) bool { return true },
		OnOpen:     func(c *protocol.Connection) { n.opened <- c.ID },
		OnClose:    func(c *protocol.Connection) { n.closed <- c.ID },
	}
	if configure != nil {
		configure(&o, &so)
	}
	n.sse = sseserver.New(so)
	o.Events = n.sse
	n.http = httpserver.New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.Client = nodetest.Client{T: t, Address: l.Addr().String()}
	served := make(chan error, 1)
	go func() { served <- n.http.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := n.http.Shutdown(ctx); err != nil {
			t.Error("shutdown:", err)
		}
		if err := <-served; err != nil {
			t.Error("serve:", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return n
}

// connection waits for the only one and gives it.
func (n *node) connection() network.Connection {
	n.T.Helper()
	c := n.connections.Get(receive(n.T, n.opened))
	if c == nil {
		n.T.Fatal("the connection is not known")
	}
	return c
}

// gone waits until the connection has been forgotten.
func (n *node) gone(id string) {
	n.T.Helper()
	if got := receive(n.T, n.closed); got != id || n.connections.Len() != 0 {
		n.T.Errorf("closed %q, want %q; %d are open", got, id, n.connections.Len())
	}
}

func receive[V any](t testing.TB, from <-chan V) V {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing happens")
		panic("unreachable")
	}
}

func message(id, data string) *realtime.Message {
	return &realtime.Message{Channel: "c", ID: id, JSON: []byte(data)}
}

func counted(c prometheus.Counter) float64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return -1
	}
	return m.GetCounter().GetValue()
}

func TestAStream(t *testing.T) {
	e := subscribes(`{"roomId":"r","channel":"c","lastMessageId":"e-7"}`)
	n := serve(t, e, nil)
	s := n.Events("index=i&collection=c&requestId=q", "Origin: https://app.example", "Accept-Encoding: gzip")
	if got := s.Next(); got.Name != "subscribed" || got.ID != "e-7" ||
		got.Data != `{"requestId":"q","status":200,"error":null,"controller":"realtime","action":"subscribe","index":"i","collection":"c","volatile":null,"result":{"roomId":"r","channel":"c","lastMessageId":"e-7"},"headers":{},"node":""}` {
		t.Errorf("%+v", got)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "",
		"Access-Control-Allow-Origin": "https://app.example", "X-Kuzzle-Request-Id": "q", "X-Kuzzle-Node": "node-1",
	} {
		if got := s.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !receive(t, e.answered) {
		t.Error("the action was told that it did not answer")
	}
	c := n.connection()
	var sent sync.WaitGroup
	sent.Go(func() {
		for range 100 {
			c.Deliver(message("e-8", `{"a":1}`))
		}
		c.Deliver(message("", "{\"a\":\r\n\t\"\\n\"}"))
	})
	for range 100 {
		if got := s.Next(); got != (nodetest.Event{Name: "message", ID: "e-8", Data: `{"a":1}`}) {
			t.Fatalf("%+v", got)
		}
	}
	if got := s.Next(); got != (nodetest.Event{Name: "message", Data: "{\"a\":  \t\"\\n\"}"}) {
		t.Errorf("%+v", got)
	}
	sent.Wait()
	s.Close()
	n.gone(c.Info().ID)
	if c.Deliver(message("", "{}")) {
		t.Error("a client that has gone takes messages")
	}
}

func TestWhatTheSubscriptionSays(t *testing.T) {
	e := subscribes(`{}`)
	n := serve(t, e, nil)
	ask := func(query string, headers ...string) *protocol.Request {
		t.Helper()
		n.Events(query, headers...).Next()
		return receive(t, e.seen)
	}
	req := ask("index=i&collection=c&jwt=secret&filter=%7B%22exists%22:%22a%22%7D&scope=in&users=all&volatile=%7B%22v%22:1%7D&lastMessageId=e-1")
	if req.Controller != "realtime" || req.Action != "subscribe" || req.Index != "i" || req.Collection != "c" || req.Token != "secret" ||
		string(req.Body) != `{"exists":"a"}` || string(req.Volatile) != `{"v":1}` ||
		string(req.Args.JSON()) != `{"scope":"in","users":"all","resumable":"true"}` {
		t.Errorf("%+v %s", req, req.Args.JSON())
	}
	first := req.Connection
	if first.Protocol != "sse" || first.URL != "/_sse?index=i&collection=c&filter=%7B%22exists%22:%22a%22%7D&scope=in&users=all&volatile=%7B%22v%22:1%7D&lastMessageId=e-1" || first.ClientIP != "127.0.0.1" {
		t.Errorf("%+v", first)
	}
	req = ask("jwt=a&lastEventId=e-2", "Authorization: Bearer b", "X-Kuzzle-Volatile: {\"v\":2}")
	if req.Token != "b" || string(req.Body) != "{}" || string(req.Volatile) != `{"v":2}` || req.Connection.ID == first.ID ||
		string(req.Args.JSON()) != `{"resumable":"true","lastMessageId":"e-2"}` {
		t.Errorf("%+v %s", req, req.Args.JSON())
	}
	if req = ask("lastEventId=e-2", "Last-Event-ID: e-3"); string(req.Args.JSON()) != `{"resumable":"true","lastMessageId":"e-3"}` {
		t.Errorf("%s", req.Args.JSON())
	}
}

// The first event lets a client that loses the connection right after it go on from where it was.
func TestHowAStreamBegins(t *testing.T) {
	for name, c := range map[string]struct {
		result, after string
		id, gap       string
	}{
		"new":                  {`{"lastMessageId":"e-7"}`, "", "e-7", ""},
		"resumed":              {`{"lastMessageId":"e-7","resumed":true}`, "e-2", "e-2", ""},
		"not resumed":          {`{"lastMessageId":"e-7","resumed":false}`, "x\"-2", "e-7", `{"lastEventId":"x\"-2"}`},
		"cannot be resumed":    {`{}`, "e-2", "", `{"lastEventId":"e-2"}`},
		"an answer of a pipe":  {`"text"`, "", "", ""},
		"a line break in ids":  {`{"lastMessageId":"e\ndata: x"}`, "", "", ""},
		"a null byte in an id": {`{"lastMessageId":"e\u0000"}`, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := serve(t, subscribes(c.result), nil)
			s := n.Events("", "Last-Event-ID: "+c.after)
			if got := s.Next(); got.Name != "subscribed" || got.ID != c.id {
				t.Errorf("%+v", got)
			}
			n.connection().Close(1011, "enough")
			rest, err := s.Rest()
			if err != nil {
				t.Error(err)
			}
			if c.gap == "" && len(rest) > 0 || c.gap != "" && (len(rest) != 1 || rest[0] != nodetest.Event{Name: "gap", ID: c.id, Data: c.gap}) {
				t.Errorf("%+v", rest)
			}
		})
	}
}

// A stream outlives the times that a whole request and a whole answer may take.
func TestAStreamLastsAndHasAHeartbeat(t *testing.T) {
	n := serve(t, subscribes(`{}`), func(o *httpserver.Options, so *sseserver.Options) {
		o.ReadTimeout, o.WriteTimeout = 500*time.Millisecond, 500*time.Millisecond
		so.Heartbeat = 100 * time.Millisecond
	})
	s := n.Events("")
	s.Next()
	c := n.connection()
	go func() {
		time.Sleep(1500 * time.Millisecond)
		c.Deliver(message("e-1", `{}`))
	}()
	if got := s.Next(); got.ID != "e-1" || s.Comments < 2 {
		t.Errorf("%+v after %d comments", got, s.Comments)
	}
}
