package httpserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// log is what the server logged.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// streaming is a server whose only answer is s.
func streaming(t *testing.T, s protocol.Stream) (Options, *log) {
	t.Helper()
	o, l := options(t), &log{}
	o.Logger = slog.New(slog.NewTextHandler(l, nil))
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		req.Reply.ContentType = "text/csv"
		req.Reply.SetHeader("Content-Disposition", "attachment")
		return s, nil
	}}
	return o, l
}

func TestStream(t *testing.T) {
	o, l := streaming(t, func(_ context.Context, w io.Writer) error {
		for range 1000 {
			if _, err := io.WriteString(w, "0123456789"); err != nil {
				return err
			}
		}
		return nil
	})
	address, _ := serve(t, o)
	sent := counted(o.Metrics.HTTP.Sent)
	a := do(t, address, request("GET /_now?pretty", "", "Accept-Encoding: gzip;q=1", "Origin: https://app.example"))
	if a.status != 200 || a.body != strings.Repeat("0123456789", 1000) {
		t.Errorf("%d, %d bytes", a.status, len(a.body))
	}
	for name, want := range map[string]string{
		"Content-Type": "text/csv", "Content-Disposition": "attachment", "Content-Length": "", "Content-Encoding": "",
		"X-Kuzzle-Node": "node-1", "Access-Control-Allow-Origin": "https://app.example", "Cache-Control": "no-store",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := counted(o.Metrics.HTTP.Sent) - sent; got != 10000 {
		t.Errorf("%v bytes counted", got)
	}
	if l.String() != "" {
		t.Error(l.String())
	}
}

func TestStreamOfNothing(t *testing.T) {
	o, _ := streaming(t, func(context.Context, io.Writer) error { return nil })
	address, _ := serve(t, o)
	if a := do(t, address, request("GET /_now", "")); a.status != 200 || a.body != "" || a.header.Get("Content-Type") != "text/csv" {
		t.Errorf("%+v", a)
	}
}

// TestStreamThatFailsAtOnce is answered like an action that fails, and the connection goes on.
func TestStreamThatFailsAtOnce(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		id     string
		logged bool
	}{
		{kerror.ServicesStorageUnknownIndex.New("i"), 412, "services.storage.unknown_index", false},
		{errors.New("disk"), 500, "core.fatal.unexpected_error", true},
	} {
		o, l := streaming(t, func(context.Context, io.Writer) error { return c.err })
		address, _ := serve(t, o)
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		answers := bufio.NewReader(conn)
		for range 2 {
			raw := request("GET /_now", "")
			if _, err := io.WriteString(conn, raw); err != nil {
				t.Fatal(err)
			}
			a := read(t, answers, raw)
			if a.status != c.status || a.field(t, "error", "id") != c.id || a.header.Get("Content-Disposition") != "" {
				t.Errorf("%+v", a)
			}
		}
		if logged := strings.Contains(l.String(), "stream failed"); logged != c.logged {
			t.Errorf("log: %s", l)
		}
	}
}

// TestStreamThatFailsLate: the client sees that something is missing, and the log says why.
func TestStreamThatFailsLate(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return kerror.ServicesStorageNotConnected.Wrap(errors.New("gone")) },
		"panic": func() error { panic("gone") },
	} {
		o, l := streaming(t, func(_ context.Context, w io.Writer) error {
			if _, err := io.WriteString(w, strings.Repeat("x", 10000)); err != nil {
				return err
			}
			return fail()
		})
		address, _ := serve(t, o)
		resp, err := http.Get("http://" + address + "/_now")
		if err != nil {
			t.Fatal(name, err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || err == nil {
			t.Errorf("%s: %d, %d bytes, %v", name, resp.StatusCode, len(body), err)
		}
		if !strings.Contains(l.String(), "gone") || strings.Count(l.String(), "level=ERROR") != 1 {
			t.Errorf("%s: log: %s", name, l)
		}
	}
}

// TestStreamToNobody ends when the client goes, whether it is writing or waiting, and that is no error.
func TestStreamToNobody(t *testing.T) {
	for name, write := range map[string]bool{"writing": true, "waiting": false} {
		ended := make(chan error, 1)
		o, l := streaming(t, func(ctx context.Context, w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("x", 10000))
			for err == nil && write {
				_, err = io.WriteString(w, strings.Repeat("x", 10000))
			}
			if !write {
				<-ctx.Done()
				err = ctx.Err()
			}
			ended <- err
			return err
		})
		address, _ := serve(t, o)
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request("GET /_now", "")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: it goes on", name)
		}
		if l.String() != "" {
			t.Errorf("%s: %s", name, l)
		}
	}
}

// TestStreamOutlivesTheTimes: neither the time of a request nor that of an answer counts for a whole stream, but a client
// that takes nothing for the second is cut off.
func TestStreamOutlivesTheTimes(t *testing.T) {
	const patience = 200 * time.Millisecond
	cut := make(chan error, 1)
	o, _ := streaming(t, func(_ context.Context, w io.Writer) error {
		for range 5 {
			time.Sleep(patience / 2) // as an engine that is slow
			if _, err := io.WriteString(w, strings.Repeat("x", 10000)); err != nil {
				return err
			}
		}
		return nil
	})
	o.RequestTimeout, o.WriteTimeout = patience, patience
	address, _ := serve(t, o)
	if a := do(t, address, request("GET /_now", "")); a.status != 200 || len(a.body) != 50000 {
		t.Errorf("%d, %d bytes", a.status, len(a.body))
	}

	o, _ = streaming(t, func(_ context.Context, w io.Writer) error {
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 100000)); err != nil {
				cut <- err
				return err
			}
		}
	})
	o.WriteTimeout = patience
	address, _ = serve(t, o)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request("GET /_now", "")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-cut:
	case <-time.After(5 * time.Second):
		t.Error("a client that takes nothing is waited for")
	}
}
