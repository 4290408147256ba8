package wsserver

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// receive decides what happens to a message, in the goroutine that reads.
func (c *conn) receive(message []byte) {
	if c.closing.Load() {
		return
	}
	metrics := &c.server.o.Metrics.WebSocket
	metrics.Requests.Inc()
	metrics.Received.Add(float64(len(message)))
	switch {
	case !c.withinRate():
		c.refuse(&protocol.Request{Connection: c.info}, kerror.NetworkWebSocketRatelimitExceeded.New())
	case isPing(message):
		c.push(frame{op: websocket.TextMessage, data: pong})
	case c.draining.Load():
		c.refuseMessage(message, kerror.NetworkEntrypointShuttingDown.New())
	case !c.queue(message):
		c.refuseMessage(message, kerror.APIProcessOverloaded.New())
	}
}

// withinRate counts messages in windows of one second.
func (c *conn) withinRate() bool {
	limit := c.server.o.RateLimit
	if limit <= 0 {
		return true
	}
	if now := time.Now(); now.Sub(c.window) >= time.Second {
		c.window, c.messages = now, 0
	}
	c.messages++
	return c.messages <= limit
}

var (
	ping = []byte(`{"p":1}`)
	pong = []byte(`{"p":2}`)
)

// isPing recognises the ping of clients that cannot send ping frames, an object with the single key p.
func isPing(message []byte) bool {
	const longest = 32
	switch {
	case bytes.Equal(message, ping):
		return true
	case len(message) > longest || !bytes.Contains(message, []byte(`"p"`)):
		return false
	}
	compact := jsontext.Value(bytes.Clone(message))
	return compact.Compact() == nil && bytes.Equal(compact, ping)
}

// queue hands the message to those who execute, waiting for room once for stallTime.
func (c *conn) queue(message []byte) bool {
	if c.work.add(message) {
		c.refusing = false
		return true
	}
	if c.refusing {
		return false
	}
	patience := time.NewTimer(stallTime)
	defer patience.Stop()
	for {
		select {
		case <-c.work.room:
			if c.work.add(message) {
				return true
			}
		case <-patience.C:
			c.refusing = true
			return false
		case <-c.ctx.Done():
			return false
		}
	}
}

// handle executes one message; many run at a time.
func (c *conn) handle(message []byte) {
	req, err := c.decode(message)
	if err != nil {
		c.refuse(req, err)
		return
	}
	if err := c.server.o.AdmitMessage(c.local, c.info); err != nil {
		c.refuse(req, err)
		return
	}
	if err := c.server.o.Cookies.Take(c.cookie, req); err != nil {
		c.refuse(req, err)
		return
	}
	room := req.RequestID
	c.answer(c.server.o.Run(c.ctx, req), room)
}

func (c *conn) decode(message []byte) (*protocol.Request, error) {
	return network.DecodeMessage(message, c.info, kerror.NetworkWebSocketUnexpectedError)
}

// refuseMessage answers a message without executing it.
func (c *conn) refuseMessage(message []byte, err error) {
	req, decodeErr := c.decode(message)
	if decodeErr != nil {
		err = decodeErr
	}
	c.refuse(req, err)
}

// refuse answers with an error. An id that the client chose is the room of the answer, so that its promise is rejected; one
// that we made up means nothing to it and is no room.
func (c *conn) refuse(req *protocol.Request, err error) {
	room := req.RequestID
	if room == "" {
		req.RequestID = network.NewID()
	}
	c.answer(c.server.o.Fail(req, err), room)
}

func (c *conn) answer(resp *protocol.Response, room string) {
	buf := network.GetBuffer()
	buf.B = resp.Append(buf.B, room)
	resp.Answered(c.push(frame{op: websocket.TextMessage, data: buf.B, loan: buf}))
}
