package attacks

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

// upgraded opens a WebSocket whose frames the test writes itself.
func (n *target) upgraded() net.Conn {
	n.t.Helper()
	conn, err := net.Dial("tcp", n.Client.Address)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = conn.Close() })
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	var head []byte
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, one...) {
		if _, err := conn.Read(one); err != nil {
			n.t.Fatal(err)
		}
	}
	if status(string(head)) != http.StatusSwitchingProtocols {
		n.t.Fatalf("no WebSocket: %s", head)
	}
	return conn
}

// The first byte of a frame.
const (
	fin     = 0x80
	rsv1    = 0x40
	rsv3    = 0x10
	text    = 0x1
	closing = 0x8
	ping    = 0x9
)

// frame makes one as a client sends it, with a mask of zeros.
func frame(first byte, payload string) string { return announced(first, uint64(len(payload)), payload) }

// announced makes a frame whose length is not that of its payload.
func announced(first byte, length uint64, payload string) string {
	b := []byte{first}
	switch {
	case length < 126:
		b = append(b, 0x80|byte(length))
	case length < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), length)
	}
	return string(append(b, 0, 0, 0, 0)) + payload
}

// What no client of RFC 6455 sends ends the connection at once.
func TestFramesThatEndTheConnection(t *testing.T) {
	n := newTarget(t)
	now := envelope(n.root, "server", "now", "")
	for name, frames := range map[string]string{
		"unmasked":                 "\x81\x02{}",
		"reserved bit 1":           frame(fin|rsv1|text, now),
		"reserved bit 3":           frame(fin|rsv3|text, now),
		"unknown opcode":           frame(fin|0x3, now),
		"unknown control":          frame(fin|0xb, now),
		"long ping":                frame(fin|ping, strings.Repeat("x", 126)),
		"ping in parts":            frame(ping, "x"),
		"end of nothing":           frame(fin, now),
		"message within another":   frame(text, `{`) + frame(fin|text, now),
		"2^62 bytes":               announced(fin|text, 1<<62, ""),
		"negative length":          announced(fin|text, 1<<63|5, ""),
		"too long in parts":        frame(text, strings.Repeat("x", 60_000)) + strings.Repeat(frame(0, strings.Repeat("x", 60_000)), 20),
		"close of one byte":        frame(fin|closing, "x"),
		"close with a wrong code":  frame(fin|closing, "\x03\xed"),
		"close with invalid UTF-8": frame(fin|closing, "\x03\xe8\xff"),
		"many closes":              strings.Repeat(frame(fin|closing, ""), 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			conn := n.upgraded()
			io.WriteString(conn, frames) // it may be closed before the end
			if answer, open := untilClosed(t, conn); open || strings.Contains(answer, `"result"`) {
				t.Errorf("answered %q, open %t", answer, open)
			}
		})
	}
	n.answers()
}

// A client that sends as fast as it can and reads nothing costs a bounded amount of memory, and others are answered.
func TestFloodsOfFrames(t *testing.T) {
	n := newTarget(t)
	now := envelope(n.root, "server", "now", "")
	for name, frames := range map[string]string{
		"pings":            strings.Repeat(frame(fin|ping, strings.Repeat("p", 125)), 500),
		"tiny messages":    strings.Repeat(frame(fin|text, `{}`), 500),
		"empty messages":   strings.Repeat(frame(fin|text, ``), 500),
		"requests":         strings.Repeat(frame(fin|text, now), 500),
		"empty fragments":  frame(text, "") + strings.Repeat(frame(0, ""), 100_000) + frame(fin, ""),
		"pings in between": strings.Repeat(frame(text, "{")+frame(fin|ping, "p")+frame(fin, "}"), 200),
	} {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			conn := n.upgraded()
			if err := conn.SetWriteDeadline(time.Now().Add(2 * time.Second)); err != nil {
				t.Fatal(err)
			}
			for range 200 { // 100,000 of them, unless the node has enough before
				if _, err := io.WriteString(conn, frames); err != nil {
					break
				}
			}
			n.answers()
			runtime.GC()
			runtime.ReadMemStats(&after)
			if after.HeapInuse > before.HeapInuse+64<<20 {
				t.Errorf("the heap grew from %d to %d MB", before.HeapInuse>>20, after.HeapInuse>>20)
			}
		})
	}
}

// Subscriptions end at their bound, which is one of the connection: others subscribe on.
func TestFloodOfSubscriptions(t *testing.T) {
	n := newTarget(t, func(c *config.Config) { c.Limits.SubscriptionsPerConnection = 50 })
	n.collections()
	greedy, other := n.WebSocket(), n.WebSocket()
	subscribe := func(i int) string {
		return envelope(n.root, "realtime", "subscribe", `,"index":"i","collection":"c","body":{"equals":{"a":`+itoa(i)+`}}`)
	}
	taken := 0
	for i := range 60 {
		if a := greedy.Call(subscribe(i)); a.Status == http.StatusOK {
			taken++
		} else {
			wantRefused(t, a, "")
		}
	}
	if taken != 50 {
		t.Errorf("%d subscriptions were taken", taken)
	}
	if a := other.Call(subscribe(1000)); a.Status != http.StatusOK {
		t.Errorf("another client: %s", a.Body)
	}
}

// Clients that send a little and wait hold no request of others back, and are cut off.
func TestSlowClients(t *testing.T) {
	n := newTarget(t, func(c *config.Config) {
		c.Server.ReadHeaderTimeout, c.Server.ReadTimeout = time.Second, 2*time.Second
		c.WebSocket.IdleTimeout = 2 * time.Second
	})
	slow := map[net.Conn]string{}
	for _, begin := range []string{
		"", "G", "GET /_now HTTP/1.1\r\nHost: localhost\r\nX: ",
		"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Ver",
		"POST /_query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
		"POST /_query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{",
		"POST /_query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;",
	} {
		for range 50 {
			conn, err := net.Dial("tcp", n.Client.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, begin)
			slow[conn] = begin
		}
	}
	conn := n.upgraded()
	io.WriteString(conn, announced(fin|text, 100, "{"))
	slow[conn] = "half a frame"
	n.answers()
	for conn, begin := range slow {
		if all, open := untilClosed(t, conn); open {
			t.Errorf("%q keeps a connection, answered %q", begin, all)
		}
	}
}
