package embedded

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
)

// benchSource is a document of about 400 bytes with a keyword that ten documents share.
func benchSource(i int64) []byte {
	return fmt.Appendf(nil, `{"k":"value-%d","n":%d,"text":"%s"}`, i/10, i, strings.Repeat("lorem ipsum ", 29))
}

func benchEngine(b *testing.B, documents int64) *Engine {
	e := opened(b, b.TempDir(), nil)
	must(b, e.Ensure(b.Context(), things, storage.Spec{Keywords: []string{"k"}}))
	var w writersOf
	w.put(b, e, documents, 64)
	return e
}

// writersOf puts n documents with many writers at once.
type writersOf struct{ next atomic.Int64 }

func (w *writersOf) put(b *testing.B, e *Engine, n int64, writers int) {
	done := make(chan error, writers)
	for range writers {
		go func() {
			for {
				i := w.next.Add(1) - 1
				if i >= n {
					done <- nil
					return
				}
				if _, _, err := e.Put(context.Background(), things, fmt.Sprintf("id-%08d", i), benchSource(i), storage.WriteOptions{}); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range writers {
		must(b, <-done)
	}
}

func BenchmarkGet(b *testing.B) {
	const documents = 50_000
	e := benchEngine(b, documents)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i += 7919
		if _, err := e.Get(context.Background(), things, fmt.Sprintf("id-%08d", i%documents)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	const documents = 50_000
	e := benchEngine(b, documents)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i += 7919
		docs, err := e.Find(context.Background(), things, "k", fmt.Sprintf("value-%d", i%(documents/10)), 100)
		if err != nil || len(docs) != 10 {
			b.Fatal(len(docs), err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			e := benchEngine(b, 0)
			b.ReportAllocs()
			b.ResetTimer()
			var w writersOf
			w.put(b, e, int64(b.N), writers)
		})
	}
}

// BenchmarkBulk writes 1000 documents with every Write; ns/op is for all of them.
func BenchmarkBulk(b *testing.B) {
	const documents = 1000
	for name, mapping := range map[string]string{
		"unmapped": "", "mapped": `{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"text":{"type":"text"}}}`,
	} {
		for _, writers := range []int{1, 4} {
			b.Run(fmt.Sprintf("%s/writers=%d", name, writers), func(b *testing.B) {
				e := benchEngine(b, 0)
				if mapping != "" {
					must(b, e.Ensure(b.Context(), things, storage.Spec{Mapping: []byte(mapping)}))
				}
				b.ReportAllocs()
				b.ResetTimer()
				var next atomic.Int64
				var wg sync.WaitGroup
				for range writers {
					wg.Go(func() {
						for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
							createMany(b, e, i*documents, documents)
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)*documents/b.Elapsed().Seconds(), "docs/s")
			})
		}
	}
}

// createMany creates n documents in one Write.
func createMany(b *testing.B, e *Engine, first int64, n int) {
	ops := make([]storage.Op, n)
	for i := range ops {
		at := first + int64(i)
		ops[i] = storage.Op{Kind: storage.OpCreate, ID: fmt.Sprintf("id-%08d", at), Source: benchSource(at)}
	}
	results, err := e.Write(context.Background(), things, ops, storage.BulkOptions{})
	if err != nil || results[n-1].Err != nil {
		b.Error(err, results[n-1].Err)
	}
}

// BenchmarkPutThenFound puts a document and searches for it.
func BenchmarkPutThenFound(b *testing.B) {
	e := opened(b, b.TempDir(), nil)
	must(b, e.Ensure(b.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"n":{"type":"long"},"text":{"type":"text"}}}`)}))
	for i := int64(0); i < 20; i++ {
		createMany(b, e, -i*1000-1000, 1000)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range int64(b.N) {
		if _, _, err := e.Put(context.Background(), things, fmt.Sprint(i), benchSource(i), storage.WriteOptions{}); err != nil {
			b.Fatal(err)
		}
		found, err := e.Search(context.Background(), storage.Search{
			Targets: []storage.Collection{things}, Body: fmt.Appendf(nil, `{"query":{"term":{"n":%d}}}`, i), Size: 10,
		})
		if err != nil || len(found.Hits) != 1 {
			b.Fatal(len(found.Hits), err)
		}
	}
}
