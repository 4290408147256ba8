package aggregation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// many is a segment of n documents, each with a keyword, a number and a text of its own.
func many(t *testing.T, n int) (*mapping.Mapping, segment.View, *roaring.Bitmap) {
	t.Helper()
	m, err := mapping.Parse(jsontext.Value(`{"properties":{"k":{"type":"keyword"},"l":{"type":"long"},"t":{"type":"text","fielddata":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, live, docs := segment.NewMemory(), &segment.Live{}, roaring.New()
	var d mapping.Document
	var e segment.Entry
	for i := range n {
		if err := m.Fields(jsontext.Value(fmt.Sprintf(`{"k":"k%d","l":%d,"t":"t%d"}`, i, i, i)), &d); err != nil {
			t.Fatal(err)
		}
		if err := e.Read(&d); err != nil {
			t.Fatal(err)
		}
		s.Lock()
		doc := s.Add(&e, fmt.Sprint(i), uint64(i+1))
		s.Unlock()
		live = live.With(doc)
		docs.Add(doc)
	}
	docs.Remove(0) // so that no term knows how many documents hold it
	return m, segment.View{Segment: s, Live: live}, docs
}

func plan(t *testing.T, aggs string) *Plan {
	t.Helper()
	search, err := query.ParseSearch(jsontext.Value(`{"aggs":` + aggs + `}`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(t.Context(), search.Aggregations, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEnds says that every call ends with its context.
func TestEnds(t *testing.T) {
	m, view, docs := many(t, 3000)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	list := make([]string, 100)
	for i := range list {
		list[i] = fmt.Sprintf(`"a%d":{"cardinality":{"field":"k"}}`, i)
	}
	search, err := query.ParseSearch(jsontext.Value(`{"aggs":{` + list[0] + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(ended, search.Aggregations, time.Time{}); !errors.Is(err, context.Canceled) {
		t.Errorf("New: %v", err)
	}
	if err := plan(t, `{`+strings.Join(list, ",")+`}`).Collect(ended, Part{Mapping: m, View: view}, docs); !errors.Is(err, context.Canceled) {
		t.Errorf("Collect: %v", err)
	}
	p := plan(t, `{"a":{"terms":{"field":"k","size":3000},"aggs":{"b":{"terms":{"field":"l","size":1,"min_doc_count":0}}}}}`)
	if err := p.Collect(t.Context(), Part{Mapping: m, View: view}, docs); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Result(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Result: %v", err)
	}
}

// TestMemoryOfSegments says that what is kept of a segment is shared, and given back before the next one.
func TestMemoryOfSegments(t *testing.T) {
	m, view, docs := many(t, 1000)
	for name, of := range map[string]string{
		"cardinality": `{"cardinality":{"field":"k","precision_threshold":0}}`,
		"fielddata":   `{"value_count":{"field":"t"}}`,
		"terms":       `{"terms":{"field":"k","include":["k1"]}}`,
	} {
		list := make([]string, 50)
		for i := range list {
			list[i] = fmt.Sprintf(`"a%d":%s`, i, of)
		}
		p := plan(t, `{`+strings.Join(list, ",")+`}`)
		bytes := 0
		for i := range 4 {
			if err := p.Collect(t.Context(), Part{Mapping: m, View: view}, docs); err != nil {
				t.Fatalf("%s: segment %d: %v", name, i, err)
			}
			if i == 0 {
				bytes = p.limits.bytes
			} else if p.limits.bytes != bytes {
				t.Errorf("%s: %d bytes after segment %d, %d after the first", name, p.limits.bytes, i, bytes)
			}
		}
	}
}

// TestTooManyBuckets says that empty buckets count, and that they are refused before any is put in order.
func TestTooManyBuckets(t *testing.T) {
	m, view, docs := many(t, 300)
	for aggs, fits := range map[string]bool{
		`{"a":{"terms":{"field":"k","size":300},"aggs":{"b":{"terms":{"field":"l","size":200,"min_doc_count":0}}}}}`: true,
		`{"a":{"terms":{"field":"k","size":300},"aggs":{"b":{"terms":{"field":"l","size":300,"min_doc_count":0}}}}}`: false,
	} {
		p := plan(t, aggs)
		if err := p.Collect(t.Context(), Part{Mapping: m, View: view}, docs); err != nil {
			t.Fatal(err)
		}
		before := p.limits.bytes
		_, err := p.Result(t.Context())
		if fits != (err == nil) || !fits && !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
			t.Errorf("%s: %v", aggs, err)
		}
		if fits && p.limits.bytes-before > 8<<20 {
			t.Errorf("%s: the answer is charged with %d bytes", aggs, p.limits.bytes-before)
		}
	}
}

// TestAnswerTooLarge says that the answer counts as memory.
func TestAnswerTooLarge(t *testing.T) {
	m, view, docs := many(t, 300)
	p := plan(t, `{"a":{"terms":{"field":"k","size":300},"aggs":{"b":{"stats":{"field":"l"}}}}}`)
	if err := p.Collect(t.Context(), Part{Mapping: m, View: view}, docs); err != nil {
		t.Fatal(err)
	}
	p.limits.bytes = maxBytes - 20_000
	if _, err := p.Result(t.Context()); !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
		t.Errorf("Result: %v", err)
	}
}
