package network

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRequestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancelCause(context.WithValue(context.Background(), t, "value"))
		fresh := func() *requestContext {
			return &requestContext{parent: parent, deadline: time.Now().Add(time.Second)}
		}
		c := fresh()
		if c.Err() != nil || c.Value(t) != "value" {
			t.Error("a new context has ended")
		}
		child, stop := context.WithCancel(c)
		defer stop()
		time.Sleep(time.Second)
		<-child.Done()
		synctest.Wait()
		if !errors.Is(c.Err(), context.DeadlineExceeded) || !errors.Is(child.Err(), context.DeadlineExceeded) || c.Value(t) != "value" {
			t.Errorf("at the deadline: %v, child %v", c.Err(), child.Err())
		}

		c = fresh()
		time.Sleep(time.Second)
		if !errors.Is(c.Err(), context.DeadlineExceeded) {
			t.Errorf("at the deadline, nobody waiting: %v", c.Err())
		}
		<-c.Done()

		c = fresh()
		waiting := c.Done()
		c.release()
		<-waiting
		if !errors.Is(c.Err(), context.Canceled) {
			t.Errorf("released: %v", c.Err())
		}
		c = fresh()
		c.release()
		if !errors.Is(c.Err(), context.Canceled) {
			t.Errorf("released, nobody waiting: %v", c.Err())
		}
		<-c.Done()

		c = fresh()
		defer c.release()
		waiting = c.Done()
		gone := errors.New("gone")
		cancel(gone)
		<-waiting
		if !errors.Is(c.Err(), context.Canceled) || !errors.Is(context.Cause(c), gone) {
			t.Errorf("parent cancelled: %v because of %v", c.Err(), context.Cause(c))
		}
		early, stop := context.WithTimeout(context.Background(), time.Millisecond)
		defer stop()
		c = &requestContext{parent: early, deadline: time.Now().Add(time.Hour)}
		if d, ok := c.Deadline(); !ok || time.Until(d) > time.Millisecond {
			t.Errorf("deadline %v", d)
		}
	})
}

func TestNewID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	known := map[string]bool{}
	for range 1000 {
		id := NewID()
		if !form.MatchString(id) || known[id] {
			t.Fatal(id)
		}
		known[id] = true
	}
}

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewID()
	}
}

func TestTooDeep(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"a":[`, n) + strings.Repeat("]}", n) }
	for text, want := range map[string]bool{
		"":                     false,
		nested(MaxDepth / 2):   false,
		nested(MaxDepth/2 + 1): true,
		`"` + strings.Repeat("[", 2*MaxDepth) + `"`:           false,
		`"\"` + strings.Repeat("[", 2*MaxDepth) + `"`:         false,
		`"\\"` + strings.Repeat("[", 2*MaxDepth):              true,
		"[" + strings.Repeat("[],", 2*MaxDepth) + "[]]":       false,
		"[" + strings.Repeat(`{"a":"[\"{"},`, MaxDepth) + "]": false,
	} {
		if got := TooDeep([]byte(text)); got != want {
			t.Errorf("%.40q: %v", text, got)
		}
	}
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		list     []string
		patterns bool
		origin   string
		want     bool
	}{
		{[]string{"*"}, false, "https://any.example", true},
		{[]string{"*"}, true, "https://any.example", true},
		{nil, false, "https://any.example", false},
		{[]string{"https://a.example"}, false, "https://a.example", true},
		{[]string{"https://a.example"}, false, "https://a.example.evil", false},
		{[]string{`https://.*\.a\.example`}, true, "https://x.a.example", true},
		{[]string{`https://a\.example`}, true, "https://a.example.evil", false},
		{[]string{`https://a\.example|http://b`}, true, "http://b.evil", false},
	} {
		o, err := NewOrigins(c.list, c.patterns)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Allowed(c.origin); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if _, err := NewOrigins([]string{"("}, true); err == nil {
		t.Error("a broken pattern was taken")
	}
}

func TestFromThisMachine(t *testing.T) {
	for _, c := range []struct {
		peer, host, header string
		machine, admitted  bool
	}{
		{"127.0.0.1:1", "localhost", "", true, true},
		{"[::1]:1", "[::1]:7512", "", true, true},
		{"[::ffff:127.0.0.1]:1", "127.0.0.1", "", true, true},
		{"192.0.2.1:1", "localhost", "", false, false},
		{"", "localhost", "", false, false},
		{"127.0.0.1:1", "evil.example", "", false, false},
		{"127.0.0.1:1", "", "", false, false},

		{"127.0.0.1:1", "localhost", "X-Forwarded-For: 127.0.0.1, ::1, [::1]:80, 127.0.0.2:4711", true, true},
		{"127.0.0.1:1", "localhost", "X-Forwarded-For: 8.8.8.8", false, false},
		{"127.0.0.1:1", "localhost", "X-Forwarded-For: 8.8.8.8, 127.0.0.1", false, false},
		{"127.0.0.1:1", "localhost", "X-Forwarded-For: 8.8.8.8" + strings.Repeat(",127.0.0.1", 100), false, false},
		{"127.0.0.1:1", "localhost", "X-Forwarded-For: 127.0.0.1, 8.8.8.8", false, false},
		{"127.0.0.1:1", "localhost", "X-Forwarded-For: unknown", false, false},
		{"127.0.0.1:1", "localhost", "X-Forwarded-For: ", false, false},
		{"127.0.0.1:1", "localhost", "X-Real-IP: 127.0.0.1", true, true},
		{"127.0.0.1:1", "localhost", "X-Real-IP: 8.8.8.8", false, false},
		{"127.0.0.1:1", "localhost", "X-Real-IP: localhost", false, false},
		{"127.0.0.1:1", "localhost", "X-Forwarded-Host: localhost:80", true, true},
		{"127.0.0.1:1", "localhost", "X-Forwarded-Host: evil.example", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=127.0.0.1;proto=http;by=127.0.0.1;host=localhost, For=\"[::1]:4711\"", true, true},
		{"127.0.0.1:1", "localhost", "Forwarded: for=8.8.8.8", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=127.0.0.1, for=8.8.8.8", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=127.0.0.1;for=\"8.8.8.8\"", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=127.0.0.1;x=\"a;for=8.8.8.8\"", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=\"127.0.0.1\\\"\"", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=127.0.0.1;by=192.0.2.1", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=127.0.0.1;host=evil.example", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=_hidden", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: for=unknown", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: proto=https", false, false},
		{"127.0.0.1:1", "localhost", "Forwarded: ", false, false},

		{"127.0.0.1:1", "localhost", "Origin: http://localhost:8080", true, true},
		{"127.0.0.1:1", "localhost", "Origin: https://evil.example", true, false},
		{"127.0.0.1:1", "localhost", "Origin: null", true, false},
		{"127.0.0.1:1", "localhost", "Sec-Fetch-Site: none", true, true},
		{"127.0.0.1:1", "localhost", "Sec-Fetch-Site: same-origin", true, true},
		{"127.0.0.1:1", "localhost", "Sec-Fetch-Site: same-site", true, true},
		{"127.0.0.1:1", "localhost", "Sec-Fetch-Site: cross-site", true, false},
		{"127.0.0.1:1", "localhost", "Sec-Fetch-Site: new-site", true, false},
		{"127.0.0.1:1", "localhost", "Sec-Fetch-Site: cross-site\nOrigin: http://127.0.0.1:8080", true, true},
	} {
		r := &http.Request{RemoteAddr: c.peer, Host: c.host, Header: http.Header{}}
		for line := range strings.Lines(c.header) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			r.Header.Add(name, value)
		}
		if got := FromThisMachine(r); got != c.machine {
			t.Errorf("%+v: from this machine: %v", c, got)
		}
		err := AdmitFromThisMachine(r)
		if got := err == nil; got != c.admitted || !got && !errors.Is(err, kerror.APIProcessUnauthorizedOrigin) {
			t.Errorf("%+v: admitted: %v", c, err)
		}
	}
}

func TestLoopbackHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "a.localhost": true, "127.0.0.1": true, "127.1.2.3:80": true, "[::1]": true, "[::1]:80": true,
		"::1": true, "[::ffff:127.0.0.1]:80": true,
		"": false, "0.0.0.0": false, "localhost.example": false, "notlocalhost": false, "127.0.0.1.example": false, "127.1": false, "2130706433": false, "localhost.": false,
	} {
		if got := LoopbackHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

type panics struct{}

func (panics) Execute(context.Context, *protocol.Request) *protocol.Response { panic("secret") }

func TestRunRecovers(t *testing.T) {
	b := Base{Executor: panics{}, Logger: slog.New(slog.DiscardHandler), NodeID: "n", RequestTimeout: time.Second}
	resp := b.Run(context.Background(), &protocol.Request{RequestID: "r"})
	if resp.Status != 500 || !errors.Is(resp.Error, kerror.CoreFatalUnexpectedError) || resp.RequestID != "r" || resp.Node != "n" ||
		strings.Contains(resp.Error.Message, "secret") {
		t.Errorf("%+v %v", resp, resp.Error)
	}
}

func TestBufferIsNotKeptWhenHuge(t *testing.T) {
	var none *Buffer
	none.Release()
	b := GetBuffer()
	b.B = append(b.B, make([]byte, maxPooledBytes+1)...)
	b.Release()
	if b := GetBuffer(); len(b.B) != 0 || cap(b.B) > maxPooledBytes {
		t.Errorf("length %d, capacity %d", len(b.B), cap(b.B))
	}
}
