package aggregation

import (
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
)

// pipeline works on the buckets of an owner.
type pipeline struct {
	name string
	meta jsontext.Value
	// run computes numbers, or puts the buckets in another order.
	run func(r *results, at int)
}

// results are the buckets of an owner with what pipelines computed for them.
type results struct {
	pipelines []pipeline
	list      []candidate
	columns   []resultColumn // of each pipeline
	keys      func(a, b uint64) int
}

// resultColumn are the numbers of a pipeline by bucket. It is empty for one that only puts buckets in order.
type resultColumn struct {
	values []float64
	there  []bool // whether a bucket has a number
	// normalized are the numbers for a unit; nil when they are not asked for.
	normalized []float64
}

// resultBytes is what a number of a bucket needs.
const resultBytes = 8 + 1 + 8

// compute runs the pipelines over a list of buckets; it gives nil when there are none, or the limits end it.
func (b *buckets) compute(list []candidate) *results {
	if len(b.pipelines) == 0 {
		return nil
	}
	bytes := len(list) * len(b.pipelines) * resultBytes
	b.limits.charge(bytes)
	defer b.limits.charge(-bytes)
	if b.limits.spend(len(list) * len(b.pipelines)) {
		return nil
	}
	r := &results{pipelines: b.pipelines, list: list, columns: make([]resultColumn, len(b.pipelines)), keys: b.keyOrder}
	for at, p := range b.pipelines {
		p.run(r, at)
	}
	return r
}

// of gives the buckets of the answer.
func (r *results) of(list []candidate) []candidate {
	if r == nil {
		return list
	}
	return r.list
}

// write appends the numbers of the bucket at a place.
func (r *results) write(w *writer, i int) {
	if r == nil {
		return
	}
	for at, p := range r.pipelines {
		c := &r.columns[at]
		if c.values == nil || !c.there[i] {
			continue
		}
		w.name(p.name)
		w.object(func() {
			if p.meta != nil {
				w.name("meta")
				w.raw(compact(p.meta))
			}
			w.name("value")
			w.finite(c.values[i])
			if c.normalized != nil {
				w.name("normalized_value")
				w.finite(c.normalized[i])
			}
		})
	}
}

// finite writes a number, null for one that JSON has not.
func (w *writer) finite(x float64) {
	if !isFinite(x) {
		w.null()
		return
	}
	w.floating(x)
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// source gives the number of the bucket at a place, false when it has none.
type source func(r *results, i int) (float64, bool)

func newPipelines(list []query.Aggregation, subs nodes) []pipeline {
	var pipelines []pipeline
	for _, a := range list {
		p := pipeline{name: a.Name, meta: a.Meta}
		switch of := a.Of.(type) {
		case *query.Derivative:
			p.run = derivative(of, newSource(of.Path, of.Gap, pipelines, subs))
		case *query.CumulativeSum:
			p.run = cumulate(newSource(of.Path, query.InsertZero, pipelines, subs))
		case *query.BucketSort:
			p.run = sortBuckets(of, pipelines, subs)
		}
		pipelines = append(pipelines, p)
	}
	return pipelines
}

// newSource finds what a path names; before are the pipelines that run earlier.
func newSource(path query.NumberPath, gap query.GapPolicy, before []pipeline, subs nodes) source {
	if path.By == "_count" {
		return func(r *results, i int) (float64, bool) { return float64(r.list[i].count), true }
	}
	var read source
	if at := slices.IndexFunc(before, func(p pipeline) bool { return p.name == path.By }); at >= 0 {
		read = func(r *results, i int) (float64, bool) { return r.columns[at].values[i], r.columns[at].there[i] }
	} else {
		number := subs.number(path.By, path.Of)
		read = func(r *results, i int) (float64, bool) { return number(r.list[i].bucket), true }
	}
	return func(r *results, i int) (float64, bool) {
		x, ok := read(r, i)
		if ok && (!isFinite(x) || r.list[i].count == 0) {
			x = bridged(x, gap)
		}
		return x, ok
	}
}

// bridged is what stands for a number that is missing, or of a bucket without documents.
func bridged(x float64, gap query.GapPolicy) float64 {
	switch {
	case gap == query.InsertZero:
		return 0
	case gap == query.KeepValues && isFinite(x):
		return x
	}
	return math.NaN()
}

func (r *results) column() resultColumn {
	return resultColumn{values: make([]float64, len(r.list)), there: make([]bool, len(r.list))}
}

func cumulate(read source) func(*results, int) {
	return func(r *results, at int) {
		c := r.column()
		sum := 0.0
		for i := range r.list {
			if x, ok := read(r, i); ok && isFinite(x) {
				sum += x
			}
			c.values[i], c.there[i] = sum, true
		}
		r.columns[at] = c
	}
}

func derivative(of *query.Derivative, read source) func(*results, int) {
	return func(r *results, at int) {
		c := r.column()
		if of.Unit > 0 {
			c.normalized = make([]float64, len(r.list))
		}
		last, known := 0.0, false
		for i := range r.list {
			x, ok := read(r, i)
			if ok && known {
				c.values[i], c.there[i] = x-last, true
				if of.Unit > 0 {
					step := math.Float64frombits(r.list[i].key) - math.Float64frombits(r.list[i-1].key)
					c.normalized[i] = (x - last) / (step / of.Unit)
				}
			}
			last, known = x, ok
		}
		r.columns[at] = c
	}
}

// sortBuckets orders buckets, those without a number last, and takes some of them. One that has none of the numbers is left out
// when gaps are skipped.
func sortBuckets(of *query.BucketSort, before []pipeline, subs nodes) func(*results, int) {
	sources := make([]source, len(of.Sort))
	for k, o := range of.Sort {
		if o.By != "_key" {
			sources[k] = newSource(query.NumberPath{By: o.By, Of: o.Of}, of.Gap, before, subs)
		}
	}
	return func(r *results, _ int) {
		places := make([]int, 0, len(r.list))
		for i := range r.list {
			if len(sources) == 0 || slices.ContainsFunc(sources, func(s source) bool { return s == nil || r.has(s, i) }) {
				places = append(places, i)
			}
		}
		slices.SortStableFunc(places, func(a, b int) int { return r.compare(of.Sort, sources, a, b) })
		from := min(of.From, len(places))
		r.arrange(places[from:min(from+of.Size, len(places))])
	}
}

func (r *results) has(read source, i int) bool {
	x, ok := read(r, i)
	return ok && !math.IsNaN(x)
}

func (r *results) compare(rules []query.BucketOrder, sources []source, a, b int) int {
	for k, read := range sources {
		c := 0
		if read == nil {
			c = r.keys(r.list[a].key, r.list[b].key)
		} else {
			var last bool
			if c, last = r.compareNumbers(read, a, b); last {
				return c
			}
		}
		if rules[k].Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// compareNumbers reports too that one has no number, and so comes last in either order.
func (r *results) compareNumbers(read source, a, b int) (order int, last bool) {
	switch hasA, hasB := r.has(read, a), r.has(read, b); {
	case hasA && !hasB:
		return -1, true
	case hasB && !hasA:
		return 1, true
	case !hasA:
		return 0, false
	}
	x, _ := read(r, a)
	y, _ := read(r, b)
	return compareFloats(x, y), false
}

// arrange keeps the buckets at some places, in their order.
func (r *results) arrange(places []int) {
	r.list = taken(r.list, places)
	for k := range r.columns {
		c := &r.columns[k]
		c.values, c.there, c.normalized = taken(c.values, places), taken(c.there, places), taken(c.normalized, places)
	}
}

func taken[T any](list []T, places []int) []T {
	if list == nil {
		return nil
	}
	kept := make([]T, len(places))
	for i, place := range places {
		kept[i] = list[place]
	}
	return kept
}
