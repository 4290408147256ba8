package elastic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestFaults does to one server what happens to servers.
func TestFaults(t *testing.T) {
	s := elastictest.Start(t, "thread_pool.write.size: 1", "thread_pool.write.queue_size: 2")
	for _, fault := range []struct {
		name string
		test func(*testing.T, *elastictest.Server)
	}{
		{"full queue", testFullQueue},
		{"no memory", testNoMemory},
		{"full disk", testFullDisk},
		{"block", testBlock},
		{"red", testRed},
		{"paused", testPaused},
		{"gone", testGone},
	} {
		t.Run(fault.name, func(t *testing.T) { fault.test(t, s) })
	}
}

// engineAt opens an engine that soon finds out what happens.
func engineAt(t *testing.T, s *elastictest.Server) *Engine {
	t.Helper()
	e, err := Open(t.Context(), Options{Addresses: []string{s.URL}, Timeout: 3 * time.Second, ProbeInterval: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// count reads a counter.
func count(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// eventually waits for what a server does in its own time.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func awaitReady(t *testing.T, e *Engine) {
	t.Helper()
	eventually(t, "the engine does not become ready", func() bool { return e.Ready() == nil })
}

// awaitNotReady waits for the engine to say that it cannot serve, with a reason.
func awaitNotReady(t *testing.T, e *Engine, reason string) {
	t.Helper()
	eventually(t, "the engine stays ready", func() bool { return e.Ready() != nil })
	if err := e.Ready(); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("Ready gives %v, which does not say %q", err, reason)
	}
}

// testFullQueue: writes that Elasticsearch has no room for are tried again, and none is lost that was acknowledged.
func testFullQueue(t *testing.T, s *elastictest.Server) {
	e, err := Open(t.Context(), Options{Addresses: []string{s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := fresh(t, e)
	ensure(t, e, c, "")
	var done atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			_, err := e.Create(t.Context(), c, fmt.Sprint(i), []byte(`{}`), storage.WriteOptions{})
			switch {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, kerror.ServicesStorageTooManyOperations):
				t.Errorf("Create: %v", err)
			}
		})
	}
	all.Wait()
	if err := e.Refresh(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if n, err := e.Count(t.Context(), []storage.Collection{c}, nil); err != nil || int64(n) != done.Load() {
		t.Errorf("%d documents were written, and there are %d, %v", done.Load(), n, err)
	}
	if strings.TrimSpace(s.Do(http.MethodGet, "/_cat/thread_pool/write?h=rejected", "")) == "0" {
		t.Error("Elasticsearch refused nothing, so that nothing was tried")
	}
}

// testNoMemory: reads and writes wait for a busy server a little while, with pauses, and then say that it is busy.
func testNoMemory(t *testing.T, s *elastictest.Server) {
	metrics := prometheus.NewPedanticRegistry()
	e, err := Open(t.Context(), Options{Addresses: []string{s.URL}, Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := fresh(t, e)
	ensure(t, e, c, "")
	limit := func(value string) {
		s.Do(http.MethodPut, "/_cluster/settings", `{"persistent":{"network.breaker.inflight_requests.limit":`+value+`}}`)
	}
	defer limit("null")
	long := []byte(`{"text":"` + strings.Repeat("x", 10_000) + `"}`)

	limit(`"2kb"`)
	_, err = e.Create(t.Context(), c, "a", long, storage.WriteOptions{})
	wantErr(t, "Create", err, kerror.ServicesStorageTooManyOperations)
	_, err = e.MGet(t.Context(), c, []string{strings.Repeat("x", 500), strings.Repeat("y", 500), strings.Repeat("z", 500), strings.Repeat("0", 500)})
	wantErr(t, "MGet", err, kerror.ServicesStorageTooManyOperations)
	if n := count(t, e.client.metrics.retries); n != 2*maxBusy {
		t.Errorf("there were %v retries", n)
	}
	if err := e.Ready(); err != nil {
		t.Errorf("a busy server is taken for one that is away: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if _, err := e.Create(ctx, c, "a", long, storage.WriteOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Create with little time: %v", err)
	}

	lifted := make(chan struct{})
	go func() {
		defer close(lifted)
		eventually(t, "nothing was tried again", func() bool { return count(t, e.client.metrics.retries) > 2*maxBusy+2 })
		limit("null")
	}()
	if doc, err := e.Create(t.Context(), c, "b", long, storage.WriteOptions{}); err != nil || doc.Version != 1 {
		t.Errorf("Create, when the server has room again: %+v, %v", doc, err)
	}
	<-lifted
}

// testFullDisk: at the flood stage writes are refused with what to do, reads go on, and it is over when the block is lifted.
func testFullDisk(t *testing.T, s *elastictest.Server) {
	e := engineAt(t, s)
	c := fresh(t, e)
	ensure(t, e, c, "")
	if err := put(t, e, c, `{"n":1}`); err != nil {
		t.Fatal(err)
	}
	s.Do(http.MethodPut, "/_cluster/settings", `{"persistent":{"cluster.routing.allocation.disk.threshold_enabled":true,
		"cluster.routing.allocation.disk.watermark.low":"1000000gb","cluster.routing.allocation.disk.watermark.high":"1000000gb",
		"cluster.routing.allocation.disk.watermark.flood_stage":"1000000gb","cluster.info.update.interval":"10s"}}`)
	reset := func() {
		s.Do(http.MethodPut, "/_cluster/settings", `{"persistent":{"cluster.routing.allocation.*":null,"cluster.info.*":null}}`)
		s.Do(http.MethodPut, "/_all/_settings?expand_wildcards=all", `{"index.blocks.read_only_allow_delete":null}`)
	}
	defer reset()
	var err error
	eventually(t, "writes are not refused", func() bool { err = put(t, e, c, `{"n":2}`); return err != nil })
	wantErr(t, "Put", err, kerror.ServicesStorageUnexpectedError)
	if !strings.Contains(err.Error(), "Free disk space") {
		t.Errorf("the error does not say what to do: %v", err)
	}
	results, err := e.Write(t.Context(), c, []storage.Op{{Kind: storage.OpCreate, ID: "x", Source: []byte(`{}`)}, {Kind: storage.OpDelete, ID: "a"}}, storage.BulkOptions{})
	if err != nil || len(results) != 2 {
		t.Fatalf("Write gave %v, %v", results, err)
	}
	for _, r := range results {
		wantErr(t, "op", r.Err, kerror.ServicesStorageUnexpectedError)
	}
	doc, err := e.Get(t.Context(), c, "a")
	if err != nil {
		t.Errorf("Get: %v", err)
	}
	if _, err := e.Search(t.Context(), storage.Search{Targets: []storage.Collection{c}, Size: 1}); err != nil {
		t.Errorf("Search: %v", err)
	}
	reset()
	if got, _, err := e.Put(t.Context(), c, "a", []byte(`{"n":3}`), storage.WriteOptions{}); err != nil || got.Version != doc.Version+1 {
		t.Errorf("Put once there is room: %+v, %v", got, err)
	}
}

// testBlock: an index that an operator has blocked says so.
func testBlock(t *testing.T, s *elastictest.Server) {
	e := engineAt(t, s)
	c := fresh(t, e)
	ensure(t, e, c, "")
	block := func(value string) {
		s.Do(http.MethodPut, "/"+url.PathEscape(alias(c))+"/_settings", `{"index.blocks.write":`+value+`}`)
	}
	block("true")
	err := put(t, e, c, `{}`)
	wantErr(t, "Put", err, kerror.ServicesStorageUnexpectedError)
	if err == nil || !strings.Contains(err.Error(), "must lift the block") {
		t.Errorf("the error does not say what to do: %v", err)
	}
	_, err = e.Get(t.Context(), c, "a")
	wantErr(t, "Get", err, kerror.ServicesStorageNotFound)
	block("null")
	if err := put(t, e, c, `{}`); err != nil {
		t.Errorf("Put without the block: %v", err)
	}
}

// testRed: a collection whose shard is away fails by itself; the others go on, and the engine is not ready.
func testRed(t *testing.T, s *elastictest.Server) {
	e := engineAt(t, s)
	c, other := fresh(t, e), fresh(t, e)
	ensure(t, e, other, "")
	awaitReady(t, e)
	allocate := func(value string) {
		s.Do(http.MethodPut, "/_cluster/settings", `{"persistent":{"cluster.routing.allocation.enable":`+value+`}}`)
	}
	allocate(`"none"`)
	defer allocate("null")
	s.Do(http.MethodPut, "/"+url.PathEscape(physical(c))+"?wait_for_active_shards=0", `{"aliases":{"`+alias(c)+`":{}}}`)

	for range e.client.breaker.most {
		wantNoShard(t, "Put", put(t, e, c, `{"n":2}`))
	}
	_, err := e.Get(t.Context(), c, "a")
	wantNoShard(t, "Get", err)
	_, err = e.Search(t.Context(), storage.Search{Targets: []storage.Collection{c}, Size: 1})
	wantNoShard(t, "Search", err)
	_, err = e.Count(t.Context(), []storage.Collection{c}, nil)
	wantNoShard(t, "Count", err)
	if err := put(t, e, other, `{}`); err != nil {
		t.Errorf("Put into another collection: %v", err)
	}
	awaitNotReady(t, e, "is red")
	wantErr(t, "Healthy", e.Healthy(t.Context()), kerror.ServicesStorageUnexpectedError)

	allocate("null")
	awaitReady(t, e)
	if err := put(t, e, c, `{"n":1}`); err != nil {
		t.Errorf("Put: %v", err)
	}
	if doc, err := e.Get(t.Context(), c, "a"); err != nil || doc.Version != 1 { // no write was done while it was red
		t.Errorf("Get gave %+v, %v", doc, err)
	}
	if err := e.Healthy(t.Context()); err != nil {
		t.Errorf("Healthy: %v", err)
	}
}

func wantNoShard(t *testing.T, what string, err error) {
	t.Helper()
	wantErr(t, what, err, kerror.ServicesStorageNotConnected)
	if err == nil || !strings.Contains(err.Error(), noShard) {
		t.Errorf("%s: %v", what, err)
	}
}

// testPaused: a server that takes connections and answers nothing is waited for once or twice, and not any more then.
func testPaused(t *testing.T, s *elastictest.Server) {
	e, err := Open(t.Context(), Options{
		Addresses: []string{s.URL}, Timeout: 500 * time.Millisecond, ProbeInterval: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	other := engineAt(t, s)
	c := fresh(t, other)
	ensure(t, other, c, "")
	s.Pause()
	defer s.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.Get(ctx, c, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get with a deadline: %v", err)
	}
	_, err = e.Get(t.Context(), c, "a")
	wantErr(t, "Get", err, kerror.ServicesStorageNotConnected)
	awaitNotReady(t, e, "has not answered since")
	sheds := count(t, e.client.metrics.requests.WithLabelValues(outcomeShed))
	for range 100 {
		_, err = e.Get(t.Context(), c, "a")
		wantErr(t, "Get", err, kerror.ServicesStorageNotConnected)
		wantErr(t, "Put", put(t, e, c, `{}`), kerror.ServicesStorageNotConnected)
	}
	if n := count(t, e.client.metrics.requests.WithLabelValues(outcomeShed)) - sheds; n < 100 {
		t.Errorf("only %v requests were not sent", n)
	}
	if !strings.Contains(err.Error(), "is asked again every 50ms") {
		t.Errorf("the error does not say when it is tried again: %v", err)
	}
	s.Resume()
	awaitReady(t, e)
	_, err = e.Get(t.Context(), c, "a")
	wantErr(t, "Get", err, kerror.ServicesStorageNotFound)
}

// testGone: a server that has ended is noticed at once, one that starts is waited for, and nobody has to start anything again.
func testGone(t *testing.T, s *elastictest.Server) {
	e := engineAt(t, s)
	c := fresh(t, e)
	ensure(t, e, c, "")
	if err := put(t, e, c, `{"n":1}`); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	begin := time.Now()
	for range 2 * e.client.breaker.most {
		wantErr(t, "Put", put(t, e, c, `{"n":2}`), kerror.ServicesStorageNotConnected)
		_, err := e.Get(t.Context(), c, "a")
		wantErr(t, "Get", err, kerror.ServicesStorageNotConnected)
	}
	if took := time.Since(begin); took > e.client.timeout {
		t.Errorf("the errors took %s", took)
	}
	awaitNotReady(t, e, "has not answered since")
	wantErr(t, "Healthy", e.Healthy(t.Context()), kerror.ServicesStorageNotConnected)
	if n := e.client.breaker.opened.Load(); n != 1 {
		t.Errorf("there were %d outages", n)
	}
	_, err := Open(t.Context(), Options{Addresses: []string{s.URL}, StartTimeout: time.Second})
	wantErr(t, "Open", err, kerror.ServicesStorageNotConnected)

	log := new(lines)
	opened := make(chan error, 1)
	go func() {
		late, err := Open(t.Context(), Options{
			Addresses: []string{s.URL}, StartTimeout: 5 * time.Minute, Logger: slog.New(slog.NewTextHandler(log, nil)),
		})
		if err == nil {
			err = late.Close()
		}
		opened <- err
	}()
	eventually(t, "the engine that is opened does not tell that it waits", func() bool { return strings.Contains(log.String(), "waiting for Elasticsearch") })
	s.Start()
	if err := <-opened; err != nil {
		t.Errorf("Open before the server: %v", err)
	}
	awaitReady(t, e)
	if doc, err := e.Get(t.Context(), c, "a"); err != nil || doc.Version != 1 {
		t.Errorf("Get gave %+v, %v", doc, err)
	}
	if err := put(t, e, c, `{"n":3}`); err != nil {
		t.Errorf("Put: %v", err)
	}
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
