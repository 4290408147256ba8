package httpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

func itoa(n int) string { return strconv.Itoa(n) }

func now(context.Context, *protocol.Request) (any, error) {
	return jsontext.Value(`{"now":1764000000000}`), nil
}

// sink is a ResponseWriter that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

// BenchmarkHandler is the way of a request without any socket: own entries or API, route, arguments, envelope.
func BenchmarkHandler(b *testing.B) {
	o := options(b)
	o.Executor = executor{now}
	s := New(o)
	for _, url := range []string{"/_now", "/index/collection/id?refresh=wait_for"} {
		b.Run(url, func(b *testing.B) {
			r := httptest.NewRequest("GET", url, nil)
			r = r.WithContext(context.WithValue(r.Context(), socketKey{}, newSocket("127.0.0.1:4")))
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(&sink{make(http.Header, 16)}, r)
			}
		})
		b.Run("without mux"+url, func(b *testing.B) {
			r := httptest.NewRequest("GET", url, nil)
			r = r.WithContext(context.WithValue(r.Context(), socketKey{}, newSocket("127.0.0.1:4")))
			b.ReportAllocs()
			for b.Loop() {
				s.serveAPI(&sink{make(http.Header, 16)}, r)
			}
		})
	}
}

// BenchmarkSockets compares server:now over 64 kept connections with a bare handler that answers the same bytes. The
// clients run in the same process and cost both the same.
func BenchmarkSockets(b *testing.B) {
	o := options(b)
	o.Executor = executor{now}
	const raw = "GET /_now HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n"
	address, s := serve(b, o)
	whole := do(b, address, raw)
	b.Run("api", func(b *testing.B) { load(b, address, raw) })
	bare := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = s.fixed.json
		w.Header()["Content-Length"] = []string{itoa(len(whole.body))}
		_, _ = io.WriteString(w, whole.body)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go bare.Serve(l)
	defer bare.Close()
	b.Run("bare", func(b *testing.B) { load(b, l.Addr().String(), raw) })
}

// load sends b.N requests over 64 connections and reads the answers.
func load(b *testing.B, address, raw string) {
	length := len(do(b, address, raw).body)
	b.SetParallelism(32) // times GOMAXPROCS
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		for pb.Next() {
			_, _ = io.WriteString(conn, raw)
			if err := skipAnswer(r, length); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func skipAnswer(r *bufio.Reader, length int) error {
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && string(line) != "HTTP/1.1 200 OK\r\n":
			return fmt.Errorf("answer %q", line)
		case len(line) == 2:
			_, err = r.Discard(length)
			return err
		}
	}
}
