package sseserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/httpserver"
	"github.com/sluicehq/sluice/core/network/sseserver"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestRefusals(t *testing.T) {
	e := subscribes(`{}`)
	e.err = kerror.SecurityRightsForbidden.New("realtime", "subscribe", "-1")
	n := serve(t, e, nil)
	for name, c := range map[string]struct {
		query   string
		headers []string
		status  int
		id      string
	}{
		"by the action":   {"index=i", nil, 403, "security.rights.forbidden"},
		"no JSON":         {"filter=%7B", nil, 400, "api.assert.invalid_type"},
		"no object":       {"filter=[]", nil, 400, "api.assert.invalid_type"},
		"an empty filter": {"filter=", nil, 400, "api.assert.invalid_type"},
		"two filters":     {"filter=%7B%7D&filter=%7B%7D", nil, 400, "api.assert.invalid_type"},
		"too deep":        {"filter=%7B%22and%22:" + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "%7D", nil, 400, "api.assert.invalid_type"},
		"two ids":         {"lastEventId=a&lastEventId=b", nil, 400, "api.assert.invalid_type"},
		"volatile":        {"volatile=1", nil, 400, "network.http.volatile_parse_failed"},
		"origin":          {"", []string{"Origin: https://evil.example"}, 401, "api.process.unauthorized_origin"},
	} {
		t.Run(name, func(t *testing.T) {
			s := n.Events(c.query, c.headers...)
			if got := s.Refusal; got.Status != c.status || got.Get("error.id") != c.id || got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	if len(e.seen) != 1 || receive(t, e.answered) {
		t.Errorf("%d requests were executed", len(e.seen))
	}
	n.gone(receive(t, n.opened))
	if l := n.log.String(); l != "" {
		t.Error(l)
	}
}

func TestOtherVerbs(t *testing.T) {
	n := serve(t, subscribes(`{}`), nil)
	for _, verb := range []string{"HEAD", "POST", "PUT", "DELETE"} {
		if a := n.HTTP(verb, "/_sse?index=i", ""); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, OPTIONS" {
			t.Errorf("%s: %d %v %s", verb, a.Status, a.Header, a.Body)
		}
	}
	if a := n.HTTP("OPTIONS", "/_sse", ""); a.Status != 200 || len(n.opened) > 0 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

// Whoever ends a connection by its id lets it take what was queued before.
func TestClosedByTheNode(t *testing.T) {
	n := serve(t, subscribes(`{}`), nil)
	s := n.Events("")
	s.Next()
	c := n.connection()
	for i := range 50 {
		c.Deliver(message(fmt.Sprint(i), "{}"))
	}
	c.Close(1011, "the token has ended")
	if c.Deliver(message("late", "{}")) {
		t.Error("a closed connection takes messages")
	}
	c.Close(1011, "again")
	rest, err := s.Rest()
	if err != nil || len(rest) != 50 || rest[49].ID != "49" {
		t.Errorf("%d events, then %v", len(rest), err)
	}
	n.gone(c.Info().ID)
	if got := counted(n.metrics.Dropped); got != 1 {
		t.Errorf("%v messages were dropped", got)
	}
}

func TestANoticeOfTheNodeIsTheLastMessage(t *testing.T) {
	n := serve(t, subscribes(`{}`), nil)
	s := n.Events("")
	s.Next()
	c := n.connection()
	if !c.Deliver(&realtime.Message{Channel: protocol.ServerNotificationRoom, JSON: []byte(`{"type":"TokenExpired"}`)}) || c.Deliver(message("late", "{}")) {
		t.Error("the notice was refused, or what came after it was not")
	}
	if rest, err := s.Rest(); err != nil || len(rest) != 1 || rest[0].Data != `{"type":"TokenExpired"}` {
		t.Errorf("%v, then %v", rest, err)
	}
}

// Whatever took the subscription away, a stream without one does not stay.
func TestAStreamWithoutSubscriptionEnds(t *testing.T) {
	var gone atomic.Bool
	n := serve(t, subscribes(`{}`), func(_ *httpserver.Options, so *sseserver.Options) {
		so.Heartbeat = 10 * time.Millisecond
		so.Subscribed = func(string) bool { return !gone.Load() }
	})
	s := n.Events("")
	s.Next()
	c := n.connection()
	c.Deliver(message("e-1", "{}"))
	if got := s.Next(); got.ID != "e-1" {
		t.Errorf("%+v", got)
	}
	gone.Store(true)
	if rest, err := s.Rest(); err != nil || len(rest) > 0 {
		t.Errorf("%v, then %v", rest, err)
	}
	n.gone(c.Info().ID)
}

func TestAClosedConnectionDoesNotBegin(t *testing.T) {
	closing := closer{subscribes(`{}`), &network.Connections{}}
	n := serve(t, closing.executor, func(o *httpserver.Options, so *sseserver.Options) {
		so.Executor, so.Connections = closing, closing.connections
	})
	if rest, err := n.Events("").Rest(); err != nil || len(rest) > 0 {
		t.Errorf("%v, then %v", rest, err)
	}
	if receive(t, closing.answered) {
		t.Error("the action was told that it answered")
	}
	receive(t, n.closed)
}

// closer ends the connection while it subscribes.
type closer struct {
	executor
	connections *network.Connections
}

func (c closer) Execute(ctx context.Context, req *protocol.Request) *protocol.Response {
	resp := c.executor.Execute(ctx, req)
	c.connections.Get(req.Connection.ID).Close(1011, "")
	return resp
}

// dial opens a stream on a socket with a small buffer.
func (n *node) dial() net.Conn {
	n.T.Helper()
	conn, err := net.Dial("tcp", n.Address)
	if err != nil {
		n.T.Fatal(err)
	}
	n.T.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		n.T.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /_sse HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		n.T.Fatal(err)
	}
	return conn
}

var large = `"` + strings.Repeat("x", 64<<10) + `"`

func TestASlowClientIsCutOff(t *testing.T) {
	e := subscribes(`{}`)
	n := serve(t, e, func(_ *httpserver.Options, so *sseserver.Options) { so.WriteTimeout = time.Hour })
	n.dial() // and reads nothing
	c := n.connection()
	receive(t, e.answered) // nothing was delivered before
	for deadline := time.Now().Add(20 * time.Second); c.Deliver(message("", large)); {
		if time.Now().After(deadline) {
			t.Fatal("it takes everything")
		}
	}
	n.gone(c.Info().ID)
	n.log.Await(t, "slow sse client closed")
	if counted(n.metrics.SlowClients) != 1 || counted(n.metrics.Dropped) < 1 {
		t.Errorf("%v slow clients, %v messages dropped", counted(n.metrics.SlowClients), counted(n.metrics.Dropped))
	}
}

func TestOneMessageMayBeLargerThanTheOutbox(t *testing.T) {
	n := serve(t, subscribes(`{}`), func(_ *httpserver.Options, so *sseserver.Options) {
		so.OutboxBytes, so.Heartbeat = 1000, 10*time.Millisecond
	})
	conn := n.dial()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // a closed connection shows in the read
	lines := bufio.NewReader(conn)
	await := func(line string) {
		t.Helper()
		for {
			got, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(got) == line {
				return
			}
		}
	}
	await(":") // nothing waits then
	if !n.connection().Deliver(message("", large)) {
		t.Error("it was refused")
	}
	await("data: " + large)
}

func TestWhoTakesNothingInTimeIsCutOff(t *testing.T) {
	n := serve(t, subscribes(`{}`), func(_ *httpserver.Options, so *sseserver.Options) {
		so.WriteTimeout, so.OutboxMessages, so.OutboxBytes = 50*time.Millisecond, 1<<20, 1<<30
	})
	n.dial() // and reads nothing
	c := n.connection()
	for deadline := time.Now().Add(20 * time.Second); c.Deliver(message("", large)); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it waits for ever")
		}
	}
	n.gone(c.Info().ID)
}

func TestConnectionsAreCounted(t *testing.T) {
	n := serve(t, subscribes(`{}`), func(o *httpserver.Options, _ *sseserver.Options) { o.MaxConnections = 1 })
	n.Events("").Next()
	conn, err := net.Dial("tcp", n.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second connection: %v", err)
	}
	if got := counted(n.metrics.Refused); got != 1 {
		t.Errorf("%v were refused", got)
	}
}

func TestShutdownEndsStreams(t *testing.T) {
	n := serve(t, subscribes(`{}`), nil)
	s := n.Events("")
	s.Next()
	c := n.connection()
	c.Deliver(message("last", "{}"))
	if err := n.sse.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	n.gone(c.Info().ID)
	if rest, err := s.Rest(); err != nil || len(rest) != 1 || rest[0].ID != "last" {
		t.Errorf("%v, then %v", rest, err)
	}
	if got := n.Events("").Refusal; got.Status != 503 || got.Get("error.id") != "network.entrypoint.shutting_down" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestShutdownWaitsForNobodyWhoDoesNotRead(t *testing.T) {
	n := serve(t, subscribes(`{}`), func(_ *httpserver.Options, so *sseserver.Options) {
		so.WriteTimeout, so.OutboxMessages, so.OutboxBytes = time.Hour, 1<<20, 1<<30
	})
	n.dial() // and reads nothing
	c := n.connection()
	for range 200 {
		c.Deliver(message("", large))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.sse.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	n.gone(c.Info().ID)
}

// FuzzEvents writes a stream and reads it as a browser does: the same events come out, whatever is in them.
func FuzzEvents(f *testing.F) {
	f.Add(`{"a":1}`, "e-1", "e-2")
	f.Add("{\r\n\"a\":\t\"\\u2028\"}", "e\n-1", "data: x\rid")
	f.Add(`"\\n: "`, "", "\u2028")
	f.Fuzz(func(t *testing.T, data, id, after string) {
		quoted, err := jsontext.AppendQuote(nil, id)
		if err != nil || !jsontext.Value(data).IsValid() {
			return
		}
		metrics, err := network.NewMetrics(prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		connections := &network.Connections{}
		e := subscribes(`{"lastMessageId":` + string(quoted) + `}`)
		s := sseserver.New(sseserver.Options{
			Base:      network.Base{Executor: e, Connections: connections, Metrics: metrics, RequestTimeout: time.Minute},
			Heartbeat: time.Hour, OutboxMessages: 10, OutboxBytes: 1 << 20, WriteTimeout: time.Minute,
		})
		r := httptest.NewRequest(http.MethodGet, "/_sse", nil)
		r.Header["Last-Event-Id"] = []string{after}
		stream, resp := s.Open(r, &protocol.Request{Connection: &protocol.Connection{}, Args: protocol.TextArgs()})
		if stream == nil {
			t.Fatalf("%+v", resp.Error)
		}
		c := connections.Get((<-e.seen).Connection.ID)
		c.Deliver(message("e-9", data))
		c.Close(1000, "")
		w := httptest.NewRecorder()
		stream.ServeHTTP(w, r)
		want := []string{"subscribed"}
		if after != "" {
			want = append(want, "gap")
		}
		want = append(want, "message")
		var last nodetest.Event
		body := bufio.NewReader(w.Body)
		for _, name := range want {
			for last = (nodetest.Event{}); last == (nodetest.Event{}); { // the block with retry has no data
				if last, _, err = nodetest.ReadEvent(body); err != nil {
					t.Fatal(err)
				}
			}
			if last.Name != name || !jsontext.Value(last.Data).IsValid() {
				t.Fatalf("%+v, want %s", last, name)
			}
		}
		got, sent := jsontext.Value(last.Data), jsontext.Value(data)
		if got.Compact() != nil || sent.Compact() != nil || string(got) != string(sent) || last.ID != "e-9" || body.Buffered() > 0 {
			t.Errorf("%q came as %q with %d bytes behind", data, last.Data, body.Buffered())
		}
	})
}
