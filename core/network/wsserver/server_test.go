package wsserver

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// executor runs do and answers with what it gives.
type executor func(ctx context.Context, req *protocol.Request) (any, error)

func (do executor) Execute(ctx context.Context, req *protocol.Request) *protocol.Response {
	result, err := do(ctx, req)
	resp := protocol.NewResponse(req, result, err)
	resp.Node = "node-1"
	return resp
}

func now(context.Context, *protocol.Request) (any, error) {
	return jsontext.Value(`{"now":1764000000000}`), nil
}

type gate struct{}

func (gate) WideOpen() bool { return false }
func (gate) Ready() error   { return nil }

func options(t testing.TB, do executor) Options {
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
			Executor: do, Gate: gate{}, Logger: slog.New(slog.DiscardHandler), Metrics: metrics,
			Connections: &network.Connections{}, Origins: origins, NodeID: "node-1",
			RequestTimeout: 10 * time.Second, MaxRequestBytes: 64 << 10,
			MessageTimeout: 10 * time.Second, Unfinished: network.NewUnfinished(1 << 20),
		},
		IdleTimeout: 10 * time.Second, MaxInFlight: 8, OutboxMessages: 256, OutboxBytes: 1 << 20, WriteTimeout: 5 * time.Second,
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
	h := &http.Server{Handler: s}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = h.Serve(l) // it is closed
	}()
	t.Cleanup(func() {
		_ = h.Close()
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error("shutdown:", err)
		}
	})
	return l.Addr().String(), s
}

// client is a WebSocket client that fails the test.
type client struct {
	*websocket.Conn
	t testing.TB
}

func dial(t testing.TB, address string) client {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.Dial("ws://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	if err := ws.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return client{ws, t}
}

func (c client) send(message string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		c.t.Fatal(err)
	}
}

func (c client) receive() string {
	c.t.Helper()
	_, message, err := c.ReadMessage()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(message)
}

// envelope is what the tests look at of an answer.
type envelope struct {
	RequestID string `json:"requestId"`
	Status    int    `json:"status"`
	Room      string `json:"room"`
	Error     *struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	} `json:"error"`
	Result jsontext.Value `json:"result"`
}

func (c client) answer() envelope {
	c.t.Helper()
	message := c.receive()
	var e envelope
	if err := json.Unmarshal([]byte(message), &e); err != nil {
		c.t.Fatalf("%s: %v", message, err)
	}
	return e
}

// closeCode reads until the server closes.
func (c client) closeCode() int {
	c.t.Helper()
	for {
		_, _, err := c.ReadMessage()
		if err == nil {
			continue
		}
		if ce, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // the library gives it bare
			return ce.Code
		}
		c.t.Fatal(err)
	}
}

// BenchmarkWork is decode, execute, encode without any socket.
func BenchmarkWork(b *testing.B) {
	o := options(b, now)
	c := &conn{server: New(o), info: &protocol.Connection{ID: "c"}}
	message := []byte(benchMessage)
	b.ReportAllocs()
	for b.Loop() {
		req, err := c.decode(message)
		if err != nil {
			b.Fatal(err)
		}
		buf := network.GetBuffer()
		buf.B = c.server.o.Run(context.Background(), req).Append(buf.B, req.RequestID)
		buf.Release()
	}
}

const benchMessage = `{"controller":"server","action":"now","requestId":"5c9d1f7e-3f8a-4b9e-9d53-6f2d3c0a7b11","volatile":{"sdkName":"js@7.17.1"}}`

// BenchmarkSockets compares server:now over 64 connections with 8 requests in flight each with a bare echo of the same
// bytes. The clients run in the same process and cost both the same.
func BenchmarkSockets(b *testing.B) {
	address, _ := serve(b, options(b, now))
	c := dial(b, address)
	c.send(benchMessage)
	whole := c.receive()
	b.Run("api", func(b *testing.B) { load(b, address, len(whole)) })

	up := websocket.Upgrader{WriteBufferPool: &sync.Pool{}}
	bare := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
			if ws.WriteMessage(websocket.TextMessage, []byte(whole)) != nil {
				return
			}
		}
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go bare.Serve(l)
	defer bare.Close()
	b.Run("bare", func(b *testing.B) { load(b, l.Addr().String(), len(whole)) })
}

func load(b *testing.B, address string, length int) {
	const connections, inFlight = 64, 8
	prepared, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte(benchMessage))
	if err != nil {
		b.Fatal(err)
	}
	each := max(b.N/connections, inFlight)
	clients := make([]client, connections)
	for i := range clients {
		clients[i] = dial(b, address)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() {
			for range inFlight {
				_ = c.WritePreparedMessage(prepared)
			}
			buf := make([]byte, length+1)
			for i := range each {
				if n, err := c.next(buf); err != nil || n != length {
					b.Errorf("%d bytes: %v", n, err)
					return
				}
				if i+inFlight < each {
					_ = c.WritePreparedMessage(prepared)
				}
			}
		})
	}
	all.Wait()
}

// next reads a message into buf.
func (c client) next(buf []byte) (n int, err error) {
	_, r, err := c.NextReader()
	for err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	if n > 0 {
		return n, nil
	}
	return n, err
}

// counted reads a counter.
func counted(c prometheus.Counter) float64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return -1
	}
	return m.GetCounter().GetValue()
}
