package wsserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// byAction answers at once, waits, or fails, as the action asks.
func byAction(ctx context.Context, req *protocol.Request) (any, error) {
	switch req.Action {
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "panic":
		panic("secret detail")
	case "raw":
		req.Reply.Raw = true
		return `{"a":1}`, nil
	case "large":
		return strings.Repeat("x", 32<<10), nil
	}
	return req.Args.JSON(), nil
}

func TestMessages(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	for name, c := range map[string]struct {
		message  string
		status   int
		errorID  string
		id, room string // "?" for any
	}{
		"request":            {`{"requestId":"r","controller":"a","action":"b","x":1}`, 200, "", "r", "r"},
		"without id":         {`{"controller":"a","action":"b"}`, 200, "", "?", "?"},
		"no JSON":            {`{"requestId":"r"`, 400, "network.websocket.unexpected_error", "?", ""},
		"no object":          {`["requestId"]`, 400, "network.websocket.unexpected_error", "?", ""},
		"blank":              {` `, 400, "network.websocket.unexpected_error", "?", ""},
		"two objects":        {`{"requestId":"r"}{}`, 400, "network.websocket.unexpected_error", "?", ""},
		"duplicate":          {`{"requestId":"r","requestId":"s"}`, 400, "network.websocket.unexpected_error", "?", ""},
		"invalid UTF-8":      {"{\"requestId\":\"r\",\"x\":\"\xff\"}", 400, "network.websocket.unexpected_error", "?", ""},
		"too deep":           {`{"requestId":"r","x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, 400, "network.websocket.unexpected_error", "?", ""},
		"type, id first":     {`{"requestId":"r","controller":5}`, 400, "", "r", "r"},
		"type, id last":      {`{"body":"x","requestId":"r"}`, 400, "", "r", "r"},
		"id of a wrong type": {`{"requestId":5,"controller":"a"}`, 400, "", "?", ""},
		"panic":              {`{"requestId":"r","action":"panic"}`, 500, "core.fatal.unexpected_error", "r", "r"},
		"like a ping":        {`{"p":1,"requestId":"r"}`, 200, "", "r", "r"},
		"like a ping, two":   {`{"p":2}`, 200, "", "?", "?"},
	} {
		t.Run(name, func(t *testing.T) {
			ws := dial(t, address)
			if err := ws.WriteMessage(websocket.BinaryMessage, []byte(c.message)); err != nil {
				t.Fatal(err)
			}
			e := ws.answer()
			if e.Status != c.status || (e.Error != nil) != (c.status != 200) || e.Error != nil && (e.Error.ID != c.errorID || strings.Contains(e.Error.Message, "secret")) {
				t.Errorf("%+v %+v", e, e.Error)
			}
			if c.id == "?" && len(e.RequestID) != 36 || c.id != "?" && e.RequestID != c.id {
				t.Errorf("request id %q", e.RequestID)
			}
			if c.room == "?" && e.Room != e.RequestID || c.room != "?" && e.Room != c.room {
				t.Errorf("room %q", e.Room)
			}
		})
	}
}

func TestRawHasRoom(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	c := dial(t, address)
	c.send(`{"requestId":"r","action":"raw"}`)
	if got := c.receive(); got != `{"a":1,"room":"r"}` {
		t.Error(got)
	}
}

func TestPing(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	c := dial(t, address)
	for _, p := range []string{`{"p":1}`, ` { "p" : 1 } `} {
		c.send(p)
		if got := c.receive(); got != `{"p":2}` {
			t.Errorf("%s: %s", p, got)
		}
	}
	c.send("") // ignored
	c.send(`{"p":1}`)
	if got := c.receive(); got != `{"p":2}` {
		t.Error(got)
	}
}

// Pings are answered while as many requests as may hang, and one that is too much is refused.
func TestPingWhileRequestsHang(t *testing.T) {
	o := options(t, byAction)
	address, _ := serve(t, o)
	c := dial(t, address)
	for range 2*o.MaxInFlight + 1 {
		c.send(`{"requestId":"r","action":"hang"}`)
	}
	pongs := make(chan string, 1)
	c.SetPongHandler(func(data string) error {
		pongs <- data
		return nil
	})
	if err := c.WriteControl(websocket.PingMessage, []byte("hello"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	c.send(`{"p":1}`)
	if e := c.answer(); e.Status != 503 || e.Error.ID != "api.process.overloaded" || e.Room != "r" {
		t.Errorf("%+v", e)
	}
	if got := c.receive(); got != `{"p":2}` {
		t.Error(got)
	}
	if got := <-pongs; got != "hello" {
		t.Error(got)
	}
}

// A request that waits is executed when another one ends, whatever still hangs.
func TestRequestsRunAtOnceUpToMaxInFlight(t *testing.T) {
	var running, most atomic.Int32
	o := options(t, func(context.Context, *protocol.Request) (any, error) {
		n := running.Add(1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return nil, nil
	})
	address, _ := serve(t, o)
	c := dial(t, address)
	go func() {
		for range 200 {
			_ = c.WriteMessage(websocket.TextMessage, []byte(`{"requestId":"r"}`))
		}
	}()
	for range 200 {
		if e := c.answer(); e.Status != 200 {
			t.Fatalf("%+v", e.Error)
		}
	}
	if n := most.Load(); n < 2 || int(n) > o.MaxInFlight {
		t.Errorf("%d requests ran at once", n)
	}
}

func TestRateLimit(t *testing.T) {
	o := options(t, byAction)
	o.RateLimit = 2
	address, _ := serve(t, o)
	c := dial(t, address)
	for range 3 {
		c.send(`{"requestId":"r"}`)
	}
	refused := 0
	for range 3 {
		if e := c.answer(); e.Status == 429 {
			refused++
			if e.Error.ID != "network.websocket.ratelimit_exceeded" || e.Room != "" || len(e.RequestID) != 36 {
				t.Errorf("%+v", e)
			}
		}
	}
	if refused == 0 { // the window may end between two messages, but not twice
		t.Error("nothing was refused")
	}
}

func TestSubprotocolAndPath(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	d := websocket.Dialer{Subprotocols: []string{"one", "two"}}
	ws, resp, err := d.Dial("ws://"+address+"/any/path?x=y", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	resp.Body.Close()
	if ws.Subprotocol() != "one" {
		t.Errorf("sub-protocol %q", ws.Subprotocol())
	}
}

func TestOrigin(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	for origin, want := range map[string]int{"": 101, "https://app.example": 101, "https://evil.example": 403} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		ws, resp, err := websocket.DefaultDialer.Dial("ws://"+address, header)
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%q: %v %v", origin, resp, err)
		}
		if err == nil {
			ws.Close()
		}
	}
}

// A connection that is older than the wide open node does no more than one that came later.
func TestWideOpenAfterTheUpgrade(t *testing.T) {
	o := options(t, byAction)
	opened := &switchedGate{}
	o.Gate = opened
	address, _ := serve(t, o)
	for name, c := range map[string]struct {
		header http.Header
		status int
	}{
		"this machine":     {nil, 200},
		"another machine":  {http.Header{"X-Forwarded-For": {"192.0.2.1"}}, 401},
		"another host":     {http.Header{"Host": {"node.example"}}, 401},
		"a page elsewhere": {http.Header{"Origin": {"https://app.example"}}, 401},
	} {
		opened.wideOpen.Store(false)
		ws, resp, err := websocket.DefaultDialer.Dial("ws://"+address, c.header)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
		resp.Body.Close()
		for range 2 {
			for wideOpen, want := range map[bool]int{false: 200, true: c.status} {
				opened.wideOpen.Store(wideOpen)
				client{ws, t}.send(`{"requestId":"r"}`)
				e := client{ws, t}.answer()
				if e.Status != want || e.Room != "r" || want == 401 && e.Error.ID != "api.process.unauthorized_origin" {
					t.Errorf("%s, wide open %v: %+v", name, wideOpen, e)
				}
			}
		}
	}
}

type switchedGate struct{ wideOpen atomic.Bool }

func (g *switchedGate) WideOpen() bool { return g.wideOpen.Load() }
func (g *switchedGate) Ready() error   { return nil }

func TestURLHasNoToken(t *testing.T) {
	urls := make(chan string, 1)
	address, _ := serve(t, options(t, func(_ context.Context, req *protocol.Request) (any, error) {
		urls <- req.Connection.URL
		return nil, nil
	}))
	c := dial(t, address+"/path?%6awt=secret&a=b&jwt=secret")
	c.send(`{"requestId":"r"}`)
	if got := <-urls; got != "/path?a=b" {
		t.Error(got)
	}
}

func TestTooLargeMessage(t *testing.T) {
	for name, compression := range map[string]bool{"plain": false, "compressed": true} {
		t.Run(name, func(t *testing.T) {
			o := options(t, byAction)
			o.Compression = compression
			address, _ := serve(t, o)
			d := websocket.Dialer{EnableCompression: compression}
			ws, resp, err := d.Dial("ws://"+address, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			resp.Body.Close()
			c := client{ws, t}
			c.send(`{"requestId":"r"}`)
			if e := c.answer(); e.Status != 200 {
				t.Errorf("%+v", e)
			}
			c.send(strings.Repeat(" ", int(o.MaxRequestBytes)+1))
			if code := c.closeCode(); code != websocket.CloseMessageTooBig {
				t.Errorf("closed with %d", code)
			}
		})
	}
}

func TestIdle(t *testing.T) {
	o := options(t, byAction)
	o.IdleTimeout = 50 * time.Millisecond
	address, _ := serve(t, o)
	if code := dial(t, address).closeCode(); code != websocket.CloseInternalServerErr {
		t.Errorf("closed with %d", code)
	}
}

// With server pings a client that answers them stays; the library answers while it reads.
func TestServerPings(t *testing.T) {
	o := options(t, byAction)
	o.IdleTimeout, o.SendPings = 50*time.Millisecond, true
	address, _ := serve(t, o)
	c := dial(t, address)
	pings := 0
	answer := c.PingHandler()
	c.SetPingHandler(func(data string) error {
		if pings++; pings == 5 {
			c.send(`{"p":1}`)
		}
		return answer(data)
	})
	if got := c.receive(); got != `{"p":2}` {
		t.Error(got)
	}
}

func TestCloseIsEchoed(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	c := dial(t, address)
	if err := c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "bye"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if code := c.closeCode(); code != 4001 {
		t.Errorf("closed with %d", code)
	}
}

func TestMaskedProtocolErrorCloses(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	c := dial(t, address)
	if _, err := c.NetConn().Write([]byte{0x81, 0x01, 'x'}); err != nil { // a client must mask
		t.Fatal(err)
	}
	if code := c.closeCode(); code != websocket.CloseProtocolError {
		t.Errorf("closed with %d", code)
	}
}

func TestClientThatGoesCancels(t *testing.T) {
	started, cancelled := make(chan struct{}), make(chan error, 1)
	address, _ := serve(t, options(t, func(ctx context.Context, _ *protocol.Request) (any, error) {
		close(started)
		<-ctx.Done()
		cancelled <- ctx.Err()
		return nil, nil
	}))
	c := dial(t, address)
	c.send(`{}`)
	<-started
	c.Close()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
}

// A client that asks and does not read is closed, and others do not notice.
func TestSlowReader(t *testing.T) {
	o := options(t, byAction)
	o.OutboxMessages, o.OutboxBytes = 16, 128<<10
	closed := make(chan struct{})
	o.OnClose = func(*protocol.Connection) { close(closed) }
	address, _ := serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return conn, nil }}
	slow, resp, err := d.Dial("ws://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for slow.WriteMessage(websocket.TextMessage, []byte(`{"action":"large"}`)) == nil {
		runtime.Gosched()
	}
	<-closed
	if n := counted(o.Metrics.SlowClients); n != 1 {
		t.Errorf("%v slow clients", n)
	}
	if n := counted(o.Metrics.Dropped); n == 0 {
		t.Error("nothing was dropped")
	}
}

// A slow client that reads after all finds code 1011 behind what was sent.
func TestSlowReaderIsToldWhy(t *testing.T) {
	o := options(t, byAction)
	o.OutboxMessages = 1
	slow := make(chan network.Connection, 1)
	o.OnOpen = func(info *protocol.Connection) { slow <- o.Connections.Get(info.ID) }
	address, _ := serve(t, o)
	c := dial(t, address)
	conn := <-slow
	for conn.Deliver(&realtime.Message{JSON: []byte(`{"big":"` + strings.Repeat("x", 100<<10) + `"}`)}) {
		runtime.Gosched()
	}
	if code := c.closeCode(); code != websocket.CloseInternalServerErr {
		t.Errorf("closed with %d", code)
	}
}

func TestSendAndClose(t *testing.T) {
	o := options(t, byAction)
	opened, closed := make(chan *protocol.Connection, 1), make(chan *protocol.Connection, 1)
	o.OnOpen = func(c *protocol.Connection) { opened <- c }
	o.OnClose = func(c *protocol.Connection) { closed <- c }
	address, _ := serve(t, o)
	c := dial(t, address)
	info := <-opened
	conn := o.Connections.Get(info.ID)
	if info.Protocol != "websocket" || info.ClientIP != "127.0.0.1" || conn.Info() != info {
		t.Errorf("%+v", info)
	}
	for range 100 {
		if !conn.Deliver(&realtime.Message{JSON: []byte(`{"room":"channel"}`)}) {
			t.Fatal("not sent")
		}
	}
	for range 100 {
		if got := c.receive(); got != `{"room":"channel"}` {
			t.Fatal(got)
		}
	}
	conn.Close(4000, "enough")
	conn.Close(4001, "only the first counts")
	if code := c.closeCode(); code != 4000 {
		t.Errorf("closed with %d", code)
	}
	if got := <-closed; got != info {
		t.Errorf("closed %+v", got)
	}
	if conn.Deliver(&realtime.Message{JSON: []byte(`{}`)}) || o.Connections.Get(info.ID) != nil || o.Connections.Len() != 0 {
		t.Error("the connection is still there")
	}
}

func TestShutdown(t *testing.T) {
	running, end := make(chan struct{}), make(chan struct{})
	o := options(t, func(_ context.Context, req *protocol.Request) (any, error) {
		if req.RequestID == "r" {
			close(running)
			<-end
		}
		return "done", nil
	})
	address, s := serve(t, o)
	idle, busy := dial(t, address), dial(t, address)
	busy.send(`{"requestId":"r"}`)
	<-running
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	if code := idle.closeCode(); code != websocket.CloseServiceRestart {
		t.Errorf("idle closed with %d", code)
	}
	for { // connections learn of it one after the other
		busy.send(`{"requestId":"late"}`)
		e := busy.answer()
		if e.RequestID == "late" && e.Status == 200 {
			continue
		}
		if e.RequestID != "late" || e.Status != 503 || e.Error.ID != "network.entrypoint.shutting_down" {
			t.Errorf("%+v", e)
		}
		break
	}
	if _, resp, err := websocket.DefaultDialer.Dial("ws://"+address, nil); resp == nil || resp.StatusCode != 503 {
		t.Errorf("new connection: %v %v", resp, err)
	}
	close(end)
	if e := busy.answer(); string(e.Result) != `"done"` || e.Room != "r" {
		t.Errorf("%+v", e)
	}
	if code := busy.closeCode(); code != websocket.CloseServiceRestart {
		t.Errorf("busy closed with %d", code)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsOff(t *testing.T) {
	address, s := serve(t, options(t, byAction))
	c := dial(t, address)
	c.send(`{"action":"hang"}`)
	c.send(`{"p":1}`)
	c.receive()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	for { // the answer of the cancelled request may have gone out before
		_, message, err := c.ReadMessage()
		if err != nil {
			break
		}
		if bytes.Contains(message, []byte(`"status":200`)) {
			t.Errorf("still served: %s", message)
		}
	}
}

// A client that is to be kept loses notifications, and learns of it when it reads again.
func TestSlowReaderIsKept(t *testing.T) {
	o := options(t, byAction)
	o.DropWhenSlow, o.OutboxMessages = true, 4
	opened := make(chan network.Connection, 1)
	o.OnOpen = func(info *protocol.Connection) { opened <- o.Connections.Get(info.ID) }
	address, _ := serve(t, o)
	c := dial(t, address)
	conn := <-opened
	sent := 0
	for ; counted(o.Metrics.Dropped) < 10; sent++ {
		if !conn.Deliver(&realtime.Message{JSON: []byte(`{"big":"` + strings.Repeat("x", 100<<10) + `"}`)}) {
			t.Fatal("closed")
		}
	}
	received, told := 0, 0
	for received+told < sent {
		var notice protocol.Notification
		message := c.receive()
		if err := json.Unmarshal([]byte(message), &notice); err != nil {
			t.Fatal(err)
		}
		if notice.Type == "" {
			received++
			continue
		}
		var dropped int
		if _, err := fmt.Sscan(notice.Message, &dropped); err != nil || notice.Type != "MessagesDropped" || notice.Room != protocol.ServerNotificationRoom {
			t.Fatalf("%s: %v", message, err)
		}
		told += dropped
	}
	if received+told != sent || told != int(counted(o.Metrics.Dropped)) {
		t.Errorf("%d of %d received, told of %d", received, sent, told)
	}
	c.send(`{"requestId":"r"}`)
	if got := c.receive(); !strings.Contains(got, `"requestId":"r"`) {
		t.Error(got)
	}
}
