package mqttserver

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/sluicehq/sluice/protocol"
)

// FuzzPacket: whatever bytes come, reading ends without taking more memory than came, and what is read keeps the bounds.
func FuzzPacket(f *testing.F) {
	for _, pk := range []packets.Packet{
		connect("me"), request(`{"controller":"a"}`), message("a/b", "c", 2),
		{FixedHeader: packets.FixedHeader{Type: packets.Subscribe}, PacketID: 1, Filters: packets.Subscriptions{{Filter: "a"}, {Filter: "b", Qos: 2}}},
		{FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe}, PacketID: 1, Filters: packets.Subscriptions{{Filter: "a"}}},
	} {
		f.Add(encode(f, pk))
	}
	f.Add([]byte{packets.Publish << 4, 0xff, 0xff, 0x03, 0, 1, 'a'})
	f.Add([]byte{packets.Pubrel<<4 | 2, 2, 0, 7})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const maxPayload = 1 << 10
		r := bufio.NewReader(bytes.NewReader(data))
		for {
			fixed, body, err := readPacket(r, maxPayload)
			if err != nil {
				return
			}
			if len(body) != fixed.Remaining || len(body) > len(data) || fixed.Type == packets.Publish && len(body) > maxPayload+maxNameBytes+4 {
				t.Fatalf("%d bytes of %d", len(body), fixed.Remaining)
			}
			checkVersion(body)
			pk, err := decode(fixed, body)
			if err == nil && fixed.Type == packets.Publish && 2+len(pk.TopicName)+len(pk.Payload) > len(body) {
				t.Fatalf("%q on %q from %d bytes", pk.Payload, pk.TopicName, len(body))
			}
		}
	})
}

// FuzzConnection: no bytes on the socket, before CONNECT or after it, crash the server or keep it from stopping.
func FuzzConnection(f *testing.F) {
	o := options(f, func(context.Context, *protocol.Request) (any, error) { return nil, nil })
	o.AllowPubSub = true
	o.DisconnectDelay = time.Millisecond
	f.Add(false, encode(f, connect("me")))
	f.Add(true, encode(f, request(`{"controller":"a"}`)))
	f.Add(true, encode(f, message("a", "b", 2)))
	f.Add(true, []byte{packets.Pubrel<<4 | 2, 2, 0, 7, packets.Disconnect << 4, 0})
	f.Fuzz(func(t *testing.T, connected bool, data []byte) {
		s := New(o)
		near, far := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, far) }() // ends with the pipe
		s.take(near)
		if connected {
			data = append(encode(t, connect("")), data...)
		}
		_, _ = far.Write(data) // the server may have closed
		_ = far.Close()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if o.Connections.Len() != 0 || len(s.topics.subscribers) != 0 {
			t.Errorf("%d connections, topics %v", o.Connections.Len(), s.topics.subscribers)
		}
	})
}

// Garbage from many sockets at once disturbs nobody else.
func TestGarbage(t *testing.T) {
	o := options(t, byAction)
	o.ConnectTimeout = 50 * time.Millisecond
	address, _ := serve(t, o)
	mqtt := dial(t, address, "Kuzzle/response")
	for seed := range uint64(50) {
		random := rand.NewChaCha8([32]byte{byte(seed)})
		garbage := make([]byte, 4<<10)
		_, _ = random.Read(garbage) // never fails
		bad := open(t, address)
		if seed%2 == 1 {
			bad = dial(t, address)
		}
		_, _ = bad.Write(garbage) // it may be closed before all is written
		_ = bad.Close()
	}
	slow := open(t, address)
	slow.write([]byte("GET / HTTP/1.1\r\n"))
	slow.closed()
	mqtt.send(request(`{"requestId":"r","x":"` + strings.Repeat("x", 1000) + `"}`))
	if a := mqtt.answer(); a.Status != 200 {
		t.Errorf("%+v", a)
	}
}

// What a packet announces costs nothing until it comes.
func TestAnnouncedBytesAreNotAllocated(t *testing.T) {
	announced := []byte{packets.Publish << 4, 0xff, 0xff, 0xff, 0x7f, 0, 1, 'a'}
	_, body, err := readPacket(bufio.NewReader(bytes.NewReader(announced)), 1<<28)
	if err == nil || cap(body) > 2*readAtOnce {
		t.Errorf("%d bytes allocated: %v", cap(body), err)
	}
}
