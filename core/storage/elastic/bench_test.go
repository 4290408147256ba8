package elastic

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
)

const (
	benchMapping = `{"properties":{"name":{"type":"keyword"},"text":{"type":"text"},"n":{"type":"long"}}}`
	benchQuery   = `{"query":{"range":{"n":{"gte":0}}},"sort":[{"n":"asc"}]}`
)

func benchSource(n int) []byte {
	return fmt.Appendf(nil, `{"name":"name %d","text":"what a document says that is number %d","n":%d}`, n%100, n, n)
}

// together does calls in so many goroutines, and gives the time for one.
func together(tb testing.TB, goroutines, calls int, call func() error) time.Duration {
	tb.Helper()
	var all sync.WaitGroup
	var next atomic.Int64
	begin := time.Now()
	for range goroutines {
		all.Go(func() {
			for next.Add(1) <= int64(calls) {
				if err := call(); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	all.Wait()
	return time.Since(begin) / time.Duration(calls)
}

// filled makes a collection with documents named "0", "1" and so on.
func filled(tb testing.TB, e *Engine, documents int) storage.Collection {
	tb.Helper()
	ctx := context.Background()
	c := storage.Collection{Index: "bench-" + randomName(), Name: "things"}
	tb.Cleanup(func() { _ = e.DropIndex(ctx, c.Scope, c.Index) })
	if err := e.Ensure(ctx, c, storage.Spec{Mapping: []byte(benchMapping)}); err != nil {
		tb.Fatal(err)
	}
	var ops []storage.Op
	for n := range documents {
		ops = append(ops, storage.Op{Kind: storage.OpPut, ID: fmt.Sprint(n), Source: benchSource(n)})
	}
	if _, err := e.Write(ctx, c, ops, storage.BulkOptions{Refresh: storage.RefreshWaitFor}); err != nil {
		tb.Fatal(err)
	}
	return c
}

func randomName() string { return string(bytes.ToLower([]byte(rand.Text()))) }

// side is one of two that are measured in turns.
type side struct {
	name string
	call func() error
}

// compare measures two sides in turns, since a machine is not as fast all the time, and reports the medians and what the second
// one is over the first.
func compare(b *testing.B, goroutines, calls int, sides [2]side) {
	b.Helper()
	var took [2][]time.Duration
	var ratios []float64
	for round := 0; b.Loop(); round++ {
		for i := range sides {
			at := (i + round) % 2
			took[at] = append(took[at], together(b, goroutines, calls, sides[at].call))
		}
		ratios = append(ratios, float64(took[1][round])/float64(took[0][round]))
	}
	for i, s := range sides {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][len(took[i])/2].Nanoseconds())/1e3, s.name+"-µs/op")
	}
	slices.Sort(ratios)
	b.ReportMetric((ratios[len(ratios)/2]-1)*100, sides[1].name+"-over-"+sides[0].name+"-%")
}

// direct is Elasticsearch as a program calls it that has no engine.
type direct struct {
	*elasticsearch.Client
}

func newDirect(tb testing.TB) direct {
	tb.Helper()
	o := Options{Addresses: []string{server(tb)}}
	o.fill()
	transport, err := newTransport(o)
	if err != nil {
		tb.Fatal(err)
	}
	es, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: o.Addresses, Transport: transport})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(transport.CloseIdleConnections)
	return direct{es}
}

// read takes over the result of a call.
func (direct) read(res *esapi.Response, err error, to any) error {
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.IsError() {
		return fmt.Errorf("Elasticsearch answered %s", res)
	}
	return json.UnmarshalRead(res.Body, to)
}

// BenchmarkOverhead is the engine beside the calls that a program would make with the same client, 16 at once.
func BenchmarkOverhead(b *testing.B) {
	const goroutines, documents = 16, 1000
	e, es, ctx := opened(b), newDirect(b), context.Background()
	c := filled(b, e, documents)
	var next atomic.Int64
	b.Run("create", func(b *testing.B) {
		compare(b, goroutines, 1600, [2]side{
			{"direct", func() error {
				n := int(next.Add(1))
				var answer struct {
					Version int64 `json:"_version"`
				}
				res, err := es.Create(alias(c), fmt.Sprintf("d%d", n), bytes.NewReader(benchSource(n)), es.Create.WithRequireAlias(true))
				return es.read(res, err, &answer)
			}},
			{"engine", func() error {
				n := int(next.Add(1))
				_, err := e.Create(ctx, c, fmt.Sprintf("e%d", n), benchSource(n), storage.WriteOptions{})
				return err
			}},
		})
	})
	b.Run("get", func(b *testing.B) {
		compare(b, goroutines, 3200, [2]side{
			{"direct", func() error {
				var answer stored
				res, err := es.Get(alias(c), fmt.Sprint(next.Add(1)%documents))
				return es.read(res, err, &answer)
			}},
			{"engine", func() error {
				_, err := e.Get(ctx, c, fmt.Sprint(next.Add(1)%documents))
				return err
			}},
		})
	})
	b.Run("search", func(b *testing.B) {
		body := fmt.Appendf(nil, `{"from":0,"size":10,"track_total_hits":true,%s`, benchQuery[1:])
		compare(b, goroutines, 1600, [2]side{
			{"direct", func() error {
				var answer found
				res, err := es.Search(es.Search.WithIndex(alias(c)), es.Search.WithBody(bytes.NewReader(body)))
				return es.read(res, err, &answer)
			}},
			{"engine", func() error {
				_, err := e.Search(ctx, storage.Search{Targets: []storage.Collection{c}, Body: []byte(benchQuery), Size: 10})
				return err
			}},
		})
	})
}

// writers gives an engine whose writes are joined, and one that sends each by itself, and how they write.
func writers(tb testing.TB, o storage.WriteOptions) (joined, alone func() error) {
	tb.Helper()
	engines := [2]*Engine{opened(tb), opened(tb)}
	engines[1].writes.flights = 1 << 20
	c := filled(tb, engines[0], 1)
	var next atomic.Int64
	var calls [2]func() error
	for i, e := range engines {
		calls[i] = func() error {
			n := int(next.Add(1))
			_, err := e.Create(context.Background(), c, fmt.Sprintf("w%d", n), benchSource(n), o)
			return err
		}
	}
	return calls[0], calls[1]
}

// BenchmarkJoined is what it brings to join the writes of 32 callers.
func BenchmarkJoined(b *testing.B) {
	for _, with := range []struct {
		name    string
		refresh storage.Refresh
		calls   int
	}{
		{"later", storage.RefreshLater, 3200},
		{"wait for", storage.RefreshWaitFor, 640},
	} {
		b.Run(with.name, func(b *testing.B) {
			joined, alone := writers(b, storage.WriteOptions{Refresh: with.refresh})
			compare(b, 32, with.calls, [2]side{{"alone", alone}, {"joined", joined}})
		})
	}
}

// BenchmarkLargeSearch is the memory of a search for 10,000 documents.
func BenchmarkLargeSearch(b *testing.B) {
	e := opened(b)
	c := filled(b, e, storage.MaxWindow)
	b.ReportAllocs()
	for b.Loop() {
		f, err := e.Search(context.Background(), storage.Search{Targets: []storage.Collection{c}, Body: []byte(benchQuery), Size: storage.MaxWindow})
		if err != nil || len(f.Hits) != storage.MaxWindow {
			b.Fatalf("Search gave %d hits, %v", len(f.Hits), err)
		}
	}
}
