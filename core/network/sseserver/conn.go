package sseserver

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

const (
	// closeTime is how long the client has to take what waits when the stream ends.
	closeTime = time.Second
	// flushBytes is how much is gathered before it is written in any case.
	flushBytes = 32 << 10
)

// conn is one stream: a connection that messages can be sent to and that sends none.
type conn struct {
	server *Server
	info   *protocol.Connection
	// wake gets a value when there is something to write or the stream has ended.
	wake chan struct{}

	mu sync.Mutex
	// control is nil before the stream is served and after it.
	control *http.ResponseController
	// until bounds all writing of a stream that ends; zero before.
	until time.Time
	// waiting are events for the client; count and bytes are those of waiting and of what is being written.
	waiting []event
	count   int
	bytes   int
	// closed says that nothing more is taken; failed, when not nil, why nothing more is sent either.
	closed bool
	failed error
}

// newConn makes req the first request of a connection of its own.
func newConn(s *Server, req *protocol.Request) *conn {
	info := *req.Connection
	info.ID, info.Protocol = network.NewID(), "sse"
	req.Connection = &info
	return &conn{server: s, info: &info, wake: make(chan struct{}, 1)}
}

// begin queues what the stream begins with.
func (c *conn) begin(resp *protocol.Response, after string) bool {
	for _, e := range opening(resp, after) {
		if !c.push(e) {
			return false
		}
	}
	return true
}

// ServeHTTP writes the stream until it ends. The headers of the answer are there.
func (c *conn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer c.server.leave(c)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // that of the request; where there are none, none ends the stream
	c.mu.Lock()
	c.control = control
	c.mu.Unlock()
	h := w.Header()
	h["Content-Type"] = []string{"text/event-stream"}
	h["X-Accel-Buffering"] = []string{"no"}
	w.WriteHeader(http.StatusOK)
	if err := c.serve(w, r); err != nil {
		if errors.Is(c.cause(), errSlow) {
			c.server.o.Logger.Info("slow sse client closed", "connection", c.info.ID, "client", c.info.ClientIP)
		}
		panic(http.ErrAbortHandler) // cuts the connection
	}
}

var (
	errCut  = errors.New("the stream was cut off")
	errSlow = errors.New("messages are not read")
)

func (c *conn) serve(w http.ResponseWriter, r *http.Request) error {
	heartbeat := time.NewTicker(c.server.o.Heartbeat)
	defer heartbeat.Stop()
	if err := c.write(w, retry()); err != nil {
		return err
	}
	var batch []event
	for {
		var open bool
		if batch, open = c.next(batch); len(batch) > 0 {
			if err := c.send(w, batch); err != nil {
				return err
			}
			continue
		}
		if !open {
			return c.cause() // nil when it just ends
		}
		select {
		case <-c.wake:
		case <-heartbeat.C:
			if !c.server.o.Subscribed(c.info.ID) {
				c.Drain()
			}
			if err := c.write(w, []byte(":\n\n")); err != nil {
				return err
			}
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
}

// retry tells the client how long to wait before it comes back: not all at the same time when a node has stopped.
func retry() []byte {
	const least, spread = 1000, 2000                                            // milliseconds
	text := strconv.AppendInt([]byte("retry: "), least+rand.Int64N(spread), 10) //nolint:gosec // no secret
	return append(text, "\n\n"...)
}

// next takes all that waits, after done was sent; open says that more may come.
func (c *conn) next(done []event) (batch []event, open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range done {
		c.count--
		c.bytes -= len(e.data)
	}
	clear(done)
	batch = c.waiting
	if c.waiting = done[:0]; cap(done) > maxKeptEvents {
		c.waiting = nil
	}
	return batch, !c.closed
}

// maxKeptEvents is the capacity that the queue of an idle stream keeps.
const maxKeptEvents = 8

// send writes events and makes sure that they leave.
func (c *conn) send(w http.ResponseWriter, batch []event) error {
	buf := network.GetBuffer()
	defer buf.Release()
	for _, e := range batch {
		buf.B = e.append(buf.B)
		if len(buf.B) < flushBytes {
			continue
		}
		if err := c.write(w, buf.B); err != nil {
			return err
		}
		buf.B = buf.B[:0]
	}
	return c.write(w, buf.B)
}

func (c *conn) write(w http.ResponseWriter, p []byte) error {
	if err := c.mayWrite(); err != nil {
		return err
	}
	if _, err := w.Write(p); err != nil {
		return err
	}
	c.server.o.Metrics.HTTP.Sent.Add(float64(len(p)))
	return c.control.Flush()
}

// mayWrite gives the client its time to take what is written next.
func (c *conn) mayWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return c.failed
	}
	deadline := time.Now().Add(c.server.o.WriteTimeout)
	if !c.until.IsZero() && c.until.Before(deadline) {
		deadline = c.until
	}
	_ = c.control.SetWriteDeadline(deadline) // fails on a closed connection, and so does the write
	return nil
}

// cause says why the stream is cut off, nil when it is not.
func (c *conn) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// push queues an event and never waits. A client that is too slow for it is cut off.
func (c *conn) push(e event) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.server.o
	switch {
	case c.closed:
		o.Metrics.Dropped.Inc()
		return false
	case c.count > 0 && (c.count >= o.OutboxMessages || c.bytes+len(e.data) > o.OutboxBytes):
		o.Metrics.Dropped.Inc()
		o.Metrics.SlowClients.Inc()
		c.cutLocked(errSlow)
		return false
	}
	c.waiting = append(c.waiting, e)
	c.count++
	c.bytes += len(e.data)
	c.wakeLocked()
	return true
}

func (c *conn) wakeLocked() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Drain lets the stream end when what waits was sent.
func (c *conn) Drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.hurryLocked(closeTime)
}

// hurryLocked bounds what is being written, and every later write.
func (c *conn) hurryLocked(left time.Duration) {
	c.until = time.Now().Add(left)
	if c.control != nil {
		_ = c.control.SetWriteDeadline(c.until) // fails on a closed connection, which needs no hurry
	}
	c.wakeLocked()
}

// Abort ends the stream at once.
func (c *conn) Abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutLocked(errCut)
}

func (c *conn) cutLocked(cause error) {
	c.server.o.Metrics.Dropped.Add(float64(len(c.waiting)))
	for _, e := range c.waiting {
		c.count--
		c.bytes -= len(e.data)
	}
	c.waiting = nil
	c.closed, c.failed = true, cause
	c.hurryLocked(0)
}

// forget lets go of the HTTP connection: its server owns it again.
func (c *conn) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed, c.control = true, nil
}

// Info describes the connection.
func (c *conn) Info() *protocol.Connection { return c.info }

// Deliver queues a message. A notice of the node is the last one: it says that what the stream was for has ended.
func (c *conn) Deliver(m *realtime.Message) bool {
	queued := c.push(event{id: m.ID, data: m.JSON})
	if m.Channel == protocol.ServerNotificationRoom {
		c.Drain()
	}
	return queued
}

// Close ends the stream after what was queued. There is no way to tell code and reason: the client comes back, and goes away
// for good when it is refused then.
func (c *conn) Close(int, string) { c.Drain() }

var _ network.Connection = (*conn)(nil)
