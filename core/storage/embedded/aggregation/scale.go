package aggregation

import (
	"math"

	"github.com/sluicehq/sluice/core/storage/query"
)

// numberScale has the intervals of a histogram of numbers.
type numberScale struct {
	of     *query.Histogram
	limits *limits
	format format
}

func (s *numberScale) open(_ *target, r *reader) error {
	if f := r.column.field; f != nil && !s.format.some() {
		s.format = formatOf(f)
	}
	return nil
}

func (s *numberScale) key(x float64) (float64, bool) {
	step := math.Floor((x - s.of.Offset) / s.of.Interval)
	if hard := s.of.Hard; hard != nil {
		at := step * s.of.Interval
		if hard.Min != nil && at < *hard.Min || hard.Max != nil && at > *hard.Max {
			return 0, false
		}
	}
	key := s.begin(step)
	return key, s.limits.canHold(key, x, s.of.Interval, s.of.Offset)
}

// begin is where the interval with a number begins. It is never -0.
func (s *numberScale) begin(step float64) float64 { return step*s.of.Interval + s.of.Offset + 0 }

// round gives the key of the interval of a number.
func (s *numberScale) round(x float64) float64 {
	return s.begin(math.Floor((x - s.of.Offset) / s.of.Interval))
}

// next looks at the middle of the next interval, so that what additions lose does not count.
func (s *numberScale) next(key float64) float64 {
	return s.round(key + s.of.Interval + s.of.Interval/2)
}

func (s *numberScale) extended() (first, last *float64) {
	b := s.of.Extended
	if b == nil {
		return nil, nil
	}
	if b.Min != nil {
		first = s.bound(*b.Min)
	}
	if b.Max != nil {
		last = s.bound(*b.Max)
	}
	return first, last
}

// bound gives the key of the interval of a bound, nil when there is none.
func (s *numberScale) bound(x float64) *float64 {
	key := s.round(x)
	if !s.limits.canHold(key, x, s.of.Interval, s.of.Offset) {
		return nil
	}
	return &key
}

// canHold reports whether there is a key for the interval of a number. When there is none the search fails.
func (l *limits) canHold(key, x, interval, offset float64) bool {
	if isFinite(key) {
		return true
	}
	l.fail(refuse("the intervals of %v are too small for the value %v with the offset %v: choose a greater interval", interval, x, offset))
	return false
}

func (s *numberScale) text(key float64) string {
	if s.format.some() {
		return s.format.text(key)
	}
	return string(appendFloat(nil, key))
}

func (s *numberScale) head(w *writer, key float64) {
	if s.format.some() {
		w.name("key_as_string")
		w.text(s.format.text(key))
	}
	w.name("key")
	w.floating(key)
}
