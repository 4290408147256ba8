package elastic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// line is a joiner of numbers whose requests wait until the test lets them go. A negative number spoils a request.
type line struct {
	joiner[int, int]
	proceed chan struct{}

	mu   sync.Mutex
	sent [][]int
}

func newLine(t *testing.T) *line {
	t.Helper()
	l := &line{proceed: make(chan struct{})}
	e := &Engine{client: &client{timeout: 10 * time.Second, breaker: breaker{most: 1}}}
	var err error
	if e.client.metrics, err = newMetrics(nil, e); err != nil {
		t.Fatal(err)
	}
	l.joiner = joiner[int, int]{client: e.client, flights: 1, size: func(int) int { return 1 }, send: l.send}
	return l
}

func (l *line) send(_ context.Context, _ target, in []int) ([]int, error) {
	<-l.proceed
	l.mu.Lock()
	l.sent = append(l.sent, slices.Clone(in))
	l.mu.Unlock()
	out := make([]int, len(in))
	for i, n := range in {
		if n < 0 {
			return nil, &failure{status: http.StatusBadRequest}
		}
		out[i] = n * 10
	}
	return out, nil
}

// ask begins to ask for numbers; the channel gives the error, which also tells of a wrong answer.
func (l *line) ask(ctx context.Context, to target, in ...int) <-chan error {
	done := make(chan error, 1)
	go func() {
		out, err := l.do(ctx, to, in)
		for i := range out {
			if out[i] != in[i]*10 {
				err = fmt.Errorf("%v became %v", in, out)
			}
		}
		if err == nil && len(out) != len(in) {
			err = fmt.Errorf("%v became %v", in, out)
		}
		done <- err
	}()
	synctest.Wait()
	return done
}

func (l *line) wantSent(t *testing.T, want ...[]int) {
	t.Helper()
	if !slices.EqualFunc(l.sent, want, slices.Equal) {
		t.Errorf("sent %v, want %v", l.sent, want)
	}
}

// TestJoin: the first goes at once, those that come meanwhile together and in their order; whoever is to blame for a refusal has
// it alone.
func TestJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ctx := newLine(t), t.Context()
		var asked []<-chan error
		for _, in := range [][]int{{1}, {2, 3}, {-1}, {4}} {
			asked = append(asked, l.ask(ctx, target{}, in...))
		}
		close(l.proceed)
		for i, done := range asked {
			if err := <-done; (err != nil) != (i == 2) {
				t.Errorf("job %d: %v", i, err)
			}
		}
		l.wait()
		l.wantSent(t, []int{1}, []int{2, 3, -1, 4}, []int{2, 3}, []int{-1, 4}, []int{-1}, []int{4})
		if len(l.lanes) != 0 || l.waiting.Load() != 0 {
			t.Errorf("%d lanes are left, and %d jobs", len(l.lanes), l.waiting.Load())
		}
	})
}

// TestJoinLanes: no collection waits for another, and what must be seen by searches for nothing else.
func TestJoinLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ctx := newLine(t), t.Context()
		a, b := target{Collection: storage.Collection{Name: "a"}}, target{Collection: storage.Collection{Name: "b"}}
		seen := target{a.Collection, true}
		asked := []<-chan error{l.ask(ctx, a, 1), l.ask(ctx, a, 2), l.ask(ctx, b, 3), l.ask(ctx, seen, 4)}
		for range 3 {
			l.proceed <- struct{}{}
		}
		synctest.Wait()
		for _, i := range []int{0, 2, 3} {
			if err := <-asked[i]; err != nil {
				t.Error(err)
			}
		}
		close(l.proceed)
		if err := <-asked[1]; err != nil {
			t.Error(err)
		}
		l.wait()
	})
}

// TestJoinLeft: whoever does not wait any longer takes nobody with him, and what was not sent by then never is.
func TestJoinLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		short, cancel := context.WithCancel(t.Context())
		flying, waiting, other := l.ask(short, target{}, 1), l.ask(short, target{}, 2), l.ask(t.Context(), target{}, 3)
		cancel()
		for _, done := range []<-chan error{flying, waiting} {
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("after its end: %v", err)
			}
		}
		close(l.proceed)
		if err := <-other; err != nil {
			t.Error(err)
		}
		l.wait()
		l.wantSent(t, []int{1}, []int{3})
	})
}

// TestJoinBounds: a request takes so much and no more, what is large goes by itself, and nobody waits for ever, nor in an endless
// queue, nor for a server that is known to be away.
func TestJoinBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ctx := newLine(t), t.Context()
		first := l.ask(ctx, target{}, 0)
		late := l.ask(ctx, target{}, 1)
		time.Sleep(l.client.timeout) // of the bubble
		wantErr(t, "a job that waited too long", <-late, kerror.ServicesStorageTooManyOperations)

		var asked []<-chan error
		for range 11 {
			asked = append(asked, l.ask(ctx, target{}, make([]int, aloneUnits)...))
		}
		alone := l.ask(ctx, target{}, make([]int, aloneUnits+1)...)
		l.mu.Lock()
		l.lanes[target{}].bytes += queuedBytes
		l.mu.Unlock()
		wantErr(t, "a job without room", <-l.ask(ctx, target{}, 1), kerror.ServicesStorageTooManyOperations)
		l.client.breaker.fail(errors.New("away"))
		wantErr(t, "a job while the server is away", <-l.ask(ctx, target{}, 1), kerror.ServicesStorageNotConnected)
		close(l.proceed)
		for _, done := range append(asked, first, alone) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		l.wait()
		var lengths []int
		for _, in := range l.sent {
			lengths = append(lengths, len(in))
		}
		slices.Sort(lengths)
		if want := []int{1, aloneUnits, aloneUnits + 1, joinedUnits}; !slices.Equal(lengths, want) {
			t.Errorf("requests of %v, want %v", lengths, want)
		}
	})
}

// TestJoinedWrites: each of many writers gets what became of his document, whatever becomes of those beside it.
func TestJoinedWrites(t *testing.T) {
	e, ctx := opened(t), t.Context()
	c := fresh(t, e)
	ensure(t, e, c, `{"dynamic":"false","properties":{"n":{"type":"long"}}}`)
	const callers = 32
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			own, source := fmt.Sprint("own", i), fmt.Appendf(nil, `{"n":%d,"x":[1.50,"é\n"]}`, i)
			refresh := storage.WriteOptions{Refresh: storage.Refresh(i % 2)}
			doc, err := e.Create(ctx, c, own, source, refresh)
			if err != nil || doc.ID != own || doc.Version != 1 || string(doc.Source) != string(source) {
				t.Errorf("Create gave %+v, %v", doc, err)
			}
			_, err = e.Create(ctx, c, own, source, refresh)
			wantErr(t, "Create again", err, kerror.ServicesStorageDocumentAlreadyExists)
			if n, err := e.Count(ctx, []storage.Collection{c}, fmt.Appendf(nil, `{"term":{"n":%d}}`, i)); err != nil || i%2 == 1 && n != 1 {
				t.Errorf("Count gave %d, %v", n, err)
			}
			_, err = e.Create(ctx, c, fmt.Sprint("bad", i), []byte(`{"n":"text"}`), storage.WriteOptions{})
			if err == nil {
				t.Error("a document against the mapping was taken")
			}
			if i%8 == 0 { // for this Elasticsearch refuses the whole _bulk
				deep := strings.Repeat(`{"a":`, 1500) + "1" + strings.Repeat("}", 1500)
				_, err = e.Update(ctx, c, own, []byte(deep), storage.UpdateOptions{})
				wantErr(t, "Update with too many levels", err, kerror.ServicesStorageUnexpectedBadRequest)
			}
			if doc, err = e.Replace(ctx, c, own, []byte(`{"n":-1}`), storage.WriteOptions{IfVersion: 1}); err != nil || doc.Version != 2 {
				t.Errorf("Replace gave %+v, %v", doc, err)
			}
			_, err = e.Replace(ctx, c, own, []byte(`{}`), storage.WriteOptions{IfVersion: 1})
			wantErr(t, "Replace of an old version", err, kerror.ServicesStorageTooManyChanges)
			if _, err = e.Update(ctx, c, own, fmt.Appendf(nil, `{"u":%d}`, i), storage.UpdateOptions{}); err != nil {
				t.Errorf("Update: %v", err)
			}
			if _, _, err := e.Put(ctx, c, "common", source, storage.WriteOptions{}); err != nil {
				t.Errorf("Put: %v", err)
			}
			doc, err = e.Get(ctx, c, own)
			if want := fmt.Sprintf(`{"n":-1,"u":%d}`, i); err != nil || doc.Version != 3 || string(doc.Source) != want {
				t.Errorf("Get gave %+v, %v", doc, err)
			}
			if i%2 == 0 {
				err = e.Delete(ctx, c, own, storage.WriteOptions{})
			} else {
				_, err = e.Update(ctx, c, "none", []byte(`{}`), storage.UpdateOptions{})
				wantErr(t, "Update of nothing", err, kerror.ServicesStorageNotFound)
				err = nil
			}
			if err != nil {
				t.Errorf("Delete: %v", err)
			}
		})
	}
	all.Wait()
	if err := e.Refresh(ctx, c); err != nil {
		t.Fatal(err)
	}
	if n, err := e.Count(ctx, []storage.Collection{c}, nil); err != nil || n != callers/2+1 {
		t.Errorf("there are %d documents, %v", n, err)
	}
	if doc, err := e.Get(ctx, c, "common"); err != nil || doc.Version != callers {
		t.Errorf("the common document is %+v, %v", doc, err)
	}
}

// TestJoiningPays: the writes of many are faster together than each by itself, at least in one of a few rounds on a busy machine.
func TestJoiningPays(t *testing.T) {
	joined, alone := writers(t, storage.WriteOptions{})
	const callers, calls, rounds = 32, 640, 10
	var ratios []float64
	for range rounds {
		one := together(t, callers, calls, alone)
		ratio := float64(together(t, callers, calls, joined)) / float64(one)
		if ratios = append(ratios, ratio); ratio < 1 {
			return
		}
	}
	t.Errorf("joined writes take %.2f of the time of others", ratios)
}

// held gives an engine whose requests that write wait for the test, and how many have come.
func held(t *testing.T, then func(forward http.Handler, w http.ResponseWriter, r *http.Request)) (e *Engine, release func(), came *atomic.Int32) {
	t.Helper()
	let := make(chan struct{})
	came = new(atomic.Int32)
	release = sync.OnceFunc(func() { close(let) })
	t.Cleanup(release)
	e = between(t, time.Minute, func(forward http.Handler, w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/_bulk") {
			forward.ServeHTTP(w, r)
			return
		}
		came.Add(1)
		<-let
		then(forward, w, r)
	})
	return e, release, came
}

// queued begins to create documents, until they all wait for a request.
func queued(t *testing.T, e *Engine, c storage.Collection, came *atomic.Int32, sources ...string) <-chan error {
	t.Helper()
	done := make(chan error, len(sources)+maxFlights)
	create := func(id, source string) {
		_, err := e.Create(context.Background(), c, id, []byte(source), storage.WriteOptions{})
		if err != nil {
			err = fmt.Errorf("%s: %w", id, err)
		}
		done <- err
	}
	for i := range maxFlights {
		go create(fmt.Sprint("flying", i), `{}`)
		eventually(t, "no request", func() bool { return came.Load() == int32(i+1) })
	}
	for i, source := range sources {
		go create(fmt.Sprint("queued", i), source)
	}
	eventually(t, "nobody waits", func() bool { return e.writes.waiting.Load() == int64(len(sources)) })
	return done
}

// TestCloseWhileWaiting: an engine is closed once those who wait have been served.
func TestCloseWhileWaiting(t *testing.T) {
	e, release, came := held(t, func(forward http.Handler, w http.ResponseWriter, r *http.Request) { forward.ServeHTTP(w, r) })
	c := fresh(t, opened(t))
	ensure(t, e, c, "")
	done := queued(t, e, c, came, `{}`, `{}`, `{}`)
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := e.Put(short, c, "never", []byte(`{}`), storage.WriteOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Put with a context that has ended: %v", err)
	}
	closed := make(chan error)
	go func() { closed <- e.Close() }()
	eventually(t, "Close does not begin", func() bool {
		_, err := e.Get(t.Context(), c, "a")
		return errors.Is(err, kerror.ServicesStorageNotConnected)
	})
	release()
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	if n := came.Load(); n != maxFlights+1 {
		t.Errorf("%d writes came in %d requests", cap(done), n)
	}
}

// TestJoinedLost: when a request with several writes gets no answer each of them fails, and is not sent again.
func TestJoinedLost(t *testing.T) {
	e, release, came := held(t, func(http.Handler, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	c := fresh(t, opened(t))
	ensure(t, e, c, "")
	done := queued(t, e, c, came, `{}`, `{}`, `{}`)
	release()
	for range cap(done) {
		wantErr(t, "Create", <-done, kerror.ServicesStorageNotConnected)
	}
	if n := came.Load(); n != maxFlights+1 {
		t.Errorf("%d writes were sent in %d requests", cap(done), n)
	}
	var failed dto.Metric
	if err := e.client.metrics.requests.WithLabelValues(outcomeFailed).Write(&failed); err != nil || failed.GetCounter().GetValue() != maxFlights+1 {
		t.Errorf("failures: %v, %v", failed.GetCounter(), err)
	}
}

// TestTooLargeTogether: what a proxy finds too long goes in parts.
func TestTooLargeTogether(t *testing.T) {
	e, release, came := held(t, func(forward http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 1000 {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		forward.ServeHTTP(w, r)
	})
	c := fresh(t, opened(t))
	ensure(t, e, c, "")
	text := func(n int) string { return fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", n)) }
	done := queued(t, e, c, came, text(400), text(400), text(2000), text(400))
	release()
	var refused []error
	for range cap(done) {
		if err := <-done; err != nil {
			refused = append(refused, err)
		}
	}
	if len(refused) != 1 || !errors.Is(refused[0], kerror.ServicesStorageUnexpectedBadRequest) {
		t.Errorf("refused: %v", refused)
	}
}

// TestStream: an answer that breaks off is no answer, one that is too long or not JSON is not taken for any.
func TestStream(t *testing.T) {
	for _, broken := range []struct {
		name string
		send func(w http.ResponseWriter)
		want *kerror.Def
	}{
		{"cut", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"hits":{"hits":[`)
		}, kerror.ServicesStorageNotConnected},
		{"no JSON", func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"hits":]`) }, kerror.ServicesStorageUnexpectedError},
		{"more behind it", func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{} {}`) }, kerror.ServicesStorageUnexpectedError},
	} {
		t.Run(broken.name, func(t *testing.T) {
			e := between(t, time.Minute, func(forward http.Handler, w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/_search") {
					w.Header().Set("X-Elastic-Product", "Elasticsearch")
					broken.send(w)
					return
				}
				forward.ServeHTTP(w, r)
			})
			_, err := e.Search(t.Context(), storage.Search{Targets: []storage.Collection{{Index: "i", Name: "c"}}, Size: 1})
			wantErr(t, "Search", err, broken.want)
		})
	}
	err := (&reply{body: strings.NewReader(`{"a":1}`), left: 3}).decode(&struct{}{})
	if !errors.Is(err, errTooLong) {
		t.Errorf("an answer that is too long: %v", err)
	}
}
