package wsserver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// BenchmarkBroadcast sends messages of 400 bytes to every one of the connections, from as many publishers as the name says,
// each waiting until the last was queued. b.N counts deliveries; bare is the same by gorilla/websocket alone, one goroutine
// writing a prepared message to one connection after the other.
func BenchmarkBroadcast(b *testing.B) {
	text := append(make([]byte, 0, 400), `{"room":"`...)
	for len(text) < cap(text)-2 {
		text = append(text, 'x')
	}
	text = append(text, `"}`...)
	for _, size := range []int{1000, 5000} {
		b.Run(fmt.Sprintf("%d/bare", size), func(b *testing.B) { broadcastBare(b, size, text) })
		for _, publishers := range []int{1, 4, 16} {
			b.Run(fmt.Sprintf("%d/publishers=%d", size, publishers), func(b *testing.B) { broadcast(b, size, publishers, text) })
		}
	}
}

func broadcast(b *testing.B, size, publishers int, text []byte) {
	o := options(b, now)
	o.OutboxMessages, o.OutboxBytes = 4096, 4<<20
	opened := make(chan network.Connection, size)
	o.OnOpen = func(info *protocol.Connection) { opened <- o.Connections.Get(info.ID) }
	address, s := serve(b, o)
	received := readAll(b, address, size)
	subscribers := make([]network.Connection, size)
	for i := range subscribers {
		subscribers[i] = <-opened
	}
	rounds := int64(max(b.N/size, 1))
	var begun atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for range publishers {
		all.Go(func() {
			for begun.Add(1) <= rounds {
				m := &realtime.Message{JSON: text}
				for _, c := range subscribers {
					if !c.Deliver(m) {
						b.Error("a subscriber was too slow")
						return
					}
				}
				s.Pace(context.Background())
			}
		})
	}
	all.Wait()
	received(rounds * int64(size) * int64(len(text)+4))
	b.ReportMetric(float64(rounds)*float64(size)/b.Elapsed().Seconds(), "deliveries/s")
}

func broadcastBare(b *testing.B, size int, text []byte) {
	up := websocket.Upgrader{ReadBufferSize: 1 << 10, WriteBufferPool: &sync.Pool{}}
	opened := make(chan *websocket.Conn, size)
	bare := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		opened <- ws
		for {
			if _, _, err := ws.NextReader(); err != nil {
				return
			}
		}
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go bare.Serve(l)
	defer bare.Close()
	received := readAll(b, l.Addr().String(), size)
	subscribers := make([]*websocket.Conn, size)
	for i := range subscribers {
		subscribers[i] = <-opened
	}
	rounds := max(b.N/size, 1)
	b.ReportAllocs()
	b.ResetTimer()
	for range rounds {
		prepared, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
		if err != nil {
			b.Fatal(err)
		}
		for _, ws := range subscribers {
			if err := ws.WritePreparedMessage(prepared); err != nil {
				b.Fatal(err)
			}
		}
	}
	received(int64(rounds) * int64(size) * int64(len(text)+4))
	b.ReportMetric(float64(rounds)*float64(size)/b.Elapsed().Seconds(), "deliveries/s")
}

// readAll opens connections and reads from them, as cheaply as can be. The function waits until they have so many bytes.
func readAll(b *testing.B, address string, size int) func(bytes int64) {
	var got atomic.Int64
	var want atomic.Int64
	want.Store(-1)
	done := make(chan struct{}, size)
	for range size {
		ws := dial(b, address)
		conn := ws.NetConn()
		go func() {
			buf := make([]byte, 64<<10)
			for {
				n, err := conn.Read(buf)
				if got.Add(int64(n)) == want.Load() {
					done <- struct{}{}
				}
				if err != nil {
					return
				}
			}
		}()
	}
	return func(bytes int64) {
		if want.Store(bytes); got.Load() < bytes {
			<-done
		}
	}
}
