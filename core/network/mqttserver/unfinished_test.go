package mqttserver

import (
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/sluicehq/sluice/core/network"
)

// large is a request above what comes without asking for room.
func large(t *testing.T, id string) []byte {
	t.Helper()
	return encode(t, request(`{"requestId":"`+id+`"}`+strings.Repeat(" ", 30<<10)))
}

// A packet that has begun must be complete in time, however long a client may be silent and however it comes.
func TestPacketMustBeCompleteInTime(t *testing.T) {
	for name, drip := range map[string]bool{"silent": false, "byte a time": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, byAction)
			o.MessageTimeout, o.IdleTimeout = 100*time.Millisecond, time.Hour
			address, _ := serve(t, o)
			c := open(t, address)
			c.send(connect("", func(pk *packets.Packet) { pk.Connect.Keepalive = 0 }))
			c.expect("20020000")
			c.write(large(t, "r")[:20<<10])
			dripped := make(chan struct{})
			go func() {
				defer close(dripped)
				for drip {
					time.Sleep(5 * time.Millisecond)
					if _, err := c.Write([]byte(" ")); err != nil {
						return
					}
				}
			}()
			if rest := c.closed(); len(rest) > 0 {
				t.Errorf("%x", rest)
			}
			<-dripped
		})
	}
}

// The time of a packet is not that of the silence after it.
func TestSilenceAfterALargePacket(t *testing.T) {
	o := options(t, byAction)
	o.MessageTimeout = 200 * time.Millisecond
	address, _ := serve(t, o)
	c := dial(t, address, "Kuzzle/response")
	c.write(large(t, "r"))
	c.answer()
	time.Sleep(2 * o.MessageTimeout)
	c.alive()
}

// Large packets wait for room while others are unfinished; small ones do not.
func TestLargePacketsWaitForRoom(t *testing.T) {
	o := options(t, byAction)
	o.Unfinished = network.NewUnfinished(1) // one at a time
	address, _ := serve(t, o)
	first, second, small := dial(t, address, "Kuzzle/response"), dial(t, address, "Kuzzle/response"), dial(t, address)
	packet := large(t, "first")
	first.write(packet[:20<<10])
	eventually(t, "the first has room", func() bool {
		a := network.NewArrival(o.Unfinished)
		defer a.Done()
		return a.Take(t.Context(), 1, time.Millisecond) != nil
	})
	second.write(large(t, "second"))
	answered := make(chan answer, 1)
	go func() { answered <- second.answer() }()
	small.alive()
	select {
	case a := <-answered:
		t.Errorf("no room was needed: %+v", a)
	case <-time.After(50 * time.Millisecond):
	}
	first.write(packet[20<<10:])
	if a := first.answer(); a.RequestID != "first" {
		t.Errorf("%+v", a)
	}
	if a := <-answered; a.RequestID != "second" {
		t.Errorf("%+v", a)
	}
}

// Strangers who send half of a large CONNECT, and clients for which there is no room, are closed.
func TestNoRoom(t *testing.T) {
	o := options(t, byAction)
	o.Unfinished = network.NewUnfinished(1)
	o.MessageTimeout, o.ConnectTimeout = 100*time.Millisecond, 100*time.Millisecond
	address, _ := serve(t, o)
	client := dial(t, address)
	stranger := open(t, address)
	stranger.write([]byte{packets.Connect << 4, 0x80, 0x80, 0x02, 0, 4, 'M', 'Q', 'T', 'T'}) // 32 KiB
	stranger.closed()
	held := network.NewArrival(o.Unfinished)
	defer held.Done()
	if err := held.Take(t.Context(), 1, time.Second); err != nil {
		t.Fatal(err)
	}
	client.write([]byte{packets.Publish << 4, 0x80, 0x80, 0x02})
	client.closed()
}
