package migrate_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/migrate"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/elastic"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
)

// BenchmarkRun copies small documents to Elasticsearch and back, and compares them.
func BenchmarkRun(b *testing.B) {
	const documents = 100_000
	server := elastictest.Start(b)
	from := open(b, filepath.Join(b.TempDir(), "source"))
	must(b, from.Ensure(b.Context(), many, storage.Spec{Mapping: []byte(`{"properties":{"n":{"type":"long"},"text":{"type":"text"}}}`)}))
	var docs []storage.Document
	for i := range documents {
		docs = append(docs, storage.Document{ID: fmt.Sprintf("m%07d", i), Version: 1, Source: fmt.Appendf(nil, `{"n":%d,"text":"this is the document number %d"}`, i, i)})
	}
	must(b, from.Load(b.Context(), many, docs))
	run := func(name string, from storage.Engine, to migrate.Target) {
		o, begin := options(from, to), time.Now()
		verified := begin
		o.Progress = func(p migrate.Progress) {
			if p.Phase == migrate.Copying {
				verified = time.Now()
			}
		}
		_, err := migrate.Run(b.Context(), o)
		must(b, err)
		b.ReportMetric(documents/verified.Sub(begin).Seconds(), name+"-copied/s")
		b.ReportMetric(documents/time.Since(verified).Seconds(), name+"-verified/s")
	}
	for b.Loop() {
		elastictest.Empty(b, server.URL)
		middle, err := elastic.Open(b.Context(), elastic.Options{Addresses: []string{server.URL}})
		must(b, err)
		run("there", from, middle)
		back := open(b, filepath.Join(b.TempDir(), "back"))
		run("back", middle, back)
		must(b, back.Close())
		must(b, middle.Close())
	}
}
