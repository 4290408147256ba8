package wsserver

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// Clients that never read are waited for by nobody, however much they have waiting.
func TestSlowReadersHoldNobodyBack(t *testing.T) {
	for name, compression := range map[string]bool{"plain": false, "compressed": true} {
		t.Run(name, func(t *testing.T) {
			const clients = 4
			o := options(t, now)
			o.Compression = compression
			o.WriteTimeout = time.Minute
			o.OutboxMessages, o.OutboxBytes = 4096, 1<<30
			opened := make(chan network.Connection, clients)
			o.OnOpen = func(info *protocol.Connection) { opened <- o.Connections.Get(info.ID) }
			address, s := serve(t, o)
			var slow []network.Connection
			for range clients {
				dialSmall(t, address, compression)
				slow = append(slow, <-opened)
			}
			for _, waiting := range []int{1000, 1100} { // more than the system keeps for a client, and more while it is waited for
				flood(t, slow, waiting)
				eventually(t, "nothing counts", func() bool { return s.broadcaster.backlog.Load() == 0 })
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s.Pace(ctx)
			for _, c := range slow {
				c.(*conn).Abort()
			}
		})
	}
}

// flood delivers messages that no compression makes small until each connection has so many waiting.
func flood(t *testing.T, to []network.Connection, waiting int) {
	t.Helper()
	random := make([]byte, 24<<10)
	_, _ = rand.Read(random) // never fails
	m := &realtime.Message{JSON: []byte(`{"x":"` + base64.StdEncoding.EncodeToString(random) + `"}`)}
	for _, c := range to {
		for held(c) < waiting {
			if !c.Deliver(m) {
				t.Fatal("a slow client was closed")
			}
		}
	}
}

func held(c network.Connection) int {
	out := &c.(*conn).out
	out.mu.Lock()
	defer out.mu.Unlock()
	return out.count
}

// dialSmall opens a connection that takes little and is never read.
func dialSmall(t *testing.T, address string, compression bool) {
	t.Helper()
	d := websocket.Dialer{EnableCompression: compression, NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return c, c.(*net.TCPConn).SetReadBuffer(4 << 10)
	}}
	ws, resp, err := d.Dial("ws://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
}

// A compressed client that reads late gets everything, in order.
func TestSlowReaderOfCompressedMessagesMissesNothing(t *testing.T) {
	o := options(t, now)
	o.Compression = true
	o.OutboxMessages, o.OutboxBytes = 1<<20, 1<<30
	opened := make(chan network.Connection, 1)
	o.OnOpen = func(info *protocol.Connection) { opened <- o.Connections.Get(info.ID) }
	address, _ := serve(t, o)
	d := websocket.Dialer{EnableCompression: true}
	ws, resp, err := d.Dial("ws://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	defer ws.Close()
	to := <-opened
	random := make([]byte, 48<<10)
	var sent []string
	for range 200 {
		_, _ = rand.Read(random) // never fails
		message := base64.StdEncoding.EncodeToString(random)
		sent = append(sent, message)
		if !to.Deliver(&realtime.Message{JSON: []byte(message)}) {
			t.Fatal("the client was closed")
		}
	}
	for i, want := range sent {
		_, got, err := ws.ReadMessage()
		if err != nil || string(got) != want {
			t.Fatalf("message %d of %d bytes, %d wanted: %v", i, len(got), len(want), err)
		}
	}
}

func TestPaceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broadcaster
		b.backlog.Store(maxBacklog + 1)
		begin := time.Now()
		b.pace(t.Context())
		if took := time.Since(begin); took != maxPace {
			t.Errorf("held back for %v", took)
		}
	})
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}
