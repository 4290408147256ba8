package wsserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

const (
	// stallTime is how long a connection with too many requests is not read; see the package.
	stallTime = time.Second
	// closeTime is how long the client has to take the close frame and to answer it.
	closeTime = time.Second
)

// conn is one connection.
type conn struct {
	server *Server
	info   *protocol.Connection
	cookie network.Cookie  // of the upgrade
	local  bool            // network.AdmitFromThisMachine let the upgrade through
	ctx    context.Context // of its requests; this type is their edge
	cancel context.CancelFunc
	ws     *websocket.Conn
	socket *socket
	out    outbox
	work   work
	pings  *time.Timer
	// arrival is the room for the message that is read.
	arrival *network.Arrival
	// started is closed when the fields above are set.
	started  chan struct{}
	closing  atomic.Bool
	draining atomic.Bool

	// of the reader alone
	deadline time.Time // until which reading was allowed last
	window   time.Time // when the current second of the rate limit began
	messages int       // in that second
	refusing bool      // requests are answered overloaded until there is room
	unread   bool      // the client is still sending what is too big
	begun    bool      // a message has begun and is not complete
	hastened bool      // its time runs
}

func newConn(s *Server, r *http.Request) *conn {
	c := &conn{
		server: s, cookie: s.o.Cookies.Read(r), local: network.AdmitFromThisMachine(r) == nil,
		arrival: network.NewArrival(s.o.Unfinished), started: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	peer := network.PeerAddr(r.RemoteAddr)
	client, ips := s.o.Proxies.Client(peer, r.Header["X-Forwarded-For"])
	c.info = &protocol.Connection{
		ID: network.NewID(), Protocol: "websocket", IPs: ips[:1], ClientIP: client,
		Verb: r.Method, URL: network.WithoutToken(r.RequestURI), Header: r.Header,
	}
	return c
}

// start begins to serve; the goroutine that it starts owns the connection.
func (c *conn) start(ws *websocket.Conn, socket *socket, compressed bool) {
	o := &c.server.o
	c.ws, c.socket = ws, socket
	c.out = outbox{
		ws: ws, socket: socket, metrics: o.Metrics, broadcaster: &c.server.broadcaster, compressed: compressed,
		maxMessages: o.OutboxMessages, maxBytes: o.OutboxBytes,
	}
	if o.DropWhenSlow {
		c.out.notice = func(dropped int) []byte { return protocol.MessagesDropped(o.NodeID, dropped).Append(nil) }
	}
	c.work = work{handle: c.handle, max: o.MaxInFlight, maxBytes: 2 * int(o.MaxRequestBytes), room: make(chan struct{}, 1)}
	ws.SetReadLimit(o.MaxRequestBytes)
	ws.SetPingHandler(func(data string) error {
		c.touch(time.Now())
		c.push(frame{op: websocket.PongMessage, data: []byte(data)})
		return nil
	})
	ws.SetPongHandler(func(string) error {
		c.touch(time.Now())
		return nil
	})
	ws.SetCloseHandler(func(code int, _ string) error {
		c.end(code, "")
		return nil
	})
	if o.SendPings {
		c.pings = time.AfterFunc(o.IdleTimeout/2, c.ping)
	}
	socket.waits = c.hasten
	close(c.started)
	o.Connections.Add(c)
	go c.serve()
}

// serve reads until the connection ends, and tidies up.
func (c *conn) serve() {
	if open := c.server.o.OnOpen; open != nil {
		open(c.info)
	}
	if c.ctx.Err() == nil { // not aborted before it began
		c.end(c.read())
	}
	c.cancel()
	c.work.drop()
	if c.pings != nil {
		c.pings.Stop()
	}
	c.out.writers.Wait() // bounded by the write deadlines
	if c.unread {
		network.Discard(c.socket.Conn, 2*c.server.o.MaxRequestBytes, closeTime)
	}
	_ = c.socket.Close() // nobody is left to be told
	c.work.goroutines.Wait()
	c.server.o.Connections.Remove(c.info.ID)
	c.server.o.Metrics.WebSocketClosed()
	if closed := c.server.o.OnClose; closed != nil {
		closed(c.info)
	}
	c.server.open.Leave(c)
}

// read takes messages until it cannot, and says how to close; code 0 closes without a word.
func (c *conn) read() (code int, reason string) {
	for {
		c.touch(time.Now())
		message, err := c.next()
		if err != nil {
			return c.readError(err)
		}
		if len(message) > 0 {
			c.receive(message)
		}
	}
}

// next waits for a message and reads it.
func (c *conn) next() ([]byte, error) {
	_, r, err := c.ws.NextReader()
	if err != nil {
		return nil, err
	}
	c.begun = true
	message, err := c.readMessage(r)
	if err != nil {
		return nil, err
	}
	c.begun, c.hastened = false, false
	return message, nil
}

// hasten gives a message that has begun MessageTimeout to be complete, however many pings come with it. It is called before
// the reader waits for bytes: most messages came as a whole with their beginning, and cost nothing.
func (c *conn) hasten() {
	if c.begun && !c.hastened {
		c.hastened = true
		c.allow(time.Now().Add(c.server.o.MessageTimeout))
		c.deadline = time.Time{} // it is not that of an idle connection
	}
}

// touch gives the client IdleTimeout again. The timer is not set for every message: a little more silence than asked for
// is nothing.
func (c *conn) touch(now time.Time) {
	idle := c.server.o.IdleTimeout
	if c.begun || c.deadline.Sub(now) > idle {
		return
	}
	c.allow(now.Add(idle + idle/8))
}

// allow lets the reader wait until then, unless the connection is closing.
func (c *conn) allow(until time.Time) {
	if c.closing.Load() {
		return
	}
	c.deadline = until
	_ = c.ws.SetReadDeadline(c.deadline) // fails on a closed connection, and so does the read
	if c.closing.Load() {                // end came in between
		c.expectEnd()
	}
}

var errTooBig = errors.New("message too big")

func (c *conn) readError(err error) (int, string) {
	var timeout net.Error // gorilla/websocket hides os.ErrDeadlineExceeded
	switch {
	case errors.Is(err, errTooBig) || errors.Is(err, websocket.ErrReadLimit):
		c.unread = true
		return closeTooBig, "message too big"
	case c.closing.Load() && errors.As(err, &timeout) && timeout.Timeout():
		network.Abort(c.socket.Conn) // it did not take the close frame
		return 0, ""
	case errors.Is(err, network.ErrUnfinished):
		c.unread = true
		return closeFailed, "too many large messages at once"
	case c.begun && errors.As(err, &timeout) && timeout.Timeout():
		return closeFailed, "the message took too long"
	case errors.As(err, &timeout) && timeout.Timeout():
		return closeFailed, "idle for too long"
	default: // the client closed, or broke the protocol and was told by the library
		return 0, ""
	}
}

var scratch = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxScratchBytes = 64 << 10

// readMessage reads one message into memory of its own size: it lives as long as its request, which may be long. The limit
// holds after decompression too. How long the message will be cannot be known, so it gets room for the longest.
func (c *conn) readMessage(r io.Reader) ([]byte, error) {
	limit := c.server.o.MaxRequestBytes
	buf := scratch.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxScratchBytes {
			buf.Reset()
			scratch.Put(buf)
		}
	}()
	n, err := buf.ReadFrom(io.LimitReader(r, network.UncountedBytes))
	if err == nil && n == network.UncountedBytes {
		defer c.arrival.Done()
		if err = c.makeRoom(limit); err == nil {
			_, err = buf.ReadFrom(io.LimitReader(r, limit+1-n))
		}
	}
	switch {
	case err != nil:
		return nil, err
	case int64(buf.Len()) > limit:
		return nil, errTooBig
	}
	return bytes.Clone(buf.Bytes()), nil
}

// makeRoom waits until there is memory for a message; the time that this takes is not the client's.
func (c *conn) makeRoom(bytes int64) error {
	err := c.arrival.Take(c.ctx, bytes, c.server.o.MessageTimeout)
	c.hastened = false
	return err
}

func (c *conn) push(f frame) bool {
	return c.pushed(c.out.push(f))
}

// pushed closes a client that is too slow for a frame.
func (c *conn) pushed(v verdict) bool {
	switch v {
	case queued, missed:
		return true
	case overflowed:
		if c.end(closeFailed, "too slow: messages are not read") {
			c.server.o.Metrics.SlowClients.Inc()
			c.server.o.Logger.Info("slow websocket client closed", "connection", c.info.ID, "client", c.info.ClientIP)
		}
	}
	return false
}

// end queues the close frame and gives the client closeTime to take it. It reports whether it was the first to do so.
func (c *conn) end(code int, reason string) bool {
	var last []byte
	if code != 0 {
		last = websocket.FormatCloseMessage(code, reason)
	}
	if !c.out.end(last) {
		return false
	}
	c.socket.hurry()
	c.closing.Store(true)
	c.arrival.GiveUp()
	c.expectEnd()
	return true
}

// expectEnd lets the reader wait no longer than closeTime for the client's close frame.
func (c *conn) expectEnd() {
	_ = c.socket.SetReadDeadline(time.Now().Add(closeTime)) // fails on a closed connection, which has ended
}

// Drain refuses new requests and closes when the last one was answered.
func (c *conn) Drain() {
	c.draining.Store(true)
	go func() {
		select {
		case <-c.started:
			c.work.drain(func() { c.end(closeGoingAway, "the node stops") })
		case <-c.ctx.Done(): // the upgrade failed
		}
	}()
}

// Abort ends everything at once.
func (c *conn) Abort() {
	c.cancel()
	select {
	case <-c.started:
		network.Abort(c.socket.Conn)
	default:
	}
}

func (c *conn) ping() {
	<-c.started
	c.push(frame{op: websocket.PingMessage})
	if !c.closing.Load() {
		c.pings.Reset(c.server.o.IdleTimeout / 2)
	}
}

// Info describes the connection.
func (c *conn) Info() *protocol.Connection { return c.info }

// Deliver queues a message.
func (c *conn) Deliver(m *realtime.Message) bool {
	return c.pushed(c.out.pushLater(frame{op: websocket.TextMessage, data: m.JSON}))
}

// Close ends the connection.
func (c *conn) Close(code int, reason string) { c.end(code, reason) }

var (
	_ network.Connection = (*conn)(nil)
	_ net.Conn           = (*socket)(nil)
)
