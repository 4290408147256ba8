package aggregation

import (
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

// TestTooMuchMemory collects when most of the memory is taken. One document has values enough to need the rest.
func TestTooMuchMemory(t *testing.T) {
	m, err := mapping.Parse(jsontext.Value(`{"properties":{"k":{"type":"keyword"},"l":{"type":"long"},"d":{"type":"double"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	list := make([]string, 1000)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	values := "[" + strings.Join(list, ",") + "]"
	var d mapping.Document
	if err := m.Fields(jsontext.Value(`{"k":`+values+`,"l":`+values+`,"d":`+values+`}`), &d); err != nil {
		t.Fatal(err)
	}
	var e segment.Entry
	if err := e.Read(&d); err != nil {
		t.Fatal(err)
	}
	s := segment.NewMemory()
	s.Lock()
	s.Add(&e, "id", 1)
	s.Unlock()
	view := segment.View{Segment: s, Live: new(segment.Live).With(0)}
	for _, aggs := range []string{
		`{"a":{"terms":{"field":"k"}}}`, `{"a":{"terms":{"field":"l"}}}`, `{"a":{"terms":{"field":"d"}}}`,
		`{"a":{"terms":{"field":"nope","min_doc_count":0,"missing":"x"},"aggs":{"b":{"terms":{"field":"l","min_doc_count":0}}}}}`,
		`{"a":{"cardinality":{"field":"k"}}}`,
		`{"a":{"histogram":{"field":"l","interval":1}}}`,
		`{"a":{"percentiles":{"field":"l"}}}`,
		`{"a":{"composite":{"sources":[{"k":{"terms":{"field":"k"}}}]}}}`,
		`{"a":{"filter":{"match_all":{}},"aggs":{"b":{"terms":{"field":"l"}}}}}`,
		`{"a":{"terms":{"field":"l","size":1,"include":[5]},"aggs":{"b":{"cardinality":{"field":"l"}}}}}`,
	} {
		docs := roaring.BitmapOf(0)
		if strings.Contains(aggs, "nope") {
			docs.Clear() // the terms of all documents are wanted even so
		}
		for _, room := range []int{4000, 4 << 20} {
			search, err := query.ParseSearch(jsontext.Value(`{"aggs":` + aggs + `}`))
			if err != nil {
				t.Fatal(err)
			}
			plan, err := New(t.Context(), search.Aggregations, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			plan.limits.bytes = maxBytes - room
			err = plan.Collect(t.Context(), Part{Mapping: m, View: view, Match: matchAll}, docs)
			if room < 1<<20 && !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
				t.Errorf("%s with %d bytes: %v", aggs, room, err)
			}
			if room >= 1<<20 && err != nil {
				t.Errorf("%s with %d bytes: %v", aggs, room, err)
			}
		}
	}
}

// TestKeysBeyondNumbers refuses intervals so small that there is no number for the begin of one.
func TestKeysBeyondNumbers(t *testing.T) {
	m, err := mapping.Parse(jsontext.Value(`{"properties":{"d":{"type":"double"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var d mapping.Document
	if err := m.Fields(jsontext.Value(`{"d":[5,1.7e308]}`), &d); err != nil {
		t.Fatal(err)
	}
	var e segment.Entry
	if err := e.Read(&d); err != nil {
		t.Fatal(err)
	}
	s := segment.NewMemory()
	s.Lock()
	s.Add(&e, "id", 1)
	s.Unlock()
	view := segment.View{Segment: s, Live: new(segment.Live).With(0)}
	for aggs, refused := range map[string]bool{
		`{"a":{"histogram":{"field":"d","interval":5e-324}}}`:                                                     true,
		`{"a":{"histogram":{"field":"d","interval":1e-300,"offset":1e300}}}`:                                      true,
		`{"a":{"histogram":{"field":"d","interval":1,"offset":-1e308}}}`:                                          true,
		`{"a":{"histogram":{"field":"nope","interval":1e-10,"extended_bounds":{"min":0,"max":1e308}}}}`:           true,
		`{"a":{"histogram":{"field":"nope","missing":5,"interval":1e-309}}}`:                                      true,
		`{"a":{"composite":{"sources":[{"h":{"histogram":{"field":"d","interval":5e-324}}}]}}}`:                   true,
		`{"a":{"histogram":{"field":"d","interval":1e308}}}`:                                                      false,
		`{"a":{"histogram":{"field":"d","interval":1,"min_doc_count":1}}}`:                                        false,
		`{"a":{"histogram":{"field":"d","interval":1e-300,"min_doc_count":1,"hard_bounds":{"max":10}}}}`:          false,
		`{"a":{"composite":{"sources":[{"h":{"histogram":{"field":"d","interval":1}}}],"after":{"h":-1.7e308}}}}`: false,
		`{"a":{"histogram":{"field":"nope","interval":1e307,"extended_bounds":{"min":-1.7e308,"max":1.7e308}}}}`:  false,
	} {
		search, err := query.ParseSearch(jsontext.Value(`{"aggs":` + aggs + `}`))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := New(t.Context(), search.Aggregations, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var answer jsontext.Value
		if err = plan.Collect(t.Context(), Part{Mapping: m, View: view, Match: matchAll}, roaring.BitmapOf(0)); err == nil {
			answer, err = plan.Result(t.Context())
		}
		if refused != errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) || !refused && err != nil {
			t.Errorf("%s: %v, %s", aggs, err, answer)
		}
		if err == nil && strings.Contains(string(answer), "Infinity") {
			t.Errorf("%s: %s", aggs, answer)
		}
	}
}

// matchAll is what every query of these tests matches.
func matchAll(query.Query) (*roaring.Bitmap, error) { return roaring.BitmapOf(0), nil }
