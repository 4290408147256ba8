package mqttserver

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// conn is one connection. The goroutine that reads owns it, from the first byte until nothing of it is left.
type conn struct {
	server *Server
	socket net.Conn
	info   *protocol.Connection
	local  bool            // it comes from this machine
	ctx    context.Context // of its requests; this type is their edge
	cancel context.CancelFunc
	out    outbox
	// stopping ends reading; draining says that what was read is answered before the connection is closed.
	stopping atomic.Bool
	draining atomic.Bool
	// slots has a value for each request that runs; requests counts them for who waits until none does.
	slots    chan struct{}
	requests sync.WaitGroup

	mu    sync.RWMutex
	heard map[string]struct{} // the topics that the client subscribed to

	// of the reader alone
	in         *bufio.Reader
	arrival    *network.Arrival // the room for the packet that is read; GiveUp is for any goroutine
	clientID   string
	silence    time.Duration // after which the connection ends
	will       *will
	unreleased map[uint16]struct{} // messages of QoS 2 that the client may still send again
	refusing   bool                // requests are answered overloaded until there is room
}

// will is published when a client is lost.
type will struct {
	topic   string
	payload []byte
}

func newConn(s *Server, socket net.Conn) *conn {
	c := &conn{
		server: s, socket: socket, in: bufio.NewReaderSize(socket, 1<<10), arrival: network.NewArrival(s.o.Unfinished),
		slots: make(chan struct{}, s.o.MaxInFlight), heard: map[string]struct{}{}, unreleased: map[uint16]struct{}{},
		out: outbox{
			socket: socket, metrics: s.o.Metrics, timeout: s.o.WriteTimeout,
			maxMessages: s.o.OutboxMessages, maxBytes: s.o.OutboxBytes,
		},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	peer := network.PeerAddr(socket.RemoteAddr().String())
	c.local = peer.IsLoopback()
	c.info = &protocol.Connection{ID: network.NewID(), Protocol: "mqtt", IPs: []string{peer.String()}, ClientIP: peer.String()}
	return c
}

func (c *conn) serve() {
	defer c.server.leave(c)
	if !c.connect() {
		c.hangUp()
		c.cancel()
		return
	}
	o := &c.server.o
	o.Metrics.MQTTOpened()
	o.Connections.Add(c)
	if o.OnOpen != nil {
		o.OnOpen(c.info)
	}
	c.read()
	c.hangUp()
	c.hearNothing()
	if c.will != nil {
		if err := c.share(c.will.topic, c.will.payload); err != nil {
			c.logEnd(err)
		}
	}
	c.stopping.Store(true) // its identifier is free, whatever still runs
	c.settle()
	o.Connections.Remove(c.info.ID)
	o.Metrics.MQTTClosed()
	if o.OnClose != nil {
		o.OnClose(c.info)
	}
}

// hangUp sends what waits and closes the socket.
func (c *conn) hangUp() {
	draining := c.draining.Load()
	if draining {
		c.requests.Wait() // ended by Abort at the latest
	}
	c.out.end()
	c.out.writers.Wait()
	if draining {
		network.Discard(c.socket, 2*c.server.o.MaxRequestBytes, closeTime)
	}
	_ = c.socket.Close() // nobody is left to be told
}

// settle gives the requests of a client that has left DisconnectDelay, and cancels what runs then.
func (c *conn) settle() {
	late := time.AfterFunc(c.server.o.DisconnectDelay, c.cancel)
	c.requests.Wait()
	late.Stop()
	c.cancel()
}

// read takes packets until the client leaves or must.
func (c *conn) read() {
	for c.await(c.silence) {
		fixed, body, err := c.packet(c.server.o.MaxRequestBytes, min(c.silence, c.server.o.MessageTimeout))
		if err == nil {
			err = c.receive(fixed, body)
		}
		if err != nil {
			c.logEnd(err)
			return
		}
	}
}

// packet reads one packet. within is the time for what follows its fixed header, whatever is left of the silence; 0 leaves the
// deadline as it is.
func (c *conn) packet(maxPayload int64, within time.Duration) (packets.FixedHeader, []byte, error) {
	fixed, err := readFixed(c.in, maxPayload)
	if err != nil {
		return fixed, nil, err
	}
	if fixed.Remaining > network.UncountedBytes {
		defer c.arrival.Done()
		timeout := cmp.Or(within, c.server.o.ConnectTimeout)
		if err := c.arrival.Take(c.ctx, int64(fixed.Remaining), timeout); err != nil {
			return fixed, nil, err
		}
	}
	if within > 0 && fixed.Remaining > c.in.Buffered() && !c.await(within) {
		return fixed, nil, errLeaves
	}
	body, err := readBody(c.in, fixed.Remaining)
	return fixed, body, err
}

// await gives the client some time for its next packet; false when no more is read.
func (c *conn) await(limit time.Duration) bool {
	_ = c.socket.SetReadDeadline(time.Now().Add(limit)) // fails on a closed connection, and so does the read
	return !c.stopping.Load()                           // whoever sets it then ends the deadline
}

// logEnd tells why a client was disconnected that did not want to.
func (c *conn) logEnd(err error) {
	var network net.Error
	if c.stopping.Load() || errors.Is(err, errLeaves) || errors.Is(err, io.EOF) || errors.As(err, &network) {
		return
	}
	c.server.o.Logger.Debug("mqtt client disconnected", "connection", c.info.ID, "client", c.info.ClientIP, "reason", err)
}

// errLeaves is what receive gives for DISCONNECT.
var errLeaves = errors.New("the client leaves")

// receive handles one packet; with an error the connection ends.
func (c *conn) receive(fixed packets.FixedHeader, body []byte) error {
	pk, err := decode(fixed, body)
	if err != nil {
		return err
	}
	switch fixed.Type {
	case packets.Publish:
		return c.publish(pk)
	case packets.Pubrel:
		delete(c.unreleased, pk.PacketID)
		c.push(acknowledgement(packets.Pubcomp, pk.PacketID))
	case packets.Subscribe:
		if code := pk.SubscribeValidate(); code != packets.CodeSuccess {
			return code
		}
		c.subscribe(pk)
	case packets.Unsubscribe:
		if code := pk.UnsubscribeValidate(); code != packets.CodeSuccess {
			return code
		}
		c.unsubscribe(pk)
	case packets.Pingreq:
		c.push(frame{head: []byte{packets.Pingresp << 4, 0}})
	case packets.Disconnect:
		c.will = nil
		return errLeaves
	}
	return nil
}

// push queues a frame; a client that is too slow for it is closed.
func (c *conn) push(f frame) bool {
	switch c.out.push(f) {
	case queued:
		return true
	case overflowed:
		c.server.o.Metrics.SlowClients.Inc()
		c.server.o.Logger.Info("slow mqtt client closed", "connection", c.info.ID, "client", c.info.ClientIP)
		network.Abort(c.socket)
	}
	return false
}

// stop ends the connection after what waits was sent. It does not wait.
func (c *conn) stop() {
	c.out.end()
	c.endReading()
}

// Drain ends the connection after what runs was answered. It does not wait.
func (c *conn) Drain() {
	c.draining.Store(true)
	c.endReading()
}

func (c *conn) endReading() {
	c.stopping.Store(true)
	c.arrival.GiveUp()
	_ = c.socket.SetReadDeadline(time.Now()) // fails on a closed connection, which is not read
}

// Abort ends everything at once.
func (c *conn) Abort() {
	c.cancel()
	network.Abort(c.socket)
}

// Info describes the connection.
func (c *conn) Info() *protocol.Connection { return c.info }

// Deliver queues a message when the client subscribed to the topic that is named like its channel; otherwise nobody hears it.
func (c *conn) Deliver(m *realtime.Message) bool {
	if !c.server.o.Notifications || !c.hears(m.Channel) {
		return !c.out.isClosed()
	}
	return c.push(publication(m.Channel, m.JSON, nil))
}

// Close ends the connection. MQTT 3.1.1 cannot tell its client why.
func (c *conn) Close(int, string) { c.stop() }

var _ network.Connection = (*conn)(nil)
