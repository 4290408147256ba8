package mqttserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/mochi-mqtt/server/v2/packets"
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

// byAction echoes, waits, fails or is large, as the action asks.
func byAction(ctx context.Context, req *protocol.Request) (any, error) {
	switch req.Action {
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "panic":
		panic("secret detail")
	case "large":
		return strings.Repeat("x", 64<<10), nil
	}
	return req.Args.JSON(), nil
}

// gate is a node that is wide open or not.
type gate struct{ wideOpen atomic.Bool }

func (g *gate) WideOpen() bool { return g.wideOpen.Load() }
func (g *gate) Ready() error   { return nil }

func options(t testing.TB, do executor) Options {
	t.Helper()
	metrics, err := network.NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Base: network.Base{
			Executor: do, Gate: &gate{}, Logger: slog.New(slog.DiscardHandler), Metrics: metrics,
			Connections: &network.Connections{}, NodeID: "node-1", RequestTimeout: 10 * time.Second, MaxRequestBytes: 128 << 10,
			MessageTimeout: 10 * time.Second, Unfinished: network.NewUnfinished(1 << 20),
		},
		RequestTopic: "Kuzzle/request", ResponseTopic: "Kuzzle/response", Notifications: true,
		DisconnectDelay: 10 * time.Second, MaxConnections: 100, MaxSubscriptions: 8, MaxInFlight: 4,
		OutboxMessages: 64, OutboxBytes: 1 << 20,
		WriteTimeout: 5 * time.Second, ConnectTimeout: 5 * time.Second, IdleTimeout: 10 * time.Second,
	}
}

// serve starts a server and gives its address; it is shut down with the test.
func serve(t testing.TB, o Options) (address string, s *Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l.Addr().String(), serveOn(t, o, l)
}

func serveOn(t testing.TB, o Options, l net.Listener) *Server {
	t.Helper()
	s := New(o)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		all := s.open.All()
		if err := s.Shutdown(ctx); err != nil {
			t.Error("shutdown:", err)
		}
		if err := <-served; err != nil {
			t.Error("serve:", err)
		}
		for _, c := range all {
			if o.Connections.Get(c.info.ID) != nil {
				t.Error("a connection is still known")
			}
		}
		if len(s.topics.subscribers) != 0 || len(s.clients) != 0 {
			t.Errorf("left behind: %v, %v", s.topics.subscribers, s.clients)
		}
	})
	return s
}

// client is a client that writes any bytes it likes.
type client struct {
	net.Conn
	t  testing.TB
	in *bufio.Reader
}

// open connects without a word.
func open(t testing.TB, address string) *client {
	t.Helper()
	socket, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	if err := socket.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{socket, t, bufio.NewReader(socket)}
}

// dial connects and subscribes to topics.
func dial(t testing.TB, address string, topics ...string) *client {
	t.Helper()
	c := open(t, address)
	c.send(connect(""))
	c.expect("20020000")
	if len(topics) > 0 {
		c.subscribe(topics...)
	}
	return c
}

// connect is CONNECT with clean session, and a change of it.
func connect(id string, change ...func(*packets.Packet)) packets.Packet {
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 4, Connect: packets.ConnectParams{
		ProtocolName: []byte("MQTT"), Clean: true, Keepalive: 60, ClientIdentifier: id,
	}}
	for _, do := range change {
		do(&pk)
	}
	return pk
}

func message(topic, payload string, qos byte) packets.Packet {
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos}, TopicName: topic, Payload: []byte(payload)}
	if qos > 0 {
		pk.PacketID = 7
	}
	return pk
}

func request(payload string) packets.Packet { return message("Kuzzle/request", payload, 0) }

// encode gives the bytes of a packet.
func encode(t testing.TB, pk packets.Packet) []byte {
	t.Helper()
	var b bytes.Buffer
	if pk.ProtocolVersion == 0 {
		pk.ProtocolVersion = 4
	}
	var err error
	switch pk.FixedHeader.Type {
	case packets.Connect:
		err = pk.ConnectEncode(&b)
	case packets.Publish:
		err = pk.PublishEncode(&b)
	case packets.Subscribe:
		pk.FixedHeader.Qos = 1
		err = pk.SubscribeEncode(&b)
	case packets.Unsubscribe:
		pk.FixedHeader.Qos = 1
		err = pk.UnsubscribeEncode(&b)
	default:
		t.Fatalf("packet %d", pk.FixedHeader.Type)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (c *client) send(all ...packets.Packet) {
	c.t.Helper()
	for _, pk := range all {
		c.write(encode(c.t, pk))
	}
}

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// readPacket reads the bytes of one packet.
func readPacket(r *bufio.Reader, maxPayload int64) (packets.FixedHeader, []byte, error) {
	fixed, err := readFixed(r, maxPayload)
	if err != nil {
		return fixed, nil, err
	}
	body, err := readBody(r, fixed.Remaining)
	return fixed, body, err
}

// next reads one packet.
func (c *client) next() (packets.FixedHeader, []byte) {
	c.t.Helper()
	fixed, body, err := readPacket(c.in, 1<<20)
	if err != nil {
		c.t.Fatal(err)
	}
	return fixed, body
}

// expect reads the bytes of one packet.
func (c *client) expect(hexadecimal string) {
	c.t.Helper()
	if got := c.bytes(len(hexadecimal) / 2); got != hexadecimal {
		c.t.Fatalf("got %s, want %s", got, hexadecimal)
	}
}

func (c *client) subscribe(topics ...string) (codes []byte) {
	c.t.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe}, PacketID: 5}
	for _, topic := range topics {
		pk.Filters = append(pk.Filters, packets.Subscription{Filter: topic, Qos: 1})
	}
	c.send(pk)
	fixed, body := c.next()
	if fixed.Type != packets.Suback || len(body) != 2+len(topics) || body[1] != 5 {
		c.t.Fatalf("answer to subscribe: %+v %x", fixed, body)
	}
	return body[2:]
}

// hear reads one message.
func (c *client) hear() (topic, payload string) {
	c.t.Helper()
	fixed, body := c.next()
	pk, err := decode(fixed, body)
	if err != nil || fixed.Type != packets.Publish || fixed.Qos != 0 || fixed.Retain {
		c.t.Fatalf("%+v %q: %v", fixed, body, err)
	}
	return pk.TopicName, string(pk.Payload)
}

// answer is what clients read.
type answer struct {
	RequestID string  `json:"requestId"`
	Status    int     `json:"status"`
	Room      *string `json:"room"`
	Result    any     `json:"result"`
	Error     *struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	} `json:"error"`
}

func (c *client) answer() answer {
	c.t.Helper()
	topic, payload := c.hear()
	if topic != "Kuzzle/response" {
		c.t.Fatalf("%q on %q", payload, topic)
	}
	var a answer
	if err := json.Unmarshal([]byte(payload), &a); err != nil {
		c.t.Fatalf("%q: %v", payload, err)
	}
	if a.Room != nil {
		c.t.Errorf("%q has a room", payload)
	}
	return a
}

// closed waits until the server has closed the connection, and gives what it sent before.
func (c *client) closed() []byte {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Fatal("the connection is still open")
	}
	return rest
}

// alive makes sure that the server still answers.
func (c *client) alive() {
	c.t.Helper()
	c.write([]byte{packets.Pingreq << 4, 0})
	c.expect("d000")
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// counted reads a counter.
func counted(c prometheus.Counter) float64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return -1
	}
	return m.GetCounter().GetValue()
}
