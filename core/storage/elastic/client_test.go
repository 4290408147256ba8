package elastic

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// nobody gives an address at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestOpenUnreachable(t *testing.T) {
	_, err := Open(t.Context(), Options{Addresses: []string{nobody(t)}})
	wantErr(t, "Open", err, kerror.ServicesStorageNotConnected)
	address := strings.Replace(nobody(t), "http://", "http://name:secret@", 1)
	if _, err = Open(t.Context(), Options{Addresses: []string{address}}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Open tells the password: %v", err)
	}
	if _, err := Open(t.Context(), Options{Addresses: []string{"http://%"}}); err == nil {
		t.Error("Open took what is no URL")
	}
	if _, err := Open(t.Context(), Options{Addresses: []string{nobody(t)}, CACert: []byte("no certificate")}); err == nil {
		t.Error("Open took what is no certificate")
	}
}

// TestOpenOther: what is not Elasticsearch 8 is refused.
func TestOpenOther(t *testing.T) {
	for answer, def := range map[string]*kerror.Def{
		`{"version":{"number":"7.17.3"}}`: kerror.ServicesStorageVersionMismatch,
		`{"version":{"number":"9.0.0"}}`:  kerror.ServicesStorageVersionMismatch,
		`not JSON`:                        kerror.ServicesStorageUnexpectedError,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			_, _ = io.WriteString(w, answer)
		}))
		_, err := Open(t.Context(), Options{Addresses: []string{s.URL}})
		wantErr(t, "Open of "+answer, err, def)
		s.Close()
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }))
	defer s.Close()
	_, err := Open(t.Context(), Options{Addresses: []string{s.URL}})
	wantErr(t, "Open of something else", err, kerror.ServicesStorageNotConnected)
}

// between stands before the real Elasticsearch. do serves the requests.
func between(t *testing.T, timeout time.Duration, do func(forward http.Handler, w http.ResponseWriter, r *http.Request)) *Engine {
	t.Helper()
	to, err := url.Parse(server(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(proxy, w, r) }))
	e, err := Open(t.Context(), Options{Addresses: []string{s.URL, s.URL}, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = e.Close()
		s.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return e
}

// TestLostAnswer: a write whose answer is lost is not sent again, whatever address there is beside.
func TestLostAnswer(t *testing.T) {
	var lose atomic.Bool
	var sent atomic.Int32
	e := between(t, time.Minute, func(forward http.Handler, w http.ResponseWriter, r *http.Request) {
		if lose.Load() && strings.HasSuffix(r.URL.Path, "/_bulk") {
			sent.Add(1)
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	})
	c := fresh(t, e)
	ensure(t, e, c, "")
	lose.Store(true)
	wantErr(t, "Put", put(t, e, c, `{"n":1}`), kerror.ServicesStorageNotConnected)
	results, err := e.Write(t.Context(), c, []storage.Op{
		{Kind: storage.OpPut, ID: "b", Source: []byte(`{}`)}, {Kind: storage.OpReplace, ID: "b", Source: []byte(`{}`)},
	}, storage.BulkOptions{})
	if err != nil || len(results) != 2 {
		t.Fatalf("Write gave %v, %v", results, err)
	}
	for _, r := range results {
		wantErr(t, "op", r.Err, kerror.ServicesStorageNotConnected)
	}
	lose.Store(false)
	if n := sent.Load(); n != 2 {
		t.Errorf("two writes were sent %d times", n)
	}
	if doc, err := e.Get(t.Context(), c, "a"); err != nil || doc.Version != 1 {
		t.Errorf("Get gave %+v, %v", doc, err)
	}
}

// TestSlow: a server that does not answer is not waited for longer than the timeout, nor than the caller wants.
func TestSlow(t *testing.T) {
	var slow atomic.Bool
	e := between(t, time.Second, func(forward http.Handler, w http.ResponseWriter, r *http.Request) {
		if slow.Load() {
			_, _ = io.Copy(io.Discard, r.Body) // else nobody sees that the client has gone
			<-r.Context().Done()
			return
		}
		forward.ServeHTTP(w, r)
	})
	direct := opened(t)
	c := fresh(t, direct)
	ensure(t, direct, c, "")
	slow.Store(true)
	defer slow.Store(false)
	_, err := e.Get(t.Context(), c, "a")
	wantErr(t, "Get", err, kerror.ServicesStorageNotConnected)
	wantErr(t, "Healthy", e.Healthy(t.Context()), kerror.ServicesStorageNotConnected)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.Get(ctx, c, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get with a deadline: %v", err)
	}
}

// TestRefused: what the server or a proxy answers instead is an error of the catalogue, and nothing is taken for done.
func TestRefused(t *testing.T) {
	var status atomic.Int32
	e := between(t, time.Minute, func(forward http.Handler, w http.ResponseWriter, r *http.Request) {
		if s := int(status.Load()); s != 0 && strings.HasSuffix(r.URL.Path, "/_bulk") {
			http.Error(w, "<html>go away</html>", s)
			return
		}
		forward.ServeHTTP(w, r)
	})
	c := fresh(t, e)
	ensure(t, e, c, "")
	for s, def := range map[int32]*kerror.Def{
		http.StatusServiceUnavailable:    kerror.ServicesStorageNotConnected,
		http.StatusBadGateway:            kerror.ServicesStorageNotConnected,
		http.StatusTooManyRequests:       kerror.ServicesStorageTooManyOperations,
		http.StatusForbidden:             kerror.ServicesStorageUnexpectedError,
		http.StatusRequestEntityTooLarge: kerror.ServicesStorageUnexpectedBadRequest,
	} {
		status.Store(s)
		wantErr(t, http.StatusText(int(s)), put(t, e, c, `{}`), def)
	}
	status.Store(0)
	_, err := e.Get(t.Context(), c, "a")
	wantErr(t, "Get", err, kerror.ServicesStorageNotFound)
}

// TestShardsThatStart: who reads from an index that was just made waits a moment for it; a write is sent once.
func TestShardsThatStart(t *testing.T) {
	var refusals, asked atomic.Int32
	e := between(t, time.Minute, func(forward http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/_mget") || strings.HasSuffix(r.URL.Path, "/_bulk") {
			asked.Add(1)
			if refusals.Add(-1) >= 0 {
				http.Error(w, `{"error":{"type":"search_phase_execution_exception","reason":"all shards failed"},"status":503}`, http.StatusServiceUnavailable)
				return
			}
		}
		forward.ServeHTTP(w, r)
	})
	c := fresh(t, e)
	ensure(t, e, c, "")
	refusals.Store(2)
	_, err := e.Get(t.Context(), c, "a")
	wantErr(t, "Get", err, kerror.ServicesStorageNotFound)
	refusals.Store(100)
	_, err = e.Get(t.Context(), c, "a")
	wantErr(t, "Get", err, kerror.ServicesStorageNotConnected)
	asked.Store(0)
	wantErr(t, "Put", put(t, e, c, `{}`), kerror.ServicesStorageNotConnected)
	if n := asked.Load(); n != 1 {
		t.Errorf("the write was sent %d times", n)
	}
}

// TestSecondAddress: an address that nobody listens at is passed over, for writes too.
func TestSecondAddress(t *testing.T) {
	e, err := Open(t.Context(), Options{Addresses: []string{nobody(t), server(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := fresh(t, opened(t))
	ensure(t, e, c, "")
	for range 5 {
		if err := put(t, e, c, `{}`); err != nil {
			t.Errorf("Put: %v", err)
		}
	}
}

// TestScrollBound: the open scrolls are bounded, and those that ran out make room.
func TestScrollBound(t *testing.T) {
	var s scrolls
	for range maxScrolls {
		if _, err := s.add(&scroll{keep: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.add(&scroll{keep: time.Hour})
	wantErr(t, "one more", err, kerror.ServicesStorageTooManyOperations)
	for _, sc := range s.open {
		sc.expires = time.Now().Add(-time.Second)
		break
	}
	if _, err := s.add(&scroll{keep: time.Hour}); err != nil {
		t.Errorf("after one ran out: %v", err)
	}
}

// TestNames: aliases and physical names are read as they are written.
func TestNames(t *testing.T) {
	for name, want := range map[string]storage.Collection{
		"&i.c":       {Index: "i", Name: "c"},
		"@&i.c":      {Index: "i", Name: "c"},
		"%i-x.c_y":   {Scope: storage.Internal, Index: "i-x", Name: "c_y"},
		"&i.c.12345": {Index: "i", Name: "c"},
	} {
		if got, ok := collectionOf(name); !ok || got != want {
			t.Errorf("%s is %v, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "@", "i.c", "&i", "&.c", "&i.", "&I.c", ".security"} {
		if got, ok := collectionOf(name); ok {
			t.Errorf("%q is taken for %v", name, got)
		}
	}
}
