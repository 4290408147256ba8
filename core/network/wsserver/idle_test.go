package wsserver

import (
	"net"
	"runtime"
	"testing"

	"github.com/gorilla/websocket"
)

// BenchmarkIdleConnection reports what a connection that asked once and is silent now holds, in bytes of heap and stacks.
// The clients are bare sockets after their handshake.
func BenchmarkIdleConnection(b *testing.B) {
	address, s := serve(b, options(b, now))
	const count = 2000
	used := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := used()
	sockets := make([]net.Conn, count)
	dialer := websocket.Dialer{ReadBufferSize: 256, WriteBufferSize: 256}
	for i := range sockets {
		ws, resp, err := dialer.Dial("ws://"+address, nil)
		if err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
		c := client{ws, b}
		c.send(benchMessage)
		c.receive()
		sockets[i] = ws.NetConn()
	}
	for b.Loop() {
	}
	b.ReportMetric((float64(used())-float64(before))/count, "bytes/connection")
	if n := s.o.Connections.Len(); n != count {
		b.Errorf("%d connections", n)
	}
	for _, c := range sockets {
		_ = c.Close()
	}
}
