package storagetest

import (
	"slices"
	"strings"
)

// search makes a search of the corpus.
func (g generator) search() searchCase {
	body, from, size := g.body()
	s := searchCase{Body: marshal(body), From: from, Size: size}
	if g.chance(10) && body["aggs"] == nil { // the counts of several shards are not exact
		s.Targets = []string{secondCollection, mainCollection}
		if g.chance(3) {
			s.Targets = append(s.Targets, emptyCollection)
		}
	}
	return s
}

// body makes the body of a search, and the page to ask for.
func (g generator) body() (body map[string]any, from, size int) {
	body = map[string]any{}
	if !g.chance(12) {
		body["query"] = g.query(3)
	}
	size = 1000
	if g.chance(2) {
		body["sort"] = g.sort()
		if g.chance(2) {
			from, size = g.IntN(20), 1+g.IntN(30)
		}
	} else if g.chance(4) {
		size = 1 + g.IntN(10)
	}
	if g.chance(16) {
		body["post_filter"] = g.query(1)
	}
	if g.chance(6) {
		body["track_total_hits"] = pick[any](g, true, false, 10, 100000)
	}
	if g.chance(3) {
		body["aggs"] = g.aggregations(2)
		if g.chance(2) {
			size = 0
		}
	}
	if g.chance(6) {
		body["query"] = g.highlighted()
		field := map[string]any{"fragment_size": pick(g, 0, 10, 50, 100), "number_of_fragments": pick(g, 0, 1, 3, 100)}
		body["highlight"] = map[string]any{"fields": map[string]any{pick(g, "*", "t*", "body", "o.t", "kw"): field}}
	}
	body["_source"] = pick[any](g, false, false, false, false, []string{"kw", "o.*"}, "t*",
		map[string]any{"includes": []string{"o", "items.name"}, "excludes": []string{"o.t"}}, map[string]any{"excludes": "*s"})
	return body, from, size
}

// highlighted makes a query whose words can be shown. A highlight does not know which words near a fuzzy one are in the index, nor
// whether clauses for other fields match, deep inside of a query or as words of cross_fields; and Elasticsearch shows too much of a
// phrase with a slop that has a word twice.
func (g generator) highlighted() clause {
	for {
		q := g.query(1)
		text := string(marshal(q))
		if !slices.ContainsFunc([]string{"fuzz", "minimum_should_match_field", "slop", "cross_fields"}, func(part string) bool { return strings.Contains(text, part) }) {
			return q
		}
	}
}

// sort makes the keys of a sort, the last of which no two documents share.
func (g generator) sort() any {
	field := pick(g, "kw", "tags", "lower", "nul", "n", "i", "s", "b", "d", "f", "h", "bo", "at", "day", "ip", "o.n", "o.k", "title.raw", "other")
	var key any = field
	if g.chance(6) {
		return []any{map[string]any{"_geo_distance": g.distance()}, "uid"}
	}
	switch g.IntN(5) {
	case 0:
		key = map[string]any{field: pick(g, "asc", "desc")}
	case 1, 2:
		options := map[string]any{"order": pick(g, "asc", "desc")}
		if g.chance(2) {
			options["missing"] = pick[any](g, "_first", "_last", g.missing(field))
		}
		if field == "ip" { // which Elasticsearch cannot write in an answer
			delete(options, "missing")
		}
		if g.chance(2) {
			options["mode"] = pick(g, "min", "max")
			if field == "i" || field == "d" || field == "o.n" || field == "f" {
				options["mode"] = pick(g, "min", "max", "sum", "avg", "median")
			}
		}
		key = map[string]any{field: options}
	case 3:
		key = map[string]any{"none": map[string]any{"unmapped_type": pick(g, "long", "keyword", "date"), "order": "desc"}}
	}
	unique := pick[any](g, "uid", map[string]any{"uid": "desc"})
	if g.chance(5) {
		return unique
	}
	return []any{key, unique}
}

// distance makes a key that is a distance. Its points are places where no document is, so that nothing is too near to compare.
func (g generator) distance() map[string]any {
	d := map[string]any{"loc": pick[any](g, "10,20", []float64{2.5, 47.5}, []any{"10,20", map[string]any{"lat": -40, "lon": 179}})}
	if g.chance(2) {
		d["order"], d["unit"] = pick(g, "asc", "desc"), pick(g, "km", "mi", "m", "cm")
	}
	if g.chance(2) {
		d["mode"] = pick(g, "min", "max", "avg", "median")
	}
	if g.chance(3) {
		d["distance_type"], d["unit"] = pick(g, "arc", "plane"), "km"
	}
	return d
}

// missing is a value for documents without one.
func (g generator) missing(field string) any {
	switch field {
	case "kw", "tags", "lower", "nul", "o.k", "title.raw", "other":
		return g.keyword()
	case "bo":
		return true
	case "at":
		return "2022-03-04"
	case "day":
		return "2022-03-04"
	case "ip":
		return "10.0.0.9"
	}
	return g.small()
}

func (g generator) aggregations(depth int) map[string]any {
	all := map[string]any{}
	for _, name := range []string{"a", "b", "c"}[:g.IntN(3)+1] {
		if depth > 0 && g.chance(2) {
			all[name] = g.termsAggregation(depth)
		} else if g.chance(2) {
			all[name] = g.bucketAggregation(depth)
		} else {
			all[name] = g.metric()
		}
	}
	return all
}

func (g generator) metric() map[string]any {
	kind := pick(g, "min", "max", "avg", "sum", "stats", "value_count", "cardinality")
	if g.chance(4) {
		kind = pick(g, "extended_stats", "percentiles")
	}
	fields := []string{"i", "s", "b", "d", "f", "o.n", "unindexed", "at", "bo", "none"}
	if kind == "value_count" || kind == "cardinality" {
		fields = append(fields, "kw", "tags", "ip", "uid", "lower", "n", "day")
	}
	field := pick(g, fields...)
	m := map[string]any{"field": field}
	if g.chance(4) && field != "none" {
		m["missing"] = g.missing(field)
	}
	if kind == "cardinality" && g.chance(3) {
		m["precision_threshold"] = 40000
	}
	return map[string]any{kind: m}
}

func (g generator) termsAggregation(depth int) map[string]any {
	field := pick(g, "kw", "tags", "lower", "nul", "n", "i", "b", "d", "f", "bo", "at", "day", "ip", "o.k", "title.raw", "none", "other", "unindexed")
	m := map[string]any{"field": field}
	if g.chance(2) {
		m["size"] = pick(g, 1, 2, 3, 100, 1000)
	}
	if g.chance(4) {
		m["min_doc_count"] = pick(g, 0, 2, 5)
	}
	if g.chance(4) && field != "none" {
		m["missing"] = g.missing(field)
	}
	if field == "kw" || field == "tags" || field == "o.k" {
		if g.chance(4) {
			m["include"] = pick[any](g, "b.*", ".*e.*", []string{"red", "blue"})
		}
		if g.chance(5) {
			m["exclude"] = pick[any](g, "[A-Z]+", []string{"green"})
		}
	}
	a := map[string]any{"terms": m}
	switch g.IntN(5) {
	case 0:
		m["order"] = map[string]any{"_key": pick(g, "asc", "desc")}
	case 1:
		m["order"] = map[string]any{"_count": pick(g, "asc", "desc")}
	case 2:
		m["order"] = map[string]any{pick(g, "m", "m.value"): pick(g, "asc", "desc")}
		a["aggs"] = map[string]any{"m": map[string]any{pick(g, "max", "min", "sum"): map[string]any{"field": "i"}}}
	case 3:
		a["aggs"] = g.aggregations(depth - 1)
	}
	if m["order"] != nil || m["min_doc_count"] != nil {
		m["shard_size"] = 10000 // else Elasticsearch is not exact
	}
	if g.chance(10) {
		a["meta"] = map[string]any{"why": "not"}
	}
	return a
}
