package aggregation_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/aggregation"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

var now = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func parse(t testing.TB, raw string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse(jsontext.Value(raw))
	if err != nil {
		t.Fatalf("mapping %s: %v", raw, err)
	}
	return m
}

// part is a segment with the documents of it that are collected.
type part struct {
	mapping *mapping.Mapping
	view    segment.View
	docs    *roaring.Bitmap
}

// memory makes a segment in memory of documents, whose positions begin behind first. Those for which wanted is false are not
// collected. Between any two documents is one that is not live.
func memory(t testing.TB, m *mapping.Mapping, docs []string, wanted func(i int) bool) part {
	t.Helper()
	s, live, bitmap := segment.NewMemory(), new(segment.Live), roaring.New()
	var d mapping.Document
	var e segment.Entry
	for i, text := range docs {
		if err := m.Fields(jsontext.Value(text), &d); err != nil {
			t.Fatalf("document %s: %v", text, err)
		}
		if err := e.Read(&d); err != nil {
			t.Fatalf("document %s: %v", text, err)
		}
		s.Lock()
		s.Add(&e, fmt.Sprintf("dead%d", i), uint64(2*i+1))
		doc := s.Add(&e, fmt.Sprint(i), uint64(2*i+2))
		s.Unlock()
		live = live.With(doc)
		if wanted(i) {
			bitmap.Add(doc)
		}
	}
	return part{m, segment.View{Segment: s, Live: live, Lock: s.RLocker()}, bitmap}
}

// file writes the live documents of a segment as a file.
func file(t testing.TB, p part) part {
	t.Helper()
	path := filepath.Join(t.TempDir(), "segment")
	if err := segment.Write(vfs.Default, path, p.view); err != nil {
		t.Fatal(err)
	}
	f, err := segment.Open(vfs.Default, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Release)
	docs, n := roaring.New(), uint32(0)
	p.view.Live.All(func(doc uint32) {
		if p.docs.Contains(doc) {
			docs.Add(n)
		}
		n++
	})
	return part{p.mapping, segment.View{Segment: f, Live: f.Live()}, docs}
}

// aggregate gives the answer, or the text of the error.
func aggregate(t testing.TB, aggs string, parts ...part) string {
	t.Helper()
	s, err := query.ParseSearch(jsontext.Value(`{"aggs":` + aggs + `}`))
	if err != nil {
		return err.Error()
	}
	plan, err := aggregation.New(t.Context(), s.Aggregations, now)
	if err != nil {
		return err.Error()
	}
	for _, p := range parts {
		if p.view.Lock != nil {
			p.view.Lock.Lock()
		}
		err := plan.Collect(t.Context(), aggregation.Part{Mapping: p.mapping, View: p.view}, p.docs)
		if p.view.Lock != nil {
			p.view.Lock.Unlock()
		}
		if err != nil {
			return err.Error()
		}
	}
	answer, err := plan.Result(t.Context())
	if err != nil {
		return err.Error()
	}
	return string(answer)
}

func all(int) bool { return true }
