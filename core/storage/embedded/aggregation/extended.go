package aggregation

import (
	"math"
	"strings"

	"github.com/sluicehq/sluice/core/storage/query"
)

// extended computes extended_stats: numbers, and the sums of their squares.
type extended struct {
	numbers
	reader  reader
	squares []summary // by owner
}

func newExtended(of *query.Metric, l *limits) *extended {
	return &extended{numbers: numbers{of: of, limits: l}}
}

func (e *extended) open(t *target) error {
	if err := e.numbers.open(t); err != nil {
		return err
	}
	e.reader = reader{column: e.column, missing: e.missing}
	return nil
}

func (e *extended) collect(docs, owners []uint32) {
	if e.reader.nothing() {
		return
	}
	var ok bool
	if e.squares, ok = reach(e.squares, owners, nothing, summaryBytes, e.limits); !ok {
		return
	}
	e.numbers.collect(docs, owners)
	e.reader.each(docs, e.limits, func(i int, x float64) { e.squares[owners[i]].add(x * x) })
}

// spread is how far the values of a bucket are from their average.
type spread struct {
	summary
	squares float64 // their sum
	sigma   float64
}

func (e *extended) spreadOf(owner uint32) spread {
	s := spread{summary: e.summaryOf(owner), sigma: e.of.Sigma}
	if int64(owner) < int64(len(e.squares)) {
		s.squares = e.squares[owner].sum
	}
	return s
}

// variance is that of the population, or of a sample, which is one less value.
func (s *spread) variance(sample bool) float64 {
	n := float64(s.count)
	deviations := s.squares - s.sum*s.sum/n
	if sample {
		n--
	}
	if n == 0 {
		return math.NaN()
	}
	return max(deviations/n, 0)
}

// bound is Sigma deviations above or below the average.
func (s *spread) bound(sign float64, sample bool) float64 {
	return s.avg() + sign*s.sigma*math.Sqrt(s.variance(sample))
}

// value implements valued.
func (e *extended) value(owner uint32, of string) float64 {
	s := e.spreadOf(owner)
	of, sample := strings.CutSuffix(of, "_sampling")
	switch of = strings.TrimSuffix(of, "_population"); of {
	case "sum_of_squares":
		return s.squares
	case "variance":
		return s.variance(sample)
	case "std_deviation":
		return math.Sqrt(s.variance(sample))
	case "std_upper":
		return s.bound(1, sample)
	case "std_lower":
		return s.bound(-1, sample)
	}
	return e.numbers.value(owner, of)
}

// spreads are the numbers of the answer, after those of stats.
var spreads = []string{
	"sum_of_squares", "variance", "variance_population", "variance_sampling", "std_deviation", "std_deviation_population",
	"std_deviation_sampling",
}

var bounds = []struct{ name, of string }{
	{"upper", "std_upper"},
	{"lower", "std_lower"},
	{"upper_population", "std_upper_population"},
	{"lower_population", "std_lower_population"},
	{"upper_sampling", "std_upper_sampling"},
	{"lower_sampling", "std_lower_sampling"},
}

func (e *extended) write(w *writer, owner uint32) {
	s := e.summaryOf(owner)
	e.writeStats(w, s)
	for _, name := range spreads {
		w.name(name)
		e.writeNumber(w, s, e.value(owner, name))
	}
	w.name("std_deviation_bounds")
	w.object(func() {
		for _, b := range bounds {
			w.name(b.name)
			e.writeNumber(w, s, e.value(owner, b.of))
		}
	})
	if s.count > 0 && e.format.some() {
		e.writeTexts(w, owner)
	}
}

func (e *extended) writeNumber(w *writer, s summary, x float64) {
	switch {
	case s.count == 0:
		w.null()
	case math.IsNaN(x):
		w.text("NaN")
	default:
		w.floating(x)
	}
}

func (e *extended) writeTexts(w *writer, owner uint32) {
	for _, name := range spreads {
		w.name(name + "_as_string")
		text := e.format.text(e.value(owner, name))
		if e.format.boolean && !strings.HasPrefix(name, "std_") { // which Elasticsearch gives without quotes
			w.raw([]byte(text))
		} else {
			w.text(text)
		}
	}
	w.name("std_deviation_bounds_as_string")
	w.object(func() {
		for _, b := range bounds {
			w.name(b.name)
			w.text(e.format.text(e.value(owner, b.of)))
		}
	})
}
