package upstream

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func client(t *testing.T, o Options) *Client {
	t.Helper()
	o.Name = "test"
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// statuses answers one status after the other, the last one for ever, and counts.
func statuses(t *testing.T, list ...int) (string, *atomic.Int32) {
	calls := &atomic.Int32{}
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(list[min(int(calls.Add(1)), len(list))-1])
	}), calls
}

func expectOutcome(t *testing.T, err error, want Outcome) *Error {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Outcome != want || failed.Upstream != "test" {
		t.Fatalf("got %v, want %s", err, want)
	}
	return failed
}

func TestWhatArrives(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.String() != "/api/v1/a%2Fb?q=1+2" || string(b) != "x=1" ||
			r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("X-Correlator") != "c-1" ||
			r.Header.Get("Authorization") != "Bearer s" {
			t.Errorf("%s %s %q %v", r.Method, r.URL, b, r.Header)
		}
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(429)
		_, _ = io.WriteString(w, "later")
	})
	header := http.Header{"Authorization": {"Bearer s"}}
	a, err := client(t, Options{BaseURL: base + "/api/"}).Do(t.Context(), Call{
		Method: "POST", Path: "/v1/a%2Fb", Query: url.Values{"q": {"1 2"}}, Header: header, Body: []byte("x=1"),
		ContentType: "application/x-www-form-urlencoded", Correlator: "c-1",
	})
	if err != nil || a.Status != 429 || string(a.Body) != "later" || a.Header.Get("Retry-After") != "3" {
		t.Errorf("%+v %v", a, err)
	}
	if len(header) != 1 {
		t.Errorf("the caller's header was changed: %v", header)
	}
}

func TestRetry(t *testing.T) {
	for _, c := range []struct {
		name       string
		idempotent bool
		statuses   []int
		want       int
		calls      int32
	}{
		{"a good one", true, []int{200}, 200, 1},
		{"503 once", true, []int{503, 200}, 200, 2},
		{"502 for ever", true, []int{502}, 502, 2},
		{"504 once", true, []int{504, 404}, 404, 2},
		{"500 is not repeated", true, []int{500, 200}, 500, 1},
		{"429 is not repeated", true, []int{429, 200}, 429, 1},
		{"nor what is not idempotent", false, []int{503, 200}, 503, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			base, calls := statuses(t, c.statuses...)
			a, err := client(t, Options{BaseURL: base}).Do(t.Context(), Call{Method: "GET", Idempotent: c.idempotent})
			if err != nil || a.Status != c.want || calls.Load() != c.calls {
				t.Errorf("%d %v after %d calls", a.Status, err, calls.Load())
			}
		})
	}
}

func TestRetryAfterAFailureToConnect(t *testing.T) {
	address := freeAddress(t)
	var seen []Outcome
	c := client(t, Options{BaseURL: "http://" + address, Observe: func(o Outcome, _ time.Duration) { seen = append(seen, o) }})
	_, err := c.Do(t.Context(), Call{Method: "POST"})
	expectOutcome(t, err, Unreachable)
	if !slices.Equal(seen, []Outcome{Unreachable, Unreachable}) {
		t.Errorf("attempts %v", seen)
	}
}

func TestUnreachableAfterItWasThere(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	c := client(t, Options{BaseURL: s.URL})
	if _, err := c.Do(t.Context(), Call{Method: "POST"}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, err := c.Do(t.Context(), Call{Method: "POST"})
	expectOutcome(t, err, Unreachable)
}

// A service that closes the connection without an answer may have seen the call, over a new connection as over a kept one.
func TestConnectionThatBreaksBeforeAnAnswer(t *testing.T) {
	for _, kept := range []int32{0, 1} {
		for _, idempotent := range []bool{false, true} {
			var calls atomic.Int32
			base := serve(t, func(http.ResponseWriter, *http.Request) {
				if calls.Add(1) == kept+1 {
					panic(http.ErrAbortHandler)
				}
			})
			c := client(t, Options{BaseURL: base})
			call := Call{Method: "POST", Idempotent: idempotent}
			for range kept {
				if _, err := c.Do(t.Context(), call); err != nil {
					t.Fatal(err)
				}
			}
			_, err := c.Do(t.Context(), call)
			want := kept + 1
			if idempotent {
				want++
				if err != nil {
					t.Error(err)
				}
			} else if failed := expectOutcome(t, err, Unreachable); !failed.sent {
				t.Error("the service had the call")
			}
			if calls.Load() != want {
				t.Errorf("%d calls, want %d", calls.Load(), want)
			}
		}
	}
}

func TestTimeLimits(t *testing.T) {
	release := make(chan struct{})
	base := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	c := client(t, Options{BaseURL: base, Timeout: 20 * time.Millisecond, BreakerFailures: 1})
	gone, cancel := context.WithCancel(t.Context())
	time.AfterFunc(2*time.Millisecond, cancel)
	_, err := c.Do(gone, Call{Method: "GET"})
	expectOutcome(t, err, Cancelled)
	_, err = c.Do(t.Context(), Call{Method: "GET"}) // a caller that gives up does not open the breaker
	expectOutcome(t, err, Timeout)
	_, err = c.Do(t.Context(), Call{Method: "GET"})
	expectOutcome(t, err, Open)
}

func TestAnswersThatAreNoneOrTooLarge(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = io.WriteString(w, strings.Repeat("x", 11))
		case "/fits":
			_, _ = io.WriteString(w, strings.Repeat("x", 10))
		case "/cut":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "x")
		case "/rubbish":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "no HTTP\r\n\r\n")
			_ = conn.Close()
		default:
			panic(http.ErrAbortHandler)
		}
	})
	c := client(t, Options{BaseURL: base, MaxResponseBytes: 10})
	for path, want := range map[string]Outcome{
		"/large": Malformed, "/cut": Malformed, "/rubbish?secret=1": Malformed, "/abort?secret=1": Unreachable,
	} {
		_, err := c.Do(t.Context(), Call{Method: "POST", Path: path})
		if failed := expectOutcome(t, err, want); strings.Contains(failed.Error(), "secret") {
			t.Errorf("the query is in %v", failed)
		}
	}
	if a, err := c.Do(t.Context(), Call{Method: "GET", Path: "/fits"}); err != nil || len(a.Body) != 10 {
		t.Errorf("%v %v", a, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	a, err := client(t, Options{BaseURL: base}).Do(t.Context(), Call{Method: "GET"})
	if err != nil || a.Status != 302 || a.Header.Get("Location") != "/elsewhere" {
		t.Errorf("%v %v", a, err)
	}
}

func TestBreaker(t *testing.T) {
	base, calls := statuses(t, 500, 500, 500, 500, 200)
	c := client(t, Options{BaseURL: base, BreakerFailures: 3, BreakerDelay: 50 * time.Millisecond})
	for range 3 {
		if a, err := c.Do(t.Context(), Call{Method: "GET"}); err != nil || a.Status != 500 {
			t.Fatal(a, err)
		}
	}
	_, err := c.Do(t.Context(), Call{Method: "GET"})
	if failed := expectOutcome(t, err, Open); failed.RetryAfter <= 0 || failed.RetryAfter > 50*time.Millisecond || calls.Load() != 3 {
		t.Errorf("%v, %d calls", failed.RetryAfter, calls.Load())
	}
	awaitCalls(t, c, calls, 4) // half-open: one trial, which fails
	_, err = c.Do(t.Context(), Call{Method: "GET"})
	expectOutcome(t, err, Open)
	awaitCalls(t, c, calls, 5) // and one that succeeds
	if a, err := c.Do(t.Context(), Call{Method: "GET"}); err != nil || a.Status != 200 {
		t.Errorf("%v %v", a, err)
	}
}

// awaitCalls calls until the service has been reached so many times.
func awaitCalls(t *testing.T, c *Client, calls *atomic.Int32, want int32) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); calls.Load() < want; time.Sleep(time.Millisecond) {
		_, _ = c.Do(t.Context(), Call{Method: "GET"})
		if time.Now().After(deadline) {
			t.Fatal("the breaker stays open")
		}
	}
}

func TestBreakerUnderConcurrency(t *testing.T) {
	base, calls := statuses(t, 500)
	c := client(t, Options{BaseURL: base, BreakerFailures: 5, BreakerDelay: time.Hour})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				_, _ = c.Do(t.Context(), Call{Method: "GET"})
			}
		})
	}
	all.Wait()
	if got := calls.Load(); got < 5 || got > 5+8 {
		t.Errorf("%d calls reached a failing service", got)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	_, err := client(t, Options{BaseURL: s.URL}).Do(t.Context(), Call{Method: "GET"})
	expectOutcome(t, err, Unreachable) // nobody we trust signed it
	file := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := client(t, Options{BaseURL: s.URL, CAFile: file}).Do(t.Context(), Call{Method: "GET"}); err != nil || a.Status != 200 {
		t.Errorf("%v %v", a, err)
	}
	old := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)
	_, err = client(t, Options{BaseURL: old.URL, CAFile: file}).Do(t.Context(), Call{Method: "GET"})
	expectOutcome(t, err, Unreachable)
}

func TestWhatNewRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{BaseURL: ""},
		{BaseURL: "example.org"},
		{BaseURL: "ftp://example.org"},
		{BaseURL: "http://example.org"},
		{BaseURL: "http://localhost.example.org"},
		{BaseURL: "https://user:secret@example.org"},
		{BaseURL: "https://example.org/?a=secret"},
		{BaseURL: "https://example.org/#a"},
		{BaseURL: "https://example.org:secret/"},
		{BaseURL: "https://example.org", CAFile: empty},
		{BaseURL: "https://example.org", CAFile: empty + ".missing"},
	} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, o := range []Options{
		{BaseURL: "https://example.org/a/"},
		{BaseURL: "http://127.0.0.1:80"},
		{BaseURL: "http://[::1]:80"},
		{BaseURL: "http://localhost"},
		{BaseURL: "http://example.org", AllowInsecure: true},
	} {
		if _, err := New(o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestCorrelator(t *testing.T) {
	for _, good := range []string{"a", "0-Z", strings.Repeat("x", 64)} {
		if got := Correlator(good); got != good {
			t.Errorf("%q became %q", good, got)
		}
	}
	for _, bad := range []string{"", "a b", "a\n", "é", strings.Repeat("x", 65)} {
		if got := Correlator(bad); got == bad || len(got) != 36 {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
