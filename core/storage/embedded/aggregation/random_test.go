package aggregation_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// record is a document of the random test in plain values.
type record struct {
	k []string  // keyword k
	l []int64   // long l
	d []float64 // double d, quarters only, whose sums are exact
}

func (r record) json() string {
	var members []string
	add := func(name string, n int, at func(i int) string) {
		list := make([]string, n)
		for i := range list {
			list[i] = at(i)
		}
		if n > 0 {
			members = append(members, fmt.Sprintf("%q:[%s]", name, strings.Join(list, ",")))
		}
	}
	add("k", len(r.k), func(i int) string { return strconv.Quote(r.k[i]) })
	add("l", len(r.l), func(i int) string { return strconv.FormatInt(r.l[i], 10) })
	add("d", len(r.d), func(i int) string { return strconv.FormatFloat(r.d[i], 'f', -1, 64) })
	return "{" + strings.Join(members, ",") + "}"
}

func randomRecord(r *rand.Rand, most int) record {
	var doc record
	for range r.IntN(most + 1) {
		doc.k = append(doc.k, fmt.Sprintf("k%d", r.IntN(6)))
	}
	for range r.IntN(most + 1) {
		doc.l = append(doc.l, int64(r.IntN(7)-3))
	}
	for range r.IntN(most + 1) {
		doc.d = append(doc.d, float64(r.IntN(9)-4)/4)
	}
	return doc
}

// tree is an aggregation: of terms, or a metric without subs.
type tree struct {
	name, kind, field string
	size, least       int
	order             string // _count, _key or the name of a sub
	desc              bool
	missing           string // JSON, or empty
	subs              []tree
}

func randomTrees(r *rand.Rand, depth int) []tree {
	list := make([]tree, 1+r.IntN(3))
	for i := range list {
		t := tree{name: fmt.Sprintf("a%d", i), field: []string{"k", "l", "d", "nope"}[r.IntN(4)]}
		kinds := []string{"value_count", "cardinality", "min", "max", "avg", "sum"}
		switch {
		case depth > 0 && r.IntN(2) == 0:
			t.kind, t.size, t.least = "terms", 1+r.IntN(8), r.IntN(3)
			if r.IntN(2) == 0 {
				t.subs = randomTrees(r, depth-1)
			}
			t.order, t.desc = []string{"_count", "_key"}[r.IntN(2)], r.IntN(2) == 0
			if len(t.subs) > 0 && t.subs[0].kind != "terms" {
				t.order = t.subs[0].name
			}
		case t.field == "k":
			t.kind = kinds[r.IntN(2)]
		default:
			t.kind = kinds[r.IntN(len(kinds))]
		}
		if r.IntN(3) == 0 {
			t.missing = map[string]string{"k": `"k9"`, "l": "2", "d": "0.5", "nope": `"3"`}[t.field]
		}
		list[i] = t
	}
	return list
}

func (t tree) json() string {
	if t.kind != "terms" {
		return fmt.Sprintf(`%q:{%q:{"field":%q%s}}`, t.name, t.kind, t.field, t.missingOption())
	}
	order := "asc"
	if t.desc {
		order = "desc"
	}
	return fmt.Sprintf(`%q:{"terms":{"field":%q,"size":%d,"min_doc_count":%d,"order":{%q:%q}%s},"aggs":{%s}}`,
		t.name, t.field, t.size, t.least, t.order, order, t.missingOption(), join(t.subs, tree.json))
}

func (t tree) missingOption() string {
	if t.missing == "" {
		return ""
	}
	return `,"missing":` + t.missing
}

func join[T any](list []T, text func(T) string) string {
	parts := make([]string, len(list))
	for i, item := range list {
		parts[i] = text(item)
	}
	return strings.Join(parts, ",")
}

// values gives the values of a document as numbers, or as texts with quotes, with their keys in answers.
func (t tree) values(doc record) (keys []string, numbers []float64) {
	switch t.field {
	case "k":
		texts := slices.Clone(doc.k)
		slices.Sort(texts)
		for _, s := range slices.Compact(texts) {
			keys = append(keys, strconv.Quote(s))
		}
	case "l":
		for _, n := range doc.l {
			keys, numbers = append(keys, strconv.FormatInt(n, 10)), append(numbers, float64(n))
		}
	case "d":
		for _, x := range doc.d {
			keys, numbers = append(keys, float(x)), append(numbers, x)
		}
	}
	if len(keys) == 0 && t.missing != "" {
		keys = []string{t.missing}
		if x, err := strconv.ParseFloat(strings.Trim(t.missing, `"`), 64); err == nil {
			numbers = []float64{x}
		}
	}
	return keys, numbers
}

func float(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// metric computes the number of a metric, and its text in the answer.
func (t tree) metric(docs []record) (float64, string) {
	sum, low, high, n, different := 0.0, math.Inf(1), math.Inf(-1), 0, map[string]bool{}
	for _, doc := range docs {
		keys, numbers := t.values(doc)
		n += len(keys)
		for _, k := range keys {
			different[k] = true
		}
		for _, x := range numbers {
			sum, low, high = sum+x, min(low, x), max(high, x)
		}
	}
	result := 0.0
	switch t.kind {
	case "value_count":
		return float64(n), strconv.Itoa(n)
	case "cardinality":
		return float64(len(different)), strconv.Itoa(len(different))
	case "sum":
		return sum, float(sum)
	case "min":
		result = low
	case "max":
		result = high
	case "avg":
		result = math.Inf(1) // what has no value is greater than everything
		if n > 0 {
			result = sum / float64(n)
		}
	}
	if n == 0 {
		return result, "null"
	}
	return result, float(result)
}

// answer computes an aggregation of docs; live has all documents there are.
func (t tree) answer(docs, live []record) string {
	if t.kind != "terms" {
		_, text := t.metric(docs)
		return fmt.Sprintf(`%q:{"value":%s}`, t.name, text)
	}
	buckets := map[string][]record{}
	if t.least == 0 {
		for _, doc := range live {
			keys, _ := t.values(doc)
			for _, k := range keys {
				buckets[k] = nil
			}
		}
	}
	for _, doc := range docs {
		keys, _ := t.values(doc)
		slices.Sort(keys)
		for _, k := range slices.Compact(keys) {
			buckets[k] = append(buckets[k], doc)
		}
	}
	keys := slices.Collect(func(yield func(string) bool) {
		for k, docs := range buckets {
			if len(docs) >= t.least && !yield(k) {
				return
			}
		}
	})
	slices.SortFunc(keys, func(a, b string) int { return t.compare(a, b, buckets) })
	others := 0
	for _, k := range keys[min(t.size, len(keys)):] {
		others += len(buckets[k])
	}
	return fmt.Sprintf(`%q:{"doc_count_error_upper_bound":0,"sum_other_doc_count":%d,"buckets":[%s]}`, t.name, others,
		join(keys[:min(t.size, len(keys))], func(k string) string {
			members := append([]string{fmt.Sprintf(`"key":%s,"doc_count":%d`, k, len(buckets[k]))}, nil...)
			for _, sub := range t.subs {
				members = append(members, sub.answer(buckets[k], live))
			}
			return "{" + strings.Join(members, ",") + "}"
		}))
}

func (t tree) compare(a, b string, buckets map[string][]record) int {
	byKey := strings.Compare(a, b)
	if t.field == "l" || t.field == "d" {
		x, _ := strconv.ParseFloat(a, 64)
		y, _ := strconv.ParseFloat(b, 64)
		byKey = cmp.Compare(x, y)
	}
	c := 0
	switch t.order {
	case "_key":
		c = byKey
	case "_count":
		c = cmp.Compare(len(buckets[a]), len(buckets[b]))
	default:
		x, _ := t.subs[0].metric(buckets[a])
		y, _ := t.subs[0].metric(buckets[b])
		c = cmp.Compare(x, y)
	}
	if t.desc {
		c = -c
	}
	return cmp.Or(c, byKey)
}

// TestRandom compares random aggregations of random documents in random segments with the plain way to compute them.
func TestRandom(t *testing.T) {
	m := parse(t, `{"properties":{"k":{"type":"keyword"},"l":{"type":"long"},"d":{"type":"double"}}}`)
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		var parts []part
		var collected, live []record
		share := r.IntN(3)
		for range 1 + r.IntN(4) {
			most := 1 + r.IntN(3)
			docs := make([]record, r.IntN(20))
			texts := make([]string, len(docs))
			for i := range docs {
				docs[i] = randomRecord(r, most)
				texts[i] = docs[i].json()
			}
			wanted := make([]bool, len(docs))
			for i := range docs {
				wanted[i] = share == 0 || r.IntN(2) == 0
				if wanted[i] {
					collected = append(collected, docs[i])
				}
			}
			live = append(live, docs...)
			p := memory(t, m, texts, func(i int) bool { return wanted[i] })
			if seed%8 == 0 { // files take long to write
				p = file(t, p)
			}
			parts = append(parts, p)
		}
		for range 5 {
			trees := randomTrees(r, 3)
			aggs := "{" + join(trees, tree.json) + "}"
			want := "{" + join(trees, func(t tree) string { return t.answer(collected, live) }) + "}"
			if got := aggregate(t, aggs, parts...); got != want {
				t.Fatalf("seed %d, %s of %v:\n got %s\nwant %s", seed, aggs, collected, got, want)
			}
		}
	}
}
