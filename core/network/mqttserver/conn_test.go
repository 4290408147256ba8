package mqttserver

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

func (c *client) bytes(n int) string {
	c.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c.in, b); err != nil {
		c.t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

func TestRequests(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	for name, c := range map[string]struct {
		payload string
		status  int
		errorID string
		id      string // "?" for any
	}{
		"request":            {`{"requestId":"r","controller":"a","action":"b","x":1}`, 200, "", "r"},
		"without id":         {`{"controller":"a","action":"b"}`, 200, "", "?"},
		"empty":              {``, 400, "network.mqtt.unexpected_error", "?"},
		"no JSON":            {`{"requestId":"r"`, 400, "network.mqtt.unexpected_error", "?"},
		"no object":          {`["requestId"]`, 400, "network.mqtt.unexpected_error", "?"},
		"duplicate":          {`{"requestId":"r","requestId":"s"}`, 400, "network.mqtt.unexpected_error", "?"},
		"invalid UTF-8":      {"{\"requestId\":\"r\",\"x\":\"\xff\"}", 400, "network.mqtt.unexpected_error", "?"},
		"too deep":           {`{"requestId":"r","x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, 400, "network.mqtt.unexpected_error", "?"},
		"wrong type":         {`{"requestId":"r","controller":5}`, 400, "network.mqtt.unexpected_error", "r"},
		"id of a wrong type": {`{"requestId":5,"controller":"a"}`, 400, "network.mqtt.unexpected_error", "?"},
		"panic":              {`{"requestId":"r","action":"panic"}`, 500, "core.fatal.unexpected_error", "r"},
	} {
		t.Run(name, func(t *testing.T) {
			mqtt := dial(t, address, "Kuzzle/response")
			mqtt.send(request(c.payload))
			a := mqtt.answer()
			if a.Status != c.status || (a.Error != nil) != (c.status != 200) || a.Error != nil && (a.Error.ID != c.errorID || strings.Contains(a.Error.Message, "secret")) {
				t.Errorf("%+v %+v", a, a.Error)
			}
			if c.id == "?" && len(a.RequestID) != 36 || c.id != "?" && a.RequestID != c.id {
				t.Errorf("request id %q", a.RequestID)
			}
		})
	}
}

func TestConnectionOfRequests(t *testing.T) {
	seen := make(chan *protocol.Connection, 1)
	o := options(t, func(_ context.Context, req *protocol.Request) (any, error) {
		seen <- req.Connection
		return nil, nil
	})
	address, _ := serve(t, o)
	mqtt := dial(t, address)
	mqtt.send(request(`{}`))
	info := <-seen
	if info.Protocol != "mqtt" || info.ClientIP != "127.0.0.1" || len(info.IPs) != 1 || info.IPs[0] != "127.0.0.1" ||
		o.Connections.Get(info.ID) == nil || o.Connections.Get(info.ID).Info() != info {
		t.Errorf("%+v", info)
	}
}

// Answers go to nobody but the client that asked, and to it only when it subscribed.
func TestAnswersAreForTheEmitter(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	other, deaf, mqtt := dial(t, address, "Kuzzle/response"), dial(t, address), dial(t, address, "Kuzzle/response")
	deaf.send(request(`{"requestId":"deaf"}`))
	mqtt.send(request(`{"requestId":"r"}`))
	if a := mqtt.answer(); a.RequestID != "r" {
		t.Errorf("%+v", a)
	}
	other.alive()
	deaf.alive()
}

func TestBroadcast(t *testing.T) {
	o := options(t, byAction)
	o.Broadcast = true
	address, _ := serve(t, o)
	other, deaf, mqtt := dial(t, address, "Kuzzle/response"), dial(t, address), dial(t, address, "Kuzzle/response")
	mqtt.send(request(`{"requestId":"r"}`))
	for _, c := range []*client{mqtt, other} {
		if a := c.answer(); a.RequestID != "r" {
			t.Errorf("%+v", a)
		}
	}
	deaf.alive()
}

func TestQualityOfService(t *testing.T) {
	executed := make(chan string, 10)
	address, _ := serve(t, options(t, func(_ context.Context, req *protocol.Request) (any, error) {
		executed <- req.RequestID
		return nil, nil
	}))
	mqtt := dial(t, address)
	mqtt.send(message("Kuzzle/request", `{"requestId":"one"}`, 1))
	mqtt.expect("40020007")
	mqtt.send(message("Kuzzle/request", `{"requestId":"two"}`, 2))
	mqtt.expect("50020007")
	again := message("Kuzzle/request", `{"requestId":"two again"}`, 2)
	again.FixedHeader.Dup = true
	mqtt.send(again)
	mqtt.expect("50020007")
	mqtt.write([]byte{0x62, 2, 0, 7})
	mqtt.expect("70020007")
	mqtt.send(message("Kuzzle/request", `{"requestId":"three"}`, 2))
	mqtt.expect("50020007")
	got := map[string]bool{<-executed: true, <-executed: true, <-executed: true}
	mqtt.alive()
	if !got["one"] || !got["two"] || !got["three"] || len(executed) > 0 {
		t.Errorf("executed %v and %d more", got, len(executed))
	}
}

func TestConnect(t *testing.T) {
	o := options(t, byAction)
	address, _ := serve(t, o)
	o.AllowPubSub = true
	free, _ := serve(t, o)
	will := func(topic string) func(*packets.Packet) {
		return func(pk *packets.Packet) {
			pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, topic, []byte("gone")
		}
	}
	for name, c := range map[string]struct {
		address string
		connect packets.Packet
		want    string // CONNACK, "" for none
	}{
		"without id":          {address, connect(""), "20020000"},
		"with id":             {address, connect("me"), "20020000"},
		"user and password":   {address, connect("me", func(pk *packets.Packet) { pk.Connect.UsernameFlag, pk.Connect.Username = true, []byte("a") }), "20020000"},
		"persistent session":  {address, connect("me", func(pk *packets.Packet) { pk.Connect.Clean = false }), "20020000"},
		"session without id":  {address, connect("", func(pk *packets.Packet) { pk.Connect.Clean = false }), "20020002"},
		"long id":             {address, connect(strings.Repeat("x", maxNameBytes+1)), "20020002"},
		"bad id":              {address, connect("a\xff"), "20020002"},
		"version 3.1":         {address, connect("me", func(pk *packets.Packet) { pk.ProtocolVersion, pk.Connect.ProtocolName = 3, []byte("MQIsdp") }), "20020001"},
		"version 5":           {address, connect("me", func(pk *packets.Packet) { pk.ProtocolVersion = 5 }), "2003008400"},
		"another protocol":    {address, connect("me", func(pk *packets.Packet) { pk.Connect.ProtocolName = []byte("AMQP") }), "20020001"},
		"will":                {address, connect("me", will("a")), "20020005"},
		"will, allowed":       {free, connect("me", will("a")), "20020000"},
		"will, wildcard":      {free, connect("me", will("a/#")), "20020005"},
		"will, request":       {free, connect("me", will("Kuzzle/request")), "20020005"},
		"will, response":      {free, connect("me", will("Kuzzle/response")), "20020005"},
		"will, notifications": {free, connect("me", will(protocol.ServerNotificationRoom)), "20020005"},
		"no connect":          {address, request(`{}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			mqtt := open(t, c.address)
			mqtt.send(c.connect)
			if c.want == "20020000" {
				mqtt.expect(c.want)
				mqtt.alive()
				return
			}
			if got := hex.EncodeToString(mqtt.closed()); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	reserved := encode(t, connect("me"))
	reserved[9] |= 1 // of the flags
	mqtt := open(t, address)
	mqtt.write(reserved)
	if rest := mqtt.closed(); len(rest) > 0 {
		t.Errorf("a reserved bit is answered %x", rest)
	}
}

const channel = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-111"

func TestSubscribe(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	mqtt := dial(t, address)
	got := mqtt.subscribe("Kuzzle/response", "Kuzzle/request", "#", "+/a", "a/+", "", strings.Repeat("x", maxNameBytes+1), channel, "Kuzzle/response", "a")
	if want := "0080808080808000" + "0000"; hex.EncodeToString(got) != want {
		t.Errorf("got %x, want %s", got, want)
	}
	if got := mqtt.subscribe("1", "2", "3", "4", "5", "6"); hex.EncodeToString(got) != "000000000080" {
		t.Errorf("one topic too many: %x", got)
	}
	mqtt.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe}, PacketID: 9, Filters: packets.Subscriptions{{Filter: "1"}, {Filter: "none"}}})
	mqtt.expect("b0020009")
	if got := mqtt.subscribe("6"); got[0] != 0 {
		t.Errorf("after a topic was given up: %x", got)
	}
}

// Whoever publishes where he may not is disconnected, and nobody hears it.
func TestUnauthorisedTopics(t *testing.T) {
	o := options(t, byAction)
	address, _ := serve(t, o)
	o.AllowPubSub = true
	free, _ := serve(t, o)
	for _, c := range []struct {
		address, topic string
		allowed        bool
	}{
		{address, "a", false},
		{address, "Kuzzle/response", false},
		{address, "Kuzzle/request/", false},
		{address, channel, false},
		{free, "a", true},
		{free, "a/b", true},
		{free, strings.Repeat("x", maxNameBytes), true},
		{free, "", false},
		{free, "Kuzzle/response", false},
		{free, channel, false},
		{free, strings.ToUpper(channel), false},
		{free, protocol.ServerNotificationRoom, false},
		{free, "$SYS/a", false},
		{free, "a/#", false},
		{free, "+", false},
		{free, strings.Repeat("x", maxNameBytes+1), false},
	} {
		for qos := range byte(3) {
			t.Run(fmt.Sprintf("%.20q %v %d", c.topic, c.address == free, qos), func(t *testing.T) {
				other := dial(t, c.address)
				if isTopic(c.topic) {
					other.subscribe(c.topic)
				}
				mqtt := dial(t, c.address)
				mqtt.send(message(c.topic, "forged", qos))
				if !c.allowed {
					if rest := mqtt.closed(); len(rest) > 0 {
						t.Errorf("it was told %x", rest)
					}
					other.alive()
					return
				}
				if topic, payload := other.hear(); topic != c.topic || payload != "forged" {
					t.Errorf("%q on %q", payload, topic)
				}
				if qos > 0 {
					mqtt.expect(fmt.Sprintf("%d0020007", 3+qos))
				}
				mqtt.alive()
			})
		}
	}
}

// A message that asks to be retained is not: who comes later does not hear it.
func TestNothingIsRetained(t *testing.T) {
	o := options(t, byAction)
	o.AllowPubSub = true
	address, _ := serve(t, o)
	mqtt := dial(t, address, "a")
	pk := message("a", "kept?", 0)
	pk.FixedHeader.Retain = true
	mqtt.send(pk)
	mqtt.hear()
	dial(t, address, "a").alive()
}

func TestWill(t *testing.T) {
	o := options(t, byAction)
	o.AllowPubSub = true
	address, _ := serve(t, o)
	other := dial(t, address, "wills")
	with := func(payload string) *client {
		mqtt := open(t, address)
		mqtt.send(connect("", func(pk *packets.Packet) {
			pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "wills", []byte(payload)
		}))
		mqtt.expect("20020000")
		return mqtt
	}
	leaves := with("of one that left")
	leaves.write([]byte{packets.Disconnect << 4, 0})
	leaves.closed()
	_ = with("of one that was lost").Close()
	if _, payload := other.hear(); payload != "of one that was lost" {
		t.Errorf("heard the will %q", payload)
	}
}

// connection waits for the only connection of a server.
func connection(t *testing.T, s *Server) *conn {
	t.Helper()
	all := s.open.All()
	if len(all) != 1 {
		t.Fatalf("%d connections", len(all))
	}
	return all[0]
}

// A client hears a message of its channel when it subscribed to the topic, and after the answer that was queued before.
func TestDeliver(t *testing.T) {
	o := options(t, nil)
	var s *Server
	o.Executor = executor(func(_ context.Context, req *protocol.Request) (any, error) {
		out := o.Connections.Get(req.Connection.ID)
		req.Reply.Answered = func(ok bool) {
			if !ok || !out.Deliver(&realtime.Message{Channel: channel, JSON: []byte(req.RequestID)}) {
				t.Errorf("answered %v", ok)
			}
		}
		return nil, nil
	})
	address, s := serve(t, o)
	mqtt := dial(t, address, "Kuzzle/response")
	mqtt.send(request(`{"requestId":"unheard"}`))
	if a := mqtt.answer(); a.RequestID != "unheard" {
		t.Errorf("%+v", a)
	}
	mqtt.subscribe(channel)
	for i := range 100 {
		id := fmt.Sprint(i)
		mqtt.send(request(`{"requestId":"` + id + `"}`))
		if a := mqtt.answer(); a.RequestID != id {
			t.Errorf("%+v", a)
		}
		if topic, payload := mqtt.hear(); topic != channel || payload != id {
			t.Errorf("%q on %q", payload, topic)
		}
	}
	c := connection(t, s)
	c.Close(1000, "")
	if c.Deliver(&realtime.Message{Channel: "another"}) {
		t.Error("a closed connection takes messages")
	}
	mqtt.closed()
}

// Who subscribed to somebody else's channel hears nothing of what is delivered there, and nobody does without Notifications.
func TestNotificationsAreForTheirConnection(t *testing.T) {
	for _, notifications := range []bool{true, false} {
		o := options(t, nil)
		o.Notifications = notifications
		o.Executor = executor(func(_ context.Context, req *protocol.Request) (any, error) {
			if !o.Connections.Get(req.Connection.ID).Deliver(&realtime.Message{Channel: channel, JSON: []byte("secret")}) {
				t.Error("not delivered")
			}
			return nil, nil
		})
		address, _ := serve(t, o)
		other, mqtt := dial(t, address, channel), dial(t, address, channel, "Kuzzle/response")
		mqtt.send(request(`{}`))
		if notifications {
			if _, payload := mqtt.hear(); payload != "secret" {
				t.Errorf("heard %q", payload)
			}
		}
		mqtt.answer()
		other.alive()
	}
}

func TestTakeOver(t *testing.T) {
	address, _ := serve(t, options(t, byAction))
	first := open(t, address)
	first.send(connect("me"))
	first.expect("20020000")
	second := open(t, address)
	second.send(connect("me"))
	second.expect("20020000")
	first.closed()
	second.alive()
	third := open(t, address)
	third.send(connect("me"))
	third.expect("20020000")
	second.closed()
	third.alive()
}

// Nobody at another address takes the place of a client, until it has gone.
func TestTakeOverFromAnotherAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	var fromAbroad atomic.Bool
	s := serveOn(t, options(t, byAction), sometimesAbroad{l, &fromAbroad})
	first := open(t, address)
	first.send(connect("me"))
	first.expect("20020000")
	fromAbroad.Store(true)
	stranger := open(t, address)
	stranger.send(connect("me"))
	stranger.expect("20020002")
	stranger.closed()
	first.alive()
	other := open(t, address)
	other.send(connect("other"))
	other.expect("20020000")
	_ = first.Close()
	eventually(t, "the first has gone", func() bool { return len(s.open.All()) == 1 })
	moved := open(t, address)
	moved.send(connect("me"))
	moved.expect("20020000")
	moved.alive()
}

// sometimesAbroad makes clients come from elsewhere while it is told to.
type sometimesAbroad struct {
	net.Listener
	now *atomic.Bool
}

func (l sometimesAbroad) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && l.now.Load() {
		c = foreign{c}
	}
	return c, err
}

func TestPacketsThatEndTheConnection(t *testing.T) {
	o := options(t, byAction)
	address, _ := serve(t, o)
	huge := []byte{packets.Publish << 4, 0xff, 0xff, 0xff, 0x7f}
	for name, bytes := range map[string][]byte{
		"huge message":         append(huge, "\x00\x0eKuzzle/request"...),
		"large message":        encode(t, request(`{"x":"`+strings.Repeat("x", int(o.MaxRequestBytes)+maxNameBytes)+`"}`)),
		"large subscribe":      {packets.Subscribe<<4 | 2, 0x81, 0x80, 0x04},
		"length of five bytes": {packets.Pingreq << 4, 0x80, 0x80, 0x80, 0x80, 0},
		"QoS 3":                {packets.Publish<<4 | 6, 4, 0, 1, 'a', 0},
		"no id":                {packets.Publish<<4 | 2, 5, 0, 1, 'a', 0, 0},
		"second connect":       encode(t, connect("me")),
		"acknowledgement":      {packets.Puback << 4, 2, 0, 1},
		"reserved":             {0, 0},
		"version 5":            {packets.Auth << 4, 0},
		"empty subscribe":      {packets.Subscribe<<4 | 2, 2, 0, 1},
		"cut subscribe":        {packets.Subscribe<<4 | 2, 5, 0, 1, 0, 1, 'a'},
		"empty unsubscribe":    {packets.Unsubscribe<<4 | 2, 2, 0, 1},
		"flags of subscribe":   {packets.Subscribe << 4, 6, 0, 1, 0, 1, 'a', 0},
		"NUL in the topic":     {packets.Publish << 4, 3, 0, 1, 0},
		"topic beyond the end": {packets.Publish << 4, 3, 0, 9, 'a'},
		"ping with a body":     {packets.Pingreq << 4, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			mqtt := dial(t, address)
			_, _ = mqtt.Write(bytes) // it may be closed before all is written
			mqtt.closed()
		})
	}
	t.Run("largest message", func(t *testing.T) {
		mqtt := dial(t, address, "Kuzzle/response")
		frame := len(`{"requestId":"r","x":""}`)
		mqtt.send(request(`{"requestId":"r","x":"` + strings.Repeat("x", int(o.MaxRequestBytes)-frame) + `"}`))
		if a := mqtt.answer(); a.RequestID != "r" || a.Status != 200 {
			t.Errorf("%+v", a.Error)
		}
	})
	t.Run("unfinished messages", func(t *testing.T) {
		mqtt := dial(t, address)
		for id := range uint16(o.MaxInFlight + 1) {
			pk := message("Kuzzle/request", `{}`, 2)
			pk.PacketID = id + 1
			mqtt.send(pk)
		}
		mqtt.closed()
	})
}

func TestTooManyConnections(t *testing.T) {
	o := options(t, byAction)
	o.MaxConnections = 2
	address, _ := serve(t, o)
	first, second := dial(t, address), dial(t, address)
	if rest := open(t, address).closed(); len(rest) > 0 {
		t.Errorf("told %x", rest)
	}
	if n := counted(o.Metrics.Refused); n != 1 {
		t.Errorf("%v refused", n)
	}
	_ = first.Close()
	eventually(t, "room for a third", func() bool {
		third := open(t, address)
		_, _ = third.Write(encode(t, connect(""))) // it may be closed already
		return hex.EncodeToString(third.firstBytes(4)) == "20020000"
	})
	second.alive()
}

// firstBytes reads up to n bytes, fewer when the connection ends.
func (c *client) firstBytes(n int) []byte {
	b := make([]byte, n)
	n, _ = io.ReadFull(c.in, b)
	return b[:n]
}

func TestSilence(t *testing.T) {
	o := options(t, byAction)
	o.ConnectTimeout, o.IdleTimeout = 50*time.Millisecond, 100*time.Millisecond
	address, _ := serve(t, o)
	open(t, address).closed()
	dial(t, address).closed()
	o.IdleTimeout = 10 * time.Second
	address, _ = serve(t, o)
	mqtt := open(t, address)
	begin := time.Now()
	mqtt.send(connect("", func(pk *packets.Packet) { pk.Connect.Keepalive = 1 }))
	mqtt.expect("20020000")
	mqtt.closed()
	if took := time.Since(begin); took < 1500*time.Millisecond {
		t.Errorf("closed after %v", took)
	}
}

// While all requests hang, further ones are answered, and so are pings.
func TestOverload(t *testing.T) {
	o := options(t, byAction)
	o.DisconnectDelay = time.Millisecond
	address, _ := serve(t, o)
	mqtt := dial(t, address, "Kuzzle/response")
	for range o.MaxInFlight {
		mqtt.send(request(`{"action":"hang"}`))
	}
	for i := range 3 {
		id := fmt.Sprint(i)
		mqtt.send(request(`{"requestId":"` + id + `"}`))
		if a := mqtt.answer(); a.RequestID != id || a.Status != 503 || a.Error.ID != "api.process.overloaded" {
			t.Errorf("%+v %+v", a, a.Error)
		}
	}
	mqtt.alive()
	_ = mqtt.Close()
	eventually(t, "what hangs is cancelled", func() bool { return o.Connections.Len() == 0 })
}

// A client that does not read is closed; what waited for it is dropped, and others are served all the while.
func TestSlowClient(t *testing.T) {
	o := options(t, byAction)
	o.WriteTimeout = time.Hour
	address, s := serve(t, o)
	slow := dial(t, address, channel)
	if err := slow.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	c := connection(t, s)
	mqtt := dial(t, address, "Kuzzle/response")
	m := &realtime.Message{Channel: channel, JSON: []byte(strings.Repeat("x", 64<<10))}
	delivered := 0
	for c.Deliver(m) {
		if delivered++; delivered > 10_000 {
			t.Fatal("any number of messages wait")
		}
	}
	mqtt.send(request(`{"requestId":"r"}`))
	mqtt.answer()
	eventually(t, "the connection is forgotten", func() bool { return o.Connections.Get(c.Info().ID) == nil })
	if n := counted(o.Metrics.SlowClients); n != 1 {
		t.Errorf("%v slow clients", n)
	}
	if n := counted(o.Metrics.Dropped); n < 1 || c.Deliver(m) {
		t.Errorf("%v dropped", n)
	}
}

// A client that takes nothing does not even get OutboxMessages: WriteTimeout ends it.
func TestStuckClient(t *testing.T) {
	o := options(t, byAction)
	o.WriteTimeout, o.OutboxBytes = 50*time.Millisecond, 1<<30
	address, s := serve(t, o)
	stuck := dial(t, address, channel)
	c := connection(t, s)
	c.Deliver(&realtime.Message{Channel: channel, JSON: make([]byte, 64<<20)})
	eventually(t, "the connection is forgotten", func() bool { return o.Connections.Len() == 0 })
	_ = stuck.Close()
}

// The last requests of a client that leaves run, for DisconnectDelay.
func TestLastRequests(t *testing.T) {
	const n = 4
	started, release, cancelled := make(chan string, n), make(chan struct{}), make(chan string, n)
	var closed sync.WaitGroup
	o := options(t, func(ctx context.Context, req *protocol.Request) (any, error) {
		started <- req.RequestID
		select {
		case <-release:
		case <-ctx.Done():
			cancelled <- req.RequestID
		}
		return nil, nil
	})
	o.OnOpen = func(*protocol.Connection) { closed.Add(1) }
	o.OnClose = func(*protocol.Connection) { closed.Done() }
	leave := func(address string) {
		mqtt := dial(t, address)
		mqtt.send(request(`{"requestId":"a"}`), request(`{"requestId":"b"}`))
		mqtt.write([]byte{packets.Disconnect << 4, 0})
		mqtt.closed()
	}
	address, _ := serve(t, o)
	leave(address)
	<-started
	<-started
	if o.Connections.Len() != 1 {
		t.Error("the connection was forgotten while its requests ran")
	}
	close(release)
	closed.Wait()
	if len(cancelled) > 0 || o.Connections.Len() > 0 {
		t.Errorf("%d requests were cancelled, %d connections are known", len(cancelled), o.Connections.Len())
	}
	release = make(chan struct{})
	o.DisconnectDelay = 10 * time.Millisecond
	address, _ = serve(t, o)
	leave(address)
	<-cancelled
	<-cancelled
	closed.Wait()
}

func TestShutdown(t *testing.T) {
	running, release := make(chan struct{}), make(chan struct{})
	o := options(t, func(context.Context, *protocol.Request) (any, error) {
		close(running)
		<-release
		return "done", nil
	})
	address, s := serve(t, o)
	mqtt, idle, silent := dial(t, address, "Kuzzle/response"), dial(t, address), open(t, address)
	mqtt.send(request(`{"requestId":"r"}`))
	<-running
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	idle.closed()
	silent.closed()
	if c, err := net.Dial("tcp", address); err == nil {
		_ = c.Close()
		t.Error("a stopping server takes clients")
	}
	close(release)
	if a := mqtt.answer(); a.Result != "done" {
		t.Errorf("%+v", a)
	}
	if rest := mqtt.closed(); len(rest) > 0 {
		t.Errorf("after the answer: %x", rest)
	}
	_ = mqtt.Close()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsOff(t *testing.T) {
	o := options(t, byAction)
	address, s := serve(t, o)
	mqtt := dial(t, address, "Kuzzle/response")
	mqtt.send(request(`{"action":"hang"}`))
	eventually(t, "a request runs", func() bool { return counted(o.Metrics.MQTT.Requests) == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopped with %v", err)
	}
	mqtt.closed()
}

func TestServeAfterShutdown(t *testing.T) {
	s := New(options(t, byAction))
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(l); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error("the listener is open")
	}
}

// abroad makes all clients of a listener come from elsewhere.
type abroad struct{ net.Listener }

type foreign struct{ net.Conn }

func (l abroad) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return foreign{c}, err
}

func (foreign) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }

// While the node is wide open only this machine is served, also on connections that are older.
func TestWideOpen(t *testing.T) {
	o := options(t, byAction)
	g := &gate{}
	o.Gate, o.AllowPubSub = g, true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, o, abroad{l})
	address, _ := serve(t, o)
	older := dial(t, l.Addr().String(), "Kuzzle/response")
	older.send(request(`{"requestId":"r"}`))
	if a := older.answer(); a.Status != 200 {
		t.Errorf("%+v", a.Error)
	}
	g.wideOpen.Store(true)
	older.send(request(`{"requestId":"r"}`))
	if a := older.answer(); a.Status != 401 && a.Status != 403 || a.Error.ID != "api.process.unauthorized_origin" {
		t.Errorf("%+v %+v", a, a.Error)
	}
	older.send(message("a", "b", 0))
	older.closed()
	stranger := open(t, l.Addr().String())
	stranger.send(connect(""))
	if got := hex.EncodeToString(stranger.closed()); got != "20020005" {
		t.Errorf("a stranger is told %s", got)
	}
	mqtt := dial(t, address, "Kuzzle/response")
	mqtt.send(request(`{}`))
	if a := mqtt.answer(); a.Status != 200 {
		t.Errorf("%+v", a.Error)
	}
}

// An answer that is larger than everything that may wait passes when nothing else does.
func TestLargeAnswer(t *testing.T) {
	o := options(t, byAction)
	o.OutboxBytes = 64 << 10
	address, s := serve(t, o)
	mqtt := dial(t, address, "Kuzzle/response")
	out := &connection(t, s).out
	eventually(t, "nothing else waits", func() bool {
		out.mu.Lock()
		defer out.mu.Unlock()
		return out.count == 0
	})
	mqtt.send(request(`{"action":"large"}`))
	if a := mqtt.answer(); len(a.Result.(string)) != 64<<10 {
		t.Errorf("%d bytes", len(a.Result.(string)))
	}
}
