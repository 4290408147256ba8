package aggregation

import (
	"math"
	"slices"

	"github.com/sluicehq/sluice/core/storage/query"
)

// numbers computes min, max, avg, sum and stats.
type numbers struct {
	of     *query.Metric
	limits *limits
	format format
	list   []summary // by owner

	// Of the segment that is open.
	column  column
	missing *value
}

// summary is what is kept of the values of a bucket. Elasticsearch corrects sums for the bits that additions lose, so that they
// hardly depend on the order; so does this.
type summary struct {
	count      int64
	sum, delta float64
	min, max   float64
}

const summaryBytes = 40

var nothing = summary{min: math.Inf(1), max: math.Inf(-1)}

func (s *summary) add(x float64) {
	s.count++
	if x <= s.min { // the branch is cheaper than min
		s.min = min(s.min, x)
	}
	if x >= s.max {
		s.max = max(s.max, x)
	}
	if !math.IsInf(s.sum, 0) {
		corrected := x + s.delta
		sum := s.sum + corrected
		s.delta = corrected - (sum - s.sum)
		s.sum = sum
	}
}

func (n *numbers) open(t *target) error {
	var err error
	if n.column, err = openColumn(t, n.of.Field, string(n.of.Kind)); err != nil {
		return err
	}
	n.missing = nil
	if n.of.Missing != nil {
		n.missing, err = numberValue(n.of.Missing, n.column.field, t.now)
	}
	if n.column.field != nil && !n.format.some() {
		n.format = formatOf(n.column.field)
	}
	return err
}

func (n *numbers) collect(docs, owners []uint32) {
	if n.column.empty && n.missing == nil {
		return
	}
	var ok bool
	if n.list, ok = reach(n.list, owners, nothing, summaryBytes, n.limits); !ok {
		return
	}
	c := &n.column
	if c.kind == floating && !c.empty && c.offsets == nil && c.present == nil {
		for i, doc := range docs {
			n.list[owners[i]].add(c.floats[doc])
		}
		return
	}
	for i, doc := range docs {
		s := &n.list[owners[i]]
		if !c.has(doc) {
			if n.missing != nil {
				s.add(n.missing.number())
			}
			continue
		}
		from, to := c.span(doc)
		if c.kind == whole {
			for _, v := range c.ints[from:to] {
				s.add(float64(v))
			}
			continue
		}
		for _, v := range c.floats[from:to] {
			s.add(v)
		}
	}
}

// reach makes a list by owners long enough. It reports false when there is too little memory.
func reach[T any](list []T, owners []uint32, empty T, size int, l *limits) ([]T, bool) {
	most := int(slices.Max(owners))
	if len(list) > most {
		return list, true
	}
	l.charge((most + 1 - len(list)) * size)
	if l.err != nil {
		return list, false
	}
	for len(list) <= most {
		list = append(list, empty)
	}
	return list, true
}

func (n *numbers) summaryOf(owner uint32) summary {
	if int64(owner) < int64(len(n.list)) {
		return n.list[owner]
	}
	return nothing
}

func (s *summary) avg() float64 {
	if s.count == 0 {
		return math.NaN()
	}
	return s.sum / float64(s.count)
}

// value implements valued.
func (n *numbers) value(owner uint32, of string) float64 {
	s := n.summaryOf(owner)
	if of == "" {
		of = string(n.of.Kind)
	}
	switch of {
	case "count":
		return float64(s.count)
	case "min":
		return s.min
	case "max":
		return s.max
	case "avg":
		return s.avg()
	default:
		return s.sum
	}
}

func (n *numbers) write(w *writer, owner uint32) {
	if n.of.Kind == query.Stats {
		n.writeStats(w, n.summaryOf(owner))
		return
	}
	x := n.value(owner, "")
	w.name("value")
	if n.of.Kind != query.Sum && n.summaryOf(owner).count == 0 {
		w.null()
		return
	}
	w.floating(x)
	if n.format.some() {
		w.name("value_as_string")
		w.text(n.format.text(x))
	}
}

func (n *numbers) writeStats(w *writer, s summary) {
	w.name("count")
	w.whole(s.count)
	list := []struct {
		name string
		x    float64
	}{{"min", s.min}, {"max", s.max}, {"avg", s.avg()}, {"sum", s.sum}}
	for _, m := range list {
		w.name(m.name)
		if s.count == 0 && m.name != "sum" {
			w.null()
		} else {
			w.floating(m.x)
		}
	}
	if s.count == 0 || !n.format.some() {
		return
	}
	for _, m := range list {
		w.name(m.name + "_as_string")
		if n.format.boolean { // of stats alone, Elasticsearch gives them without quotes
			w.raw([]byte(n.format.text(m.x)))
		} else {
			w.text(n.format.text(m.x))
		}
	}
}
