package e2e

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// resumable subscribes as the documented extension says.
func resumable(after string) string {
	if after != "" {
		after = `,"lastMessageId":"` + after + `"`
	}
	return `{"requestId":"s","controller":"realtime","action":"subscribe","index":"i","collection":"c","body":{},"resumable":true` + after + `}`
}

// publish sends one message of a publisher, told apart by its name and number.
func publish(c nodetest.Client, publisher string, number int) {
	c.T.Helper()
	c.Must("POST", "/i/c/_publish", fmt.Sprintf(`{"publisher":"%s","number":%d}`, publisher, number))
}

// awaitCount waits until so many are in the room.
func awaitCount(c nodetest.Client, room string, want int) {
	c.T.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		a := c.Query(`{"controller":"realtime","action":"count","body":{"roomId":"` + room + `"}}`)
		if a.Get("result.count") == float64(want) {
			return
		}
		if time.Now().After(deadline) {
			c.T.Fatalf("want %d in the room: %s", want, a.Body)
		}
	}
}

// drop breaks the connection, without a word of WebSocket or TCP to say goodbye.
func drop(t *testing.T, s *nodetest.Socket) {
	t.Helper()
	if err := s.NetConn().(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = s.NetConn().Close()
}

// TestResumeInAStorm: a client that loses its connection again and again while others publish gets every message once, those of
// one publisher in order.
func TestResumeInAStorm(t *testing.T) {
	const publishers, each, between = 3, 300, 40
	n := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) {
		c.Realtime.HistoryMessages = publishers * each
	}})
	socket := n.WebSocket()
	if a := socket.Call(resumable("")); a.Status != 200 || a.Get("result.lastMessageId") == nil || a.Get("result.resumed") != nil {
		t.Fatal(a.Body)
	}
	var storm sync.WaitGroup
	defer storm.Wait()
	for p := range publishers {
		storm.Go(func() {
			for i := range each {
				publish(n.Client, fmt.Sprint(p), i)
			}
		})
	}
	next := map[string]float64{}
	last, drops := "", 0
	for got := 1; got <= publishers*each; got++ {
		m := socket.Next()
		publisher, _ := m.Get("result._source.publisher").(string)
		if number := m.Get("result._source.number"); number != next[publisher] {
			t.Fatalf("message %v of %s, want %v", number, publisher, next[publisher])
		}
		next[publisher]++
		last, _ = m.Get("messageId").(string)
		if got%between > 0 {
			continue
		}
		drop(t, socket)
		drops++
		socket = n.WebSocket()
		if a := socket.Call(resumable(last)); a.Get("requestId") != "s" || a.Get("result.resumed") != true {
			t.Fatalf("after %s, %d times: %s", last, drops, a.Body)
		}
	}
	storm.Wait()
	publish(n.Client, "last", 0)
	if m := socket.Next(); m.Get("result._source.publisher") != "last" {
		t.Errorf("a message came again: %s", m.Body)
	}
}

// TestWhatCannotBeResumed is told, whatever the reason.
func TestWhatCannotBeResumed(t *testing.T) {
	folder := t.TempDir()
	start := func(configure func(*config.Config)) *nodetest.Node {
		return nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) {
			c.Server.DataDir = folder
			configure(c)
		}})
	}
	begin := func(n *nodetest.Node) (last, room string) {
		t.Helper()
		s := n.WebSocket()
		a := s.Call(resumable(""))
		publish(n.Client, "p", 0)
		last, _ = s.Next().Get("messageId").(string)
		room, _ = a.Get("result.roomId").(string)
		if last == "" || room == "" {
			t.Fatal(a.Body)
		}
		drop(t, s)
		awaitCount(n.Client, room, 0)
		return last, room
	}
	lost := func(n *nodetest.Node, last string) {
		t.Helper()
		s := n.WebSocket()
		if a := s.Call(resumable(last)); a.Status != 200 || a.Get("result.resumed") != false || a.Get("result.lastMessageId") == last {
			t.Errorf("after %s: %s", last, a.Body)
		}
		publish(n.Client, "new", 0)
		if m := s.Next(); m.Get("result._source.publisher") != "new" {
			t.Errorf("the first message is %s", m.Body)
		}
	}
	t.Run("too many", func(t *testing.T) {
		n := start(func(c *config.Config) { c.Realtime.HistoryMessages = 4 })
		last, _ := begin(n)
		for i := range 5 {
			publish(n.Client, "away", i)
		}
		lost(n, last)
		stopNow(t, n)
	})
	t.Run("too long", func(t *testing.T) {
		n := start(func(c *config.Config) { c.Realtime.ResumeWindow = 50 * time.Millisecond })
		last, _ := begin(n)
		for deadline := time.Now().Add(20 * time.Second); strings.Contains(n.Query(`{"controller":"realtime","action":"list"}`).Body, `"i":{`); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the room stays for ever")
			}
		}
		time.Sleep(100 * time.Millisecond) // list need not show rooms that nobody is in
		lost(n, last)
		stopNow(t, n)
	})
	t.Run("restart", func(t *testing.T) {
		n := start(func(*config.Config) {})
		last, _ := begin(n)
		stopNow(t, n)
		n = start(func(*config.Config) {})
		lost(n, last)
	})
}

// stopNow stops a node in the middle of a test.
func stopNow(t *testing.T, n *nodetest.Node) {
	t.Helper()
	if err := n.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPlainClientsSeeNothingOfResuming: neither the answer nor a message differs.
func TestPlainClientsSeeNothingOfResuming(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	other, plain := n.WebSocket(), n.WebSocket()
	other.Call(resumable(""))
	a := plain.Call(`{"requestId":"s","controller":"realtime","action":"subscribe","index":"i","collection":"c","body":{}}`)
	publish(n.Client, "p", 0)
	m := plain.Next()
	if text := a.Body + m.Body; strings.Contains(text, "essageId") || strings.Contains(text, "resumed") || m.Get("room") != a.Get("result.channel") {
		t.Error(text)
	}
	_ = plain.WriteMessage(websocket.CloseMessage, nil) // it is closed with the test in any case
}
