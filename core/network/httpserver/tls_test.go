package httpserver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/network/certs/certstest"
	"github.com/sluicehq/sluice/core/network/wsserver"
	"github.com/sluicehq/sluice/protocol"
)

// encrypted gives options of a server with TLS, and the way in for clients.
func encrypted(t testing.TB) (Options, *tls.Config) {
	t.Helper()
	authority := certstest.New(t)
	o := options(t)
	o.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Pair().Load(t)}, MinVersion: tls.VersionTLS12}
	o.MaxStreams = 100
	return o, &tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS12}
}

// client speaks HTTP/2, or HTTP/1.1 alone.
func client(t testing.TB, c *tls.Config, http2 bool) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: c.Clone(), ForceAttemptHTTP2: http2}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func get(t testing.TB, c *http.Client, address string) (*http.Response, string) {
	t.Helper()
	resp, err := c.Get("https://" + address + "/_now")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestTLS(t *testing.T) {
	o, trust := encrypted(t)
	o.HSTSMaxAge = time.Hour
	var mu sync.Mutex
	ids := map[string]bool{}
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		ids[req.Connection.ID] = true
		return req.Connection.ClientIP, nil
	}}
	address, _ := serve(t, o)
	for protocol, wantsHTTP2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		clear(ids)
		c := client(t, trust, wantsHTTP2)
		for range 3 {
			resp, body := get(t, c, address)
			if resp.Proto != protocol || !strings.Contains(body, `"result":"127.0.0.1"`) {
				t.Errorf("%s %s, want %s", resp.Proto, body, protocol)
			}
			if got := resp.Header.Get("Strict-Transport-Security"); got != "max-age=3600" {
				t.Errorf("Strict-Transport-Security: %q", got)
			}
		}
		if len(ids) != 1 {
			t.Errorf("%s: one socket has %d ids", protocol, len(ids))
		}
	}
}

func TestPlainHTTPOnTLSPort(t *testing.T) {
	o, _ := encrypted(t)
	address, _ := serve(t, o)
	if a := do(t, address, request("GET /_now", "")); a.status != http.StatusBadRequest || !strings.Contains(a.body, "HTTP request to an HTTPS server") {
		t.Errorf("%d %q", a.status, a.body)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	o, trust := encrypted(t)
	address, _ := serve(t, o)
	trust.MinVersion, trust.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if conn, err := tls.Dial("tcp", address, trust); err == nil {
		conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

func TestWebSocketOverTLS(t *testing.T) {
	o, trust := encrypted(t)
	o.MessageTimeout, o.Unfinished = 10*time.Second, network.NewUnfinished(1<<20)
	o.WebSocket = wsserver.New(wsserver.Options{
		Base: o.Base, IdleTimeout: 10 * time.Second, MaxInFlight: 4, OutboxMessages: 16, OutboxBytes: 1 << 20, WriteTimeout: 5 * time.Second,
	})
	address, s := serve(t, o)
	get(t, client(t, trust, true), address) // HTTP/2 beside it
	dialer := websocket.Dialer{TLSClientConfig: trust}
	ws, resp, err := dialer.Dial("wss://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	_ = resp.Body.Close()
	for range 100 { // of several frames each
		large := `{"requestId":"r","controller":"a","action":"b","body":{"x":"` + strings.Repeat("x", 20<<10) + `"}}`
		if err := ws.WriteMessage(websocket.TextMessage, []byte(large)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := ws.ReadMessage(); err != nil || !bytes.Contains(got, []byte(`"room":"r"`)) {
			t.Fatalf("%.200s %v", got, err)
		}
	}
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseServiceRestart) {
		t.Errorf("closed with %v", err)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

// Who opens a connection and says nothing, or half of it, is gone after ReadHeaderTimeout.
func TestHalfHandshakes(t *testing.T) {
	o, trust := encrypted(t)
	o.ReadHeaderTimeout = 100 * time.Millisecond
	address, _ := serve(t, o)
	for name, part := range map[string]string{"nothing": "", "a record that does not end": "\x16\x03\x01\x02\x00\x01\x00"} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, part)
			closed(t, conn)
		})
	}
	t.Run("a handshake and nothing more", func(t *testing.T) {
		conn, err := tls.Dial("tcp", address, trust)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET /_now HTTP/1.1\r\nHost: loc")
		closed(t, conn)
	})
}

// Failed handshakes are told at level debug, and not all of those that come at once.
func TestHandshakeErrorsAreLoggedInMeasure(t *testing.T) {
	o, _ := encrypted(t)
	var mu sync.Mutex
	var log bytes.Buffer
	o.Logger = slog.New(slog.NewTextHandler(locked{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	address, _ := serve(t, o)
	const tries = 30 * errorsPerSecond
	for range tries {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "this is no TLS")
		closed(t, conn)
		conn.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	n := strings.Count(log.String(), "TLS handshake error")
	if n == 0 || n > tries/2 || strings.Count(log.String(), "level=DEBUG") != n {
		t.Errorf("%d of %d told:\n%.500s", n, tries, log.String())
	}
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// raw is a connection of HTTP/2 without a client's own ideas.
type raw struct {
	*http2.Framer
	conn   net.Conn
	fields bytes.Buffer
	hpack  *hpack.Encoder
}

func dialRaw(t testing.TB, address string, trust *tls.Config) *raw {
	t.Helper()
	c := trust.Clone()
	c.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", address, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, http2.ClientPreface)
	r := &raw{Framer: http2.NewFramer(conn, bufio.NewReader(conn)), conn: conn}
	r.hpack = hpack.NewEncoder(&r.fields)
	if err := r.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return r
}

// open begins a request on a stream, without its body.
func (r *raw) open(stream uint32, method, path string, end bool, more ...hpack.HeaderField) error {
	r.fields.Reset()
	for _, f := range [][2]string{{":method", method}, {":scheme", "https"}, {":authority", "localhost"}, {":path", path}, {"content-type", "application/json"}} {
		_ = r.hpack.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	for _, f := range more {
		_ = r.hpack.WriteField(f)
	}
	return r.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.fields.Bytes(), EndStream: end, EndHeaders: true})
}

// until reads frames up to one that ends is true of.
func (r *raw) until(ends func(http2.Frame) bool) error {
	for {
		f, err := r.ReadFrame()
		if err != nil || ends(f) {
			return err
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	o, trust := encrypted(t)
	o.MaxStreams = 3
	var running, most atomic.Int64
	end := make(chan struct{})
	o.Executor = executor{func(context.Context, *protocol.Request) (any, error) {
		most.Store(max(most.Load(), running.Add(1)))
		<-end
		running.Add(-1)
		return nil, nil
	}}
	address, _ := serve(t, o)
	r := dialRaw(t, address, trust)
	announced := false
	for stream := range uint32(5) {
		if err := r.open(2*stream+1, "GET", "/_now", true); err != nil {
			t.Fatal(err)
		}
	}
	refused := 0
	err := r.until(func(f http2.Frame) bool {
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if n, ok := f.Value(http2.SettingMaxConcurrentStreams); ok {
				announced = n == 3
			}
		case *http2.RSTStreamFrame:
			refused++
		}
		return refused == 2
	})
	close(end)
	if err != nil || !announced || most.Load() > 3 {
		t.Errorf("%v, announced %v, %d at once", err, announced, most.Load())
	}
}

// CVE-2023-44487: streams that are opened and given up as fast as the client can.
func TestRapidReset(t *testing.T) {
	o, trust := encrypted(t)
	o.MaxStreams = 4
	var running, most atomic.Int64
	end := make(chan struct{})
	o.Executor = executor{func(context.Context, *protocol.Request) (any, error) {
		n := running.Add(1)
		for {
			if seen := most.Load(); n <= seen || most.CompareAndSwap(seen, n) {
				break
			}
		}
		<-end // deaf to the client that has gone
		running.Add(-1)
		return nil, nil
	}}
	address, _ := serve(t, o)
	r := dialRaw(t, address, trust)
	goneAway := make(chan http2.ErrCode, 1)
	go func() {
		var code http2.ErrCode
		_ = r.until(func(f http2.Frame) bool {
			g, ok := f.(*http2.GoAwayFrame)
			if ok {
				code = g.ErrCode
			}
			return ok
		})
		goneAway <- code
	}()
	for stream := range uint32(1000) {
		if r.open(2*stream+1, "GET", "/_now", true) != nil || r.WriteRSTStream(2*stream+1, http2.ErrCodeCancel) != nil {
			break // the server has closed
		}
	}
	if code := <-goneAway; code != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("sent away with %v", code)
	}
	close(end)
	if most.Load() > 4 {
		t.Errorf("%d requests of one connection ran at once", most.Load())
	}
}

func TestHugeHeadersOverHTTP2(t *testing.T) {
	o, trust := encrypted(t)
	address, _ := serve(t, o)
	r := dialRaw(t, address, trust)
	var large []hpack.HeaderField
	for i := range 10 {
		large = append(large, hpack.HeaderField{Name: "x-" + itoa(i), Value: strings.Repeat("x", 1<<10)})
	}
	if err := r.open(1, "GET", "/_now", true, large...); err != nil {
		t.Fatal(err)
	}
	r.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var status string
	err := r.until(func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		if ok {
			status = h.PseudoValue("status")
		}
		return ok
	})
	if err != nil || status != "431" {
		t.Errorf("%s %v", status, err)
	}
	if err := r.open(3, "GET", "/_now", true); err != nil { // the connection goes on
		t.Fatal(err)
	}
	err = r.until(func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		return ok && h.StreamID == 3 && h.PseudoValue("status") == "200"
	})
	if err != nil {
		t.Error(err)
	}
}

// However many bodies are sent over one connection, they are read one after the other, and all arrive.
func TestBodiesOfOneConnection(t *testing.T) {
	o, trust := encrypted(t)
	o.MaxConnections = 1
	address, _ := serve(t, o)
	c := client(t, trust, true)
	get(t, c, address) // there is a connection for all
	body := `{"x":"` + strings.Repeat("x", int(o.MaxRequestBytes)-10) + `"}`
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() {
			resp, err := c.Post("https://"+address+"/i/c/_create", "application/json", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if n, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK || n < int64(len(body)) {
				t.Error(resp.Status, n, err)
			}
		})
	}
	all.Wait()
}

// A body that does not come keeps others of its connection waiting no longer than ReadTimeout; small ones do not wait.
func TestSlowBodyOverHTTP2(t *testing.T) {
	o, trust := encrypted(t)
	o.ReadTimeout = 300 * time.Millisecond
	address, _ := serve(t, o)
	r := dialRaw(t, address, trust)
	for _, stream := range []uint32{1, 3} {
		if err := r.open(stream, "POST", "/i/c/_create", false); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.open(5, "GET", "/_now", true); err != nil {
		t.Fatal(err)
	}
	var ended []uint32
	err := r.until(func(f http2.Frame) bool {
		if h := f.Header(); (f.Header().Type == http2.FrameData || h.Type == http2.FrameHeaders) && h.Flags.Has(http2.FlagDataEndStream) {
			ended = append(ended, h.StreamID)
		}
		return len(ended) == 3
	})
	if err != nil || ended[0] != 5 {
		t.Errorf("%v ended, %v", ended, err)
	}
}

func TestShutdownSendsGoAway(t *testing.T) {
	o, trust := encrypted(t)
	running, end := make(chan struct{}), make(chan struct{})
	o.Executor = executor{func(context.Context, *protocol.Request) (any, error) {
		close(running)
		<-end
		return "done", nil
	}}
	address, s := serve(t, o)
	r := dialRaw(t, address, trust)
	if err := r.open(1, "GET", "/_now", true); err != nil {
		t.Fatal(err)
	}
	<-running
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	err := r.until(func(f http2.Frame) bool {
		g, ok := f.(*http2.GoAwayFrame)
		return ok && g.ErrCode == http2.ErrCodeNo
	})
	if err != nil {
		t.Fatal(err)
	}
	close(end)
	var answer []byte
	err = r.until(func(f http2.Frame) bool {
		if d, ok := f.(*http2.DataFrame); ok {
			answer = append(answer, d.Data()...)
		}
		return f.Header().StreamID == 1 && f.Header().Flags.Has(http2.FlagDataEndStream)
	})
	if err != nil || !bytes.Contains(answer, []byte(`"result":"done"`)) {
		t.Errorf("%s %v", answer, err)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestConnectionsOverTLSAreCounted(t *testing.T) {
	o, trust := encrypted(t)
	o.MaxConnections = 1
	address, _ := serve(t, o)
	first := dialRaw(t, address, trust)
	if err := first.open(1, "GET", "/_now", true); err != nil {
		t.Fatal(err)
	}
	if err := first.until(func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders }); err != nil {
		t.Fatal(err)
	}
	if conn, err := tls.Dial("tcp", address, trust); err == nil {
		conn.Close()
		t.Error("there is room for a second")
	}
	first.conn.Close()
	for range 200 {
		conn, err := tls.Dial("tcp", address, trust)
		if err == nil {
			conn.Close()
			return
		}
		var closed *net.OpError
		if !errors.Is(err, io.EOF) && !errors.As(err, &closed) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("no room after the first has gone")
}
