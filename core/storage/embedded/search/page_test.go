package search_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// many gives documents in files and in memory, some of them dead.
func many(n int) *collection {
	c := newCollection(`{"properties":{"n":{"type":"integer"},"m":{"type":"double"},"k":{"type":"keyword"},"t":{"type":"text"}}}`)
	for i := range n {
		m := "null"
		if i%4 > 0 {
			m = strconv.Itoa(i * 7 % 60)
		}
		c.add(fmt.Sprintf("d%03d", i), fmt.Sprintf(`{"n":%d,"m":%s,"k":"k%d","t":%q}`, i%7, m, i%3, strings.Repeat("word ", i%5+1)))
		if i%(n/3) == n/3-1 {
			c.freeze()
		}
	}
	for i := uint64(5); i < uint64(n); i += 10 {
		c.kill(i)
	}
	return c
}

func TestCursor(t *testing.T) {
	c := many(200)
	for _, targets := range [][]search.Target{c.targets(), append(c.targets(), many(30).target())} {
		testCursor(t, targets)
	}
}

func testCursor(t *testing.T, targets []search.Target) {
	t.Helper()
	for _, body := range []string{
		`{}`, `{"sort":["n"]}`, `{"sort":[{"n":"desc"},{"k":"asc"}]}`, `{"sort":["k"]}`, `{"sort":["_doc"]}`, `{"sort":[{"_id":"desc"}]}`,
		`{"sort":["m"]}`, `{"sort":[{"m":{"order":"desc","missing":"_first"}}]}`, `{"sort":[{"m":"desc"},"n"]}`, `{"query":{"term":{"k":"k1"}},"sort":["m"]}`,
		`{"query":{"range":{"m":{"lt":50}}},"sort":[{"_doc":"desc"}]}`, `{"query":{"terms":{"k":["k0","k2"]}}}`, `{"sort":[{"_score":"asc"}]}`,
		`{"query":{"match":{"t":"word"}}}`, `{"query":{"match":{"t":"word"}},"sort":["n","_score"]}`, `{"query":{"range":{"n":{"gte":2}}},"post_filter":{"term":{"k":"k1"}}}`,
	} {
		s, err := query.ParseSearch(jsontext.Value(body))
		if err != nil {
			t.Fatal(err)
		}
		all, err := patient(func() (search.Result, error) {
			return search.Run(context.Background(), targets, search.Request{Search: s, Size: 1000, Now: now})
		})
		if err != nil || all.Next != nil {
			t.Fatal(err, all.Next)
		}
		for _, size := range []int{1, 7, 50} {
			var got []search.Hit
			r := search.Request{Search: s, Size: size, Now: now}
			for {
				page, err := patient(func() (search.Result, error) { return search.Run(context.Background(), targets, r) })
				if want := all.Total; err != nil || r.After == nil && page.Total != want || len(page.Hits) > size {
					t.Fatalf("%s: %v, %d of %d", body, err, len(page.Hits), page.Total)
				}
				got = append(got, page.Hits...)
				if r.After = page.Next; r.After == nil {
					break
				}
			}
			if idsOf(got) != idsOf(all.Hits) {
				t.Errorf("%s: pages of %d: %s, want %s", body, size, idsOf(got), idsOf(all.Hits))
			}
			from, err := patient(func() (search.Result, error) {
				return search.Run(context.Background(), targets, search.Request{Search: s, From: size, Size: size, Now: now})
			})
			if want := all.Hits[min(size, len(all.Hits)):min(2*size, len(all.Hits))]; err != nil || idsOf(from.Hits) != idsOf(want) {
				t.Errorf("%s: from %d: %s, %v", body, size, idsOf(from.Hits), err)
			}
		}
	}
}

func TestTotal(t *testing.T) {
	c := many(200)
	const live = 180
	for _, test := range []struct {
		track string
		want  int
	}{{"true", live}, {"false", 0}, {"0", 0}, {"1", 1}, {"50", 50}, {"500", live}} {
		for _, rest := range []string{`"size":5`, `"size":0`, `"size":5,"sort":["n"]`, `"size":5,"query":{"match":{"t":"word"}}`, `"size":0,"query":{"range":{"n":{"gte":0}}}`} {
			result, err := run(t, c.targets(), `{"track_total_hits":`+test.track+`,`+rest+`}`)
			if err != nil || result.Total != test.want {
				t.Errorf("%s, %s: %d, %v", test.track, rest, result.Total, err)
			}
			if size := 5; !strings.Contains(rest, `"size":0`) && len(result.Hits) != size {
				t.Errorf("%s, %s: %d hits", test.track, rest, len(result.Hits))
			}
		}
	}
}

func TestHits(t *testing.T) {
	c := many(60)
	result, err := run(t, c.targets(), `{"query":{"term":{"k":"k1"}},"size":1,"from":2}`)
	if err != nil || len(result.Hits) != 1 {
		t.Fatal(err, result.Hits)
	}
	h := result.Hits[0]
	if h.ID != "d010" || h.Position != 11 || !h.Scored || h.Sort != nil {
		t.Errorf("%+v", h)
	}
	result, err = run(t, c.targets(), `{"sort":["n"],"size":1}`)
	if h := result.Hits[0]; err != nil || h.Scored || h.Score != 0 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestScores has the scores that Elasticsearch 8.14 gave to the documents in one shard.
func TestScores(t *testing.T) {
	c := newCollection(sampleMapping)
	for i, doc := range sample[:3] {
		c.add(string(rune('1'+i)), doc)
		if i == 0 {
			c.freeze()
		}
	}
	for _, test := range []struct {
		query string
		want  map[string]float32
	}{
		{`{"match_all":{"boost":2}}`, map[string]float32{"1": 2, "2": 2, "3": 2}},
		{`{"term":{"k":"Ab"}}`, map[string]float32{"1": 0.52354836, "2": 0.52354836}},
		{`{"term":{"k":{"value":"AB","case_insensitive":true}}}`, map[string]float32{"1": 1, "2": 1}},
		{`{"term":{"b":true}}`, map[string]float32{"1": 0.52354836, "3": 0.52354836}},
		{`{"term":{"kl":"AB"}}`, map[string]float32{"1": 0.6931471}},
		{`{"term":{"kn":"Ab"}}`, map[string]float32{"1": 1}},
		{`{"term":{"i":5}}`, map[string]float32{"1": 1}},
		{`{"prefix":{"k":{"value":"A","boost":3}}}`, map[string]float32{"1": 3, "2": 3}},
		{`{"match":{"t":"brown"}}`, map[string]float32{"1": 0.16853255, "2": 0.19856803}},
		{`{"match":{"t":"brown fox"}}`, map[string]float32{"1": 0.80925685, "2": 0.19856803}},
		{`{"match":{"t":{"query":"brown brown zzz","minimum_should_match":2}}}`, map[string]float32{"1": 0.3370651, "2": 0.39713606}},
		{`{"match":{"k":{"query":"Ab cd","analyzer":"whitespace"}}}`, map[string]float32{"1": 0.52354836, "2": 1.6161176}},
		{`{"match":{"te":"two three"}}`, map[string]float32{"1": 0.241631, "2": 1.2202134}},
		{`{"match_phrase_prefix":{"t":"quick bro"}}`, map[string]float32{"1": 0.8092569}},
		{`{"match_phrase_prefix":{"te":"tw"}}`, map[string]float32{"1": 0.241631, "2": 0.30158454}},
		{`{"multi_match":{"query":"true","fields":["b","bn"]}}`, map[string]float32{"1": 0.52354836, "3": 0.52354836}},
		{`{"bool":{"filter":[{"term":{"k":"Ab"}}]}}`, map[string]float32{"1": 0, "2": 0}},
		{`{"bool":{"must_not":[{"term":{"k":"Ab"}}],"boost":3}}`, map[string]float32{"3": 0}},
		{`{"bool":{"boost":2}}`, map[string]float32{"1": 2, "2": 2, "3": 2}},
		{`{"bool":{"must":[{"term":{"k":"Ab"}},{"term":{"b":true}}],"should":[{"match":{"t":"fox"}}]}}`, map[string]float32{"1": 1.687821}},
		{`{"nested":{"path":"n","query":{"term":{"n.x":"a"}}}}`, map[string]float32{"1": 0.9808291}},
		{`{"nested":{"path":"n","query":{"match_all":{}},"score_mode":"sum"}}`, map[string]float32{"1": 2, "2": 1}},
		{`{"nested":{"path":"n","query":{"range":{"n.y":{"gte":1}}},"score_mode":"none"}}`, map[string]float32{"1": 0}},
		{`{"constant_score":{"filter":{"term":{"k":"Ab"}},"boost":2.5}}`, map[string]float32{"1": 2.5, "2": 2.5}},
	} {
		result, err := run(t, c.targets(), `{"query":`+test.query+`}`)
		if err != nil || len(result.Hits) != len(test.want) {
			t.Errorf("%s: %v, %v", test.query, idsOf(result.Hits), err)
			continue
		}
		for i, h := range result.Hits {
			if want := test.want[h.ID]; math.Abs(float64(want-h.Score)) > 1e-6 || i > 0 && h.Score > result.Hits[i-1].Score {
				t.Errorf("%s: %s has %v, want %v", test.query, h.ID, h.Score, want)
			}
		}
	}
}

func TestEnds(t *testing.T) {
	c := many(200)
	s := &query.Search{Query: &query.MatchAll{}, Timeout: time.Nanosecond, TotalHits: query.AllHits}
	_, err := search.Run(context.Background(), c.targets(), search.Request{Search: s, Size: 10, Now: now})
	if !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) || !strings.Contains(err.Error(), "search_timeout") {
		t.Errorf("after the timeout: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Timeout = time.Hour
	if _, err := search.Run(ctx, c.targets(), search.Request{Search: s, Size: 10, Now: now}); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
	if _, err := search.Count(ctx, c.targets(), s.Query, now); !errors.Is(err, context.Canceled) {
		t.Errorf("counting after cancel: %v", err)
	}
}

func TestFind(t *testing.T) {
	c := newCollection(sampleMapping)
	c.add("a", `{"k":"x"}`)
	c.add("b", `{"k":"x"}`)
	c.freeze()
	c.kill(1)
	c.add("a", `{"k":"y"}`)
	targets := c.targets()
	now := map[string]uint64{"a": 3, "b": 9} // b was written after the views were taken
	targets[0].Find = func(id string) (uint64, bool) {
		position, ok := now[id]
		return position, ok
	}
	for body, want := range map[string]string{
		`{"query":{"ids":{"values":["a"]}}}`:         "a",
		`{"query":{"ids":{"values":["b","a","c"]}}}`: "b a",
		`{"query":{"term":{"_id":"c"}}}`:             "",
	} {
		result, err := run(t, targets, body)
		if got := idsOf(result.Hits); err != nil || got != want {
			t.Errorf("%s: %q, %v", body, got, err)
		}
	}
}

func TestAggregations(t *testing.T) {
	c := many(60)
	for _, body := range []string{
		`{"query":{"term":{"k":"k1"}},"post_filter":{"term":{"n":1}},"aggs":{"sum":{"value_count":{"field":"n"}}}}`,
		`{"query":{"bool":{"must":{"match":{"t":"word"}},"filter":{"term":{"k":"k1"}}}},"post_filter":{"term":{"n":1}},"aggs":{"sum":{"value_count":{"field":"n"}}}}`,
	} {
		result, err := run(t, c.targets(), body)
		if err != nil || string(result.Aggregations) != `{"sum":{"value":18}}` || result.Total != len(result.Hits) || result.Total >= 18 {
			t.Errorf("%s: %s, %d of %d, %v", body, result.Aggregations, len(result.Hits), result.Total, err)
		}
	}
}

// What is answered when nothing matches depends on the fields all the same.
func TestAggregationsOfNothing(t *testing.T) {
	const aggs = `"aggs":{"t":{"terms":{"field":"k","min_doc_count":0,"size":2}},"s":{"sum":{"field":"b"}}}`
	const sum = `"s":{"value":0.0,"value_as_string":"false"}}`
	full := newCollection(`{"properties":{"k":{"type":"keyword"},"b":{"type":"boolean"},"t":{"type":"text"}}}`)
	for i := range 3 {
		full.add(strconv.Itoa(i), fmt.Sprintf(`{"k":"k%d","t":"word"}`, i))
		full.freeze()
	}
	empty := newCollection(`{"properties":{"k":{"type":"keyword"},"b":{"type":"boolean"},"t":{"type":"text"}}}`)
	const none = `{"t":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[]},` + sum
	const every = `{"t":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"k0","doc_count":0},{"key":"k1","doc_count":0}]},` + sum
	for _, clause := range []string{`{"match_none":{}}`, `{"term":{"k":"x"}}`, `{"match":{"t":"absent"}}`} {
		for want, c := range map[string]*collection{every: full, none: empty} {
			result, err := run(t, c.targets(), `{"query":`+clause+`,`+aggs+`}`)
			if err != nil || string(result.Aggregations) != want {
				t.Errorf("%s: %s, %v, want %s", clause, result.Aggregations, err, want)
			}
		}
	}
	if _, err := run(t, empty.targets(), `{"aggs":{"t":{"terms":{"field":"t"}}}}`); !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
		t.Errorf("a text aggregated in an empty collection: %v", err)
	}
}
