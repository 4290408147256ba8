package httpserver

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
)

// large answers with so many bytes, and counts.
func large(bytes int, executed *atomic.Int64) executor {
	text := strings.Repeat("x", bytes)
	return executor{func(context.Context, *protocol.Request) (any, error) {
		executed.Add(1)
		return text, nil
	}}
}

// takesNothing opens a connection whose client lets no answer come.
func (r *raw) takesNothing(t *testing.T) {
	t.Helper()
	if err := r.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}); err != nil {
		t.Fatal(err)
	}
}

func TestAnswersOfOneConnectionAreBounded(t *testing.T) {
	o, trust := encrypted(t)
	o.ReadTimeout, o.WriteTimeout = 500*time.Millisecond, time.Minute
	var executed atomic.Int64
	o.Executor = large(1<<20, &executed)
	address, _ := serve(t, o)
	r := dialRaw(t, address, trust)
	r.takesNothing(t)
	const streams, most = 100, 2 * answersRoom >> 20
	for i := range streams {
		if err := r.open(uint32(2*i+1), "GET", "/_now", true); err != nil {
			t.Fatal(err)
		}
	}
	statuses := map[string]int64{}
	fields := hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		if f.Name == ":status" {
			statuses[f.Value]++
		}
	})
	if err := r.until(func(f http2.Frame) bool {
		if h, ok := f.(*http2.HeadersFrame); ok {
			if _, err := fields.Write(h.HeaderBlockFragment()); err != nil {
				t.Error(err)
			}
		}
		return statuses["200"]+statuses["503"] == streams
	}); err != nil {
		t.Fatal(statuses, err)
	}
	if n := executed.Load(); n == 0 || n > most || n != statuses["200"] {
		t.Errorf("%d were executed, and answered: %v", n, statuses)
	}
	if err := r.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 2 << 20}); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteWindowUpdate(0, 1<<30); err != nil {
		t.Fatal(err)
	}
	var bytes, ended int
	if err := r.until(func(f http2.Frame) bool {
		if d, ok := f.(*http2.DataFrame); ok {
			bytes += len(d.Data())
			if d.StreamEnded() {
				ended++
			}
		}
		return ended == streams
	}); err != nil || int64(bytes) < executed.Load()<<20 {
		t.Errorf("%d answers of %d bytes: %v", ended, bytes, err)
	}
}

// A client that reads gets all it asks for, however much it asks for at once.
func TestManyLargeAnswersOverOneConnection(t *testing.T) {
	const size = answersRoom / 16
	o, trust := encrypted(t)
	o.MaxConnections = 1
	var executed atomic.Int64
	o.Executor = large(size, &executed)
	address, _ := serve(t, o)
	c := client(t, trust, true)
	get(t, c, address) // there is a connection for all
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			resp, err := c.Get("https://" + address + "/_now")
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if n, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK || n < size {
				t.Error(resp.Status, n, err)
			}
		})
	}
	all.Wait()
}

// Requests that have no answer yet hold up others of their connection no longer than expectantTime.
func TestAnswersThatTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers()
		began := time.Now()
		var reserved int64
		for range 100 {
			bytes, ok := a.reserve(t.Context(), time.Hour)
			if !ok {
				t.Fatal("refused after", time.Since(began))
			}
			reserved += bytes
			if time.Since(began) > expectantTime*100 {
				t.Fatal("waited for", time.Since(began))
			}
		}
		a.hold(reserved, 2*answersRoom)
		if a.hold(0, network.UncountedBytes+1) {
			t.Error("twice the room was exceeded")
		}
		if _, ok := a.reserve(t.Context(), time.Hour); ok || time.Since(began) < time.Hour {
			t.Error("a request runs while its client takes nothing, after", time.Since(began))
		}
		freed := make(chan bool)
		go func() {
			_, ok := a.reserve(t.Context(), time.Hour)
			freed <- ok
		}()
		synctest.Wait()
		a.release(0, 2*answersRoom)
		if !<-freed || a.held != 0 || a.reserved != a.expected {
			t.Errorf("%+v", a)
		}
	})
}

func TestSlowReadersGiveWay(t *testing.T) {
	o := options(t)
	o.WriteTimeout, o.Unsent = time.Minute, network.NewUnsent(20<<20)
	var executed atomic.Int64
	o.Executor = large(16<<20, &executed)
	address, _ := serve(t, o)
	slow, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	io.WriteString(slow, request("GET /_now", ""))
	if _, err := slow.Read(make([]byte, 1)); err != nil {
		t.Fatal(err) // its answer has begun
	}
	for end := time.Now().Add(20 * time.Second); ; {
		a := do(t, address, request("GET /_now", ""))
		if a.status == http.StatusOK && len(a.body) > 16<<20 {
			break
		}
		if a.status != http.StatusServiceUnavailable || a.field(t, "error", "id") != "api.process.overloaded" || !strings.Contains(a.body, "server.maxUnsentSize") {
			t.Errorf("%d %.300s", a.status, a.body)
		}
		if time.Now().After(end) {
			t.Fatal("the slow client keeps its room")
		}
	}
	_ = slow.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, _ := io.Copy(io.Discard, slow); n >= 16<<20 {
		t.Error("the slow client got all of it")
	}
	if n := counted(o.Metrics.SlowClients); n != 1 {
		t.Errorf("%v connections were closed", n)
	}
}

// An answer that waits for its client does not keep the body of its request.
func TestBodiesGoBeforeTheirAnswers(t *testing.T) {
	o, trust := encrypted(t)
	o.WriteTimeout = time.Minute
	body := make(chan weak.Pointer[byte], 1)
	o.Executor = executor{func(_ context.Context, req *protocol.Request) (any, error) {
		body <- weak.Make(&req.Body[0])
		return true, nil
	}}
	address, _ := serve(t, o)
	r := dialRaw(t, address, trust)
	r.takesNothing(t)
	if err := r.open(1, "POST", "/i/c/_create", false); err != nil {
		t.Fatal(err)
	}
	text := `{"x":"` + strings.Repeat("x", network.UncountedBytes) + `"}`
	if err := r.WriteData(1, false, []byte(text[:len(text)/2])); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteData(1, true, []byte(text[len(text)/2:])); err != nil {
		t.Fatal(err)
	}
	if err := r.until(func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders }); err != nil {
		t.Fatal(err)
	}
	kept := <-body
	for end := time.Now().Add(10 * time.Second); kept.Value() != nil; runtime.GC() {
		if time.Now().After(end) {
			t.Fatal("the body is still there")
		}
	}
}
