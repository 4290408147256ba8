package storagetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// hitsComparison has what surrounds hits.
var hitsComparison = Comparison{
	Name: "Hits", spec: hitsSpec,
	document: generator.hitsDocument, second: 4,
	written: writtenCases(1000, hitsBodies), random: generator.hitsSearch,
	recorded: amount{100, 300}, compared: amount{200, 500},
}

// hitsSpec is a collection whose documents have, unlike those of the corpus, one value in most fields: only by such can hits be
// collapsed.
var hitsSpec = storage.Spec{Mapping: jsontext.Value(`{"dynamic":"false","properties":{
	"uid":{"type":"keyword"},
	"k":{"type":"keyword"},
	"lower":{"type":"keyword","normalizer":"lowercase"},
	"hidden":{"type":"keyword","index":false},
	"flat":{"type":"keyword","doc_values":false},
	"many":{"type":"keyword"},
	"n":{"type":"long"},"i":{"type":"integer"},"b":{"type":"byte"},
	"d":{"type":"double"},"f":{"type":"float"},"h":{"type":"half_float"},
	"bo":{"type":"boolean"},"at":{"type":"date"},"ip":{"type":"ip"},"loc":{"type":"geo_point"},
	"t":{"type":"text"},
	"o":{"properties":{"k":{"type":"keyword"}}},
	"items":{"type":"nested","properties":{"name":{"type":"keyword"},"qty":{"type":"integer"},"note":{"type":"text"},
		"parts":{"type":"nested","properties":{"code":{"type":"keyword"},"n":{"type":"integer"}}}}},
	"other":{"type":"alias","path":"k"}
}}`)}

func (g generator) hitsDocument(number int) jsontext.Value {
	fields := map[string]func() any{
		"k": g.keyword, "lower": g.keyword, "hidden": g.keyword, "flat": g.keyword,
		"many": func() any { return []any{g.keyword(), g.keyword()} },
		"n":    g.big, "i": func() any { return g.IntN(7) - 3 }, "b": func() any { return g.IntN(3) },
		"d": g.float, "f": g.float, "h": g.half,
		"bo": func() any { return g.chance(2) }, "at": g.date, "ip": func() any { return pick(g, ips...) }, "loc": g.point,
		"t": func() any { return g.sentence(8) }, "o": func() any { return map[string]any{"k": g.keyword()} }, "items": g.items,
	}
	doc := map[string]any{"uid": fmt.Sprintf("u%04d", number)}
	for _, name := range sorted(fields) {
		if !g.chance(6) {
			doc[name] = fields[name]()
		}
	}
	return marshal(doc)
}

// hitsBodies are what is asked of them. They were written by hand like writtenBodies.
var hitsBodies = []string{
	`{"collapse":{"field":"k"},"sort":"uid"}`,
	`{"collapse":{"field":"k"},"sort":[{"i":"desc"},"uid"]}`,
	`{"collapse":{"field":"other"},"sort":"uid"}`,
	`{"collapse":{"field":"lower"},"sort":"uid"}`,
	`{"collapse":{"field":"o.k","max_concurrent_group_searches":3},"sort":"uid"}`,
	`{"collapse":{"field":"n"},"sort":"uid"}`,
	`{"collapse":{"field":"b"},"sort":[{"d":{"order":"desc","missing":"_first"}},"uid"]}`,
	`{"collapse":{"field":"d"},"sort":"uid"}`,
	`{"collapse":{"field":"f"},"sort":"uid"}`,
	`{"collapse":{"field":"h"},"sort":"uid"}`,
	`{"collapse":{"field":"hidden"},"sort":"uid"}`,
	`{"collapse":{"field":"items.name"},"sort":"uid"}`,
	`{"collapse":{"field":"k"},"query":{"match":{"t":"the quick fox"}},"sort":["_score","uid"]}`,
	`{"collapse":{"field":"k"},"query":{"match":{"t":"the quick fox"}},"post_filter":{"range":{"i":{"gte":0}}},"sort":"uid",
		"aggs":{"sum":{"sum":{"field":"i"}}}}`,
	`{"collapse":{"field":"k"},"sort":"k","search_after":["blue"]}`,
	`{"collapse":{"field":"k"},"sort":[{"k":"desc"}],"search_after":["blue"]}`,
	`{"collapse":{"field":"i"},"sort":[{"i":"desc"}],"search_after":[1]}`,
	`{"collapse":{"field":"k"},"sort":["k","uid"],"search_after":["blue","u0001"]}`,
	`{"collapse":{"field":"k"},"sort":"uid","search_after":["u0001"]}`,
	`{"collapse":{"field":"k","inner_hits":{"name":"best","sort":["uid"]}},"sort":"uid"}`,
	`{"collapse":{"field":"b","inner_hits":{"name":"best","sort":[{"i":"desc"},"uid"],"from":1,"size":5,"_source":["i","b"]}},"sort":"uid"}`,
	`{"collapse":{"field":"b","inner_hits":{"name":"best","size":100}},"query":{"match":{"t":"the quick fox"}},"sort":"uid"}`,
	`{"collapse":{"field":"h","inner_hits":{"name":"best","size":100,"sort":{"uid":"desc"}}},"sort":"uid"}`,
	`{"collapse":{"field":"d","inner_hits":{"name":"best","size":100,"sort":{"uid":"desc"}}},"sort":"uid"}`,
	`{"collapse":{"field":"n","inner_hits":{"name":"best","size":100,"sort":{"uid":"desc"}}},"sort":"uid"}`,
	`{"collapse":{"field":"lower","inner_hits":{"name":"best","size":0}},"sort":"uid"}`,
	`{"collapse":{"field":"k","inner_hits":[{"name":"a","sort":["uid"]},{"name":"b","size":1,"sort":[{"uid":"desc"}],"_source":false}]},"sort":"uid"}`,
	`{"collapse":{"field":"k","inner_hits":{"name":"a","size":10,"sort":["uid"],"collapse":{"field":"b"}}},"sort":"uid"}`,
	`{"collapse":{"field":"k","inner_hits":{"name":"a","sort":["uid"],"highlight":{"fields":{"t":{}}}}},"query":{"match":{"t":"fox"}},"sort":"uid"}`,
	`{"collapse":{"field":"k","inner_hits":{"name":"a","sort":["uid"]}},"post_filter":{"range":{"i":{"gte":0}}},"sort":"uid"}`,
	`{"collapse":{"field":"k","inner_hits":[]},"sort":"uid"}`,
	`{"collapse":{"field":"b","inner_hits":{"name":""}},"query":{"term":{"b":1}},"sort":"uid"}`,
	`{"collapse":{"field":"many"}}`,
	`{"collapse":{"field":"none"}}`,
	`{"collapse":{"field":"o"}}`,
	`{"collapse":{"field":"items"}}`,
	`{"collapse":{"field":"flat"}}`,
	`{"collapse":{"field":"t"}}`,
	`{"collapse":{"field":"at"}}`,
	`{"collapse":{"field":"bo"}}`,
	`{"collapse":{"field":"ip"}}`,
	`{"collapse":{"field":"loc"}}`,
	`{"collapse":{"field":"hidden","inner_hits":{"name":"a"}}}`,
	`{"collapse":{"field":"k","inner_hits":{}}}`,
	`{"collapse":{"field":"k","inner_hits":{"name":"a","sort":"uid"}}}`,
	`{"collapse":{"field":"k","inner_hits":{"name":"a","collapse":{"field":"b","inner_hits":{"name":"b"}}}}}`,
	`{"collapse":{"field":"k","inner_hits":{"name":"a","unknown":1}}}`,
	`{"collapse":{"field":"k","max_concurrent_group_searches":0}}`,
	`{"collapse":{"field":""}}`,
	`{"collapse":"k"}`,
	`{"explain":true}`,
	`{"explain":true,"query":{"match":{"t":"the quick fox"}}}`,
	`{"explain":true,"query":{"match":{"t":"the quick fox"}},"sort":"uid"}`,
	`{"explain":true,"query":{"bool":{"must":{"match":{"t":"fox"}},"filter":{"range":{"i":{"gte":0}}},"should":[{"term":{"k":"red"}},{"term":{"b":1}}]}},"sort":"uid"}`,
	`{"explain":true,"query":{"match_phrase":{"t":"the quick"}},"sort":"uid"}`,
	`{"explain":true,"query":{"multi_match":{"query":"the red fox","fields":["t^2","k"],"tie_breaker":0.3}},"sort":"uid"}`,
	`{"explain":true,"query":{"nested":{"path":"items","score_mode":"max","query":{"match":{"items.note":"fox"}}}},"sort":"uid"}`,
	`{"explain":true,"query":{"boosting":{"positive":{"match":{"t":"fox"}},"negative":{"term":{"b":1}},"negative_boost":0.5}},"sort":"uid"}`,
	`{"explain":true,"query":{"function_score":{"query":{"match":{"t":"fox"}},"functions":[{"filter":{"term":{"b":1}},"weight":3},{"weight":2}],"score_mode":"sum"}},"sort":"uid"}`,
	`{"explain":true,"query":{"function_score":{"query":{"match":{"t":"fox"}},"weight":3,"min_score":0.5,"boost_mode":"sum"}},"sort":"uid"}`,
	`{"explain":true,"query":{"terms_set":{"many":{"terms":["red","blue"],"minimum_should_match":1}}},"sort":"uid"}`,
	`{"explain":true,"query":{"constant_score":{"filter":{"term":{"k":"red"}},"boost":3}},"collapse":{"field":"b"},"sort":"uid"}`,
	`{"explain":true,"query":{"bool":{"filter":{"term":{"k":"red"}}}},"sort":"uid"}`,
	`{"explain":"yes"}`,
	`{"aggs":{"top":{"top_hits":{}}},"query":{"match":{"t":"the quick fox"}}}`,
	`{"aggs":{"top":{"top_hits":{}}},"query":{"match":{"t":"the quick fox"}},"sort":"uid"}`,
	`{"aggs":{"top":{"top_hits":{"size":1}}},"query":{"bool":{"filter":{"term":{"k":"red"}}}}}`,
	`{"aggs":{"top":{"top_hits":{"size":2,"from":1,"sort":"uid"}}}}`,
	`{"aggs":{"top":{"top_hits":{"size":5,"sort":["_score",{"uid":"desc"}],"_source":["i"]}}},"query":{"match":{"t":"the quick fox"}}}`,
	`{"aggs":{"top":{"top_hits":{"size":5,"sort":{"uid":"desc"},"track_scores":true,"_source":false}}},"query":{"match":{"t":"the quick fox"}}}`,
	`{"aggs":{"top":{"top_hits":{"size":5,"sort":[{"_score":"asc"},"uid"],"_source":false}}},"query":{"match":{"t":"the quick fox"}}}`,
	`{"aggs":{"top":{"top_hits":{"size":1,"from":99}}},"query":{"match":{"t":"the quick fox"}}}`,
	`{"aggs":{"top":{"top_hits":{"size":3,"highlight":{"fields":{"t":{}}}}}},"query":{"match":{"t":"the quick fox"}}}`,
	`{"aggs":{"by":{"terms":{"field":"k"},"aggs":{"top":{"top_hits":{"size":2,"sort":[{"i":"desc"},"uid"],"_source":"i"}}}}}}`,
	`{"aggs":{"by":{"terms":{"field":"k","order":{"most":"desc"}},"aggs":{"top":{"top_hits":{"sort":"uid"}},"most":{"max":{"field":"i"}}}}}}`,
	`{"aggs":{"by":{"histogram":{"field":"i","interval":2},"aggs":{"top":{"top_hits":{"sort":"uid","_source":false}}}}},"post_filter":{"term":{"k":"red"}}}`,
	`{"aggs":{"by":{"date_histogram":{"field":"at","calendar_interval":"year"},"aggs":{"top":{"top_hits":{"sort":[{"at":"desc"},"uid"],"_source":false}}}}}}`,
	`{"aggs":{"by":{"range":{"field":"d","ranges":[{"to":1},{"from":1}]},"aggs":{"top":{"top_hits":{"sort":[{"d":"desc"},"uid"],"_source":"d"}}}}}}`,
	`{"aggs":{"by":{"filter":{"term":{"k":"none"}},"aggs":{"top":{"top_hits":{}}}}}}`,
	`{"aggs":{"by":{"filters":{"filters":{"a":{"term":{"k":"red"}},"b":{"match":{"t":"fox"}}}},"aggs":{"top":{"top_hits":{"sort":"uid"}}}}}}`,
	`{"aggs":{"by":{"missing":{"field":"k"},"aggs":{"top":{"top_hits":{"sort":"uid"}}}}}}`,
	`{"aggs":{"by":{"composite":{"sources":[{"k":{"terms":{"field":"k"}}}]},"aggs":{"top":{"top_hits":{"sort":"uid","size":1}}}}}}`,
	`{"aggs":{"in":{"nested":{"path":"items"},"aggs":{"by":{"terms":{"field":"items.name"},"aggs":{"out":{"reverse_nested":{},"aggs":{"top":{"top_hits":{"sort":"uid","_source":false}}}}}}}}}}`,
	`{"aggs":{"top":{"top_hits":{"size":0}}}}`,
	`{"aggs":{"top":{"top_hits":{"size":100,"from":1}}}}`,
	`{"aggs":{"top":{"top_hits":{"unknown":1}}}}`,
	`{"aggs":{"top":{"top_hits":{"sort":"none"}}}}`,
	`{"aggs":{"top":{"top_hits":{}},"aggs":{"m":{"max":{"field":"i"}}}}}`,
	`{"aggs":{"by":{"terms":{"field":"k","order":{"top":"asc"}},"aggs":{"top":{"top_hits":{}}}}}}`,
}

func (g generator) hitsSearch() searchCase {
	s := searchCase{Size: 1000}
	if g.chance(2) {
		s.From, s.Size = g.IntN(4), g.IntN(10)
	}
	if g.chance(6) {
		s.Targets = []string{secondCollection, mainCollection}
	}
	s.Body = marshal(g.hitsBody(len(s.Targets) > 0))
	return s
}

func (g generator) hitsBody(several bool) map[string]any {
	body := map[string]any{"query": g.hitsQuery(2), "_source": pick[any](g, false, "i", true), "sort": g.hitsSort()}
	if g.chance(4) && !several {
		delete(body, "sort")
	}
	if g.chance(6) {
		body["post_filter"] = g.hitsQuery(1)
	}
	// Below a bool, the words of clauses that do not match are highlighted by the embedded engine alone.
	g.sound = strings.Contains(string(marshal(body["query"])), "bool")
	if g.chance(4) {
		body["explain"] = true
	}
	if g.chance(2) {
		body["collapse"] = g.collapse(several)
	}
	if !several && g.chance(2) { // the counts of several shards are not exact
		body["aggs"] = map[string]any{"a": g.topHits(2)}
	}
	return body
}

func (g generator) hitsQuery(depth int) any {
	if depth > 0 && g.chance(3) {
		return map[string]any{"bool": map[string]any{
			"should": []any{g.hitsQuery(depth - 1), g.hitsQuery(depth - 1)}, pick(g, "must", "filter"): []any{g.hitsQuery(depth - 1)},
		}}
	}
	switch g.IntN(7) {
	case 4:
		return map[string]any{"dis_max": map[string]any{"tie_breaker": 0.5, "queries": []any{g.hitsQuery(0), g.hitsQuery(0)}}}
	case 5:
		return map[string]any{"constant_score": map[string]any{"filter": g.hitsQuery(0), "boost": 2.5}}
	case 0:
		return map[string]any{"term": map[string]any{pick(g, "k", "lower", "many", "o.k"): g.keyword()}}
	case 1:
		return map[string]any{"range": map[string]any{"i": map[string]any{"gte": g.IntN(5) - 3}}}
	case 2:
		return map[string]any{"match": map[string]any{"t": g.sentence(4)}}
	}
	return map[string]any{"match_all": map[string]any{}}
}

func (g generator) hitsSort() []any {
	key := map[string]any{pick(g, "k", "lower", "i", "b", "d", "at", "many"): pick(g, "asc", "desc")}
	return slices.Concat(pick(g, []any{}, []any{key}, []any{"_score"}), []any{map[string]any{"uid": pick(g, "asc", "desc")}})
}

func (g generator) collapse(several bool) map[string]any {
	c := map[string]any{"field": pick(g, "k", "lower", "o.k", "other", "n", "i", "b", "d", "f", "h", "uid")}
	inner := make([]any, g.IntN(3))
	for i := range inner {
		inner[i] = g.innerHits(several)
		inner[i].(map[string]any)["name"] = fmt.Sprint("in", i)
		if g.chance(4) {
			inner[i].(map[string]any)["collapse"] = map[string]any{"field": pick(g, "b", "i", "lower")}
		}
	}
	if len(inner) > 0 {
		c["inner_hits"] = pick[any](g, inner, inner[0])
	}
	return c
}

// topHits makes a top_hits, in buckets at most so deep.
func (g generator) topHits(depth int) map[string]any {
	if depth == 0 || g.chance(4) {
		h := g.innerHits(false)
		h["size"] = 1 + g.IntN(5)
		if g.chance(4) {
			h["track_scores"] = true
		}
		return map[string]any{"top_hits": h}
	}
	by := pick(g,
		map[string]any{"terms": map[string]any{"field": pick(g, "k", "many", "i", "b", "lower"), "size": 100}},
		map[string]any{"histogram": map[string]any{"field": pick(g, "i", "d"), "interval": 5, "min_doc_count": 1}},
		map[string]any{"filter": g.hitsQuery(0)},
		map[string]any{"filters": map[string]any{"filters": []any{g.hitsQuery(0), g.hitsQuery(0)}}},
		map[string]any{"missing": map[string]any{"field": pick(g, "k", "i")}},
	)
	by["aggs"] = map[string]any{"a": g.topHits(depth - 1), "b": g.topHits(0)}
	return by
}

// innerHits says which hits are shown within something.
func (g generator) innerHits(several bool) map[string]any {
	h := map[string]any{"_source": pick[any](g, false, true, []string{"i", "o.*"})}
	if g.chance(2) {
		h["size"] = g.IntN(8)
	}
	if g.chance(4) {
		h["from"] = g.IntN(3)
	}
	if several || g.chance(2) {
		h["sort"] = g.hitsSort()
	}
	if !g.sound && g.chance(6) {
		h["highlight"] = map[string]any{"fields": map[string]any{"t": map[string]any{}}}
	}
	return h
}
