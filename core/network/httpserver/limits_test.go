package httpserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/sluicehq/sluice/protocol"
)

func TestKeepsConnection(t *testing.T) {
	o := options(t)
	ids := make(chan string, 2)
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		ids <- req.Connection.ID
		return nil, nil
	}}
	address, _ := serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r, raw := bufio.NewReader(conn), request("GET /_now", "")
	var requestIDs []string
	for range 2 {
		io.WriteString(conn, raw)
		a := read(t, r, raw)
		requestIDs = append(requestIDs, a.field(t, "requestId"))
		if a.header.Get("Connection") != "" {
			t.Errorf("Connection: %s", a.header.Get("Connection"))
		}
	}
	if a, b := <-ids, <-ids; a != b {
		t.Errorf("one socket, connection ids %s and %s", a, b)
	}
	if requestIDs[0] == requestIDs[1] {
		t.Error("the request id was used twice")
	}
}

// closed waits until the server closes, and gives what it sent before.
func closed(t *testing.T, conn net.Conn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatalf("the connection is still open after %q", all)
	}
	return string(all)
}

func TestSlowHeaders(t *testing.T) {
	o := options(t)
	o.ReadHeaderTimeout = 50 * time.Millisecond
	address, _ := serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /_now HTTP/1.1\r\nHost: loc")
	closed(t, conn)
}

func TestSlowBody(t *testing.T) {
	o := options(t)
	o.ReadTimeout = 100 * time.Millisecond
	address, _ := serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /i/c/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
	if got := closed(t, conn); !strings.Contains(got, "network.http.unexpected_error") {
		t.Errorf("answered %q", got)
	}
}

func TestHugeHeaders(t *testing.T) {
	address, _ := serve(t, options(t))
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go io.WriteString(conn, request("GET /_now", "", "X: "+strings.Repeat("x", 20<<10)))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, " 431 ") {
		t.Errorf("%q %v", line, err)
	}
}

func TestHalfClosedClientIsAnswered(t *testing.T) {
	address, _ := serve(t, options(t))
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, request("GET /_now", ""))
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := closed(t, conn); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("answered %q", got)
	}
}

func TestClientThatGoesCancels(t *testing.T) {
	o := options(t)
	running, cancelled := make(chan struct{}), make(chan error, 1)
	o.Executor = executor{func(ctx context.Context, _ *protocol.Request) (any, error) {
		close(running)
		<-ctx.Done()
		cancelled <- ctx.Err()
		return nil, nil
	}}
	address, _ := serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, request("GET /_now", ""))
	<-running
	conn.Close()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
}

func TestTooManyConnections(t *testing.T) {
	o := options(t)
	o.MaxConnections = 2
	address, _ := serve(t, o)
	conns := make([]net.Conn, 3)
	raw := request("GET /_now", "")
	for i := range conns {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns[i] = conn
		if i < 2 {
			io.WriteString(conn, raw)
			read(t, bufio.NewReader(conn), raw)
		}
	}
	if got := closed(t, conns[2]); got != "" {
		t.Errorf("the third connection got %q", got)
	}
	if n := counted(o.Metrics.Refused); n != 1 {
		t.Errorf("%v refused connections", n)
	}
	// A connection that ends makes room.
	conns[0].Close()
	for range 100 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(conn, raw)
		_, err = http.ReadResponse(bufio.NewReader(conn), nil)
		conn.Close()
		if err == nil {
			return
		}
	}
	t.Error("no room after a connection ended")
}

func TestMount(t *testing.T) {
	o := options(t)
	o.Mount = func(m *mux.Router) {
		m.PathPrefix("/_console/").HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "console") })
	}
	address, _ := serve(t, o)
	if a := do(t, address, request("GET /_console/a/b", "")); a.body != "console" {
		t.Errorf("%s", a.body)
	}
	if a := do(t, address, request("GET /_now", "")); a.status != 200 {
		t.Errorf("%d", a.status)
	}

	// An entry without a path of its own is asked about everything.
	o = options(t)
	o.Mount = func(m *mux.Router) {
		m.Host("api.example").HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "host") })
	}
	address, _ = serve(t, o)
	if a := do(t, address, "GET /_now HTTP/1.1\r\nHost: api.example\r\n\r\n"); a.body != "host" {
		t.Errorf("%s", a.body)
	}
	if a := do(t, address, request("GET /_now", "")); a.status != 200 {
		t.Errorf("%d", a.status)
	}
}

func TestShutdownLetsRequestsEnd(t *testing.T) {
	o := options(t)
	running, end := make(chan struct{}), make(chan struct{})
	o.Executor = executor{func(context.Context, *protocol.Request) (any, error) {
		close(running)
		<-end
		return "done", nil
	}}
	address, s := serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, request("GET /_now", ""))
	<-running
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	for { // until nobody listens any more
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		c.Close()
	}
	select {
	case err := <-down:
		t.Fatalf("shutdown ended before the request: %v", err)
	default:
	}
	close(end)
	if got := closed(t, conn); !strings.Contains(got, `"result":"done"`) || !strings.Contains(got, "Connection: close") {
		t.Errorf("answered %q", got)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsOff(t *testing.T) {
	o := options(t)
	running, ended := make(chan struct{}), make(chan struct{})
	o.Executor = executor{func(ctx context.Context, _ *protocol.Request) (any, error) {
		close(running)
		<-ctx.Done()
		close(ended)
		return nil, nil
	}}
	address, s := serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, request("GET /_now", ""))
	<-running
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	<-ended
}

// Clients that never finish what they send hold up a stop for a moment, and are no failure.
func TestShutdownDoesNotWaitForHalfARequest(t *testing.T) {
	for name, part := range map[string]string{
		"headers": "POST /i/c/_create HTTP/1.1\r\nHost: loc",
		"body":    "POST /i/c/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
		"gzip":    "POST /_query HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n",
		"nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, s := serve(t, options(t))
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, part)
			do(t, address, request("GET /_now", "")) // the server has accepted the first one too
			ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
			defer cancel()
			if err := s.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if ctx.Err() != nil {
				t.Error("shutdown waited until the end")
			}
			ctx, cancel = context.WithTimeout(context.Background(), 0)
			defer cancel()
			if err := s.Shutdown(ctx); err != nil {
				t.Error("again:", err)
			}
		})
	}
}

// Who waits for an answer longer than others may send theirs is not cut off with them.
func TestShutdownLetsSlowRequestsEnd(t *testing.T) {
	t.Parallel()
	o := options(t)
	running, end := make(chan struct{}), make(chan struct{})
	o.Executor = executor{func(context.Context, *protocol.Request) (any, error) {
		close(running)
		<-end
		return "done", nil
	}}
	address, s := serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, request("POST /i/c/_create", "{}"))
	<-running
	time.AfterFunc(arrivalTime+5*busyPoll, func() { close(end) })
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if got := closed(t, conn); !strings.Contains(got, `"result":"done"`) {
		t.Errorf("answered %q", got)
	}
}
