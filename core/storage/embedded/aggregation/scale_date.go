package aggregation

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// dateScale has the intervals of a histogram of dates.
type dateScale struct {
	of *query.DateHistogram
	// plain says that intervals are some milliseconds, wherever they begin.
	plain  bool
	format format
	raw    bool // the field has numbers that are no dates
	// begins has where intervals that follow each other begin, which is much work to find out.
	begins      []int64
	last        int64 // the interval that was asked for last begins here, and ends at end
	end         int64
	hard        [2]*float64
	first, most *float64 // extended bounds
}

func newDateScale(of *query.DateHistogram) *dateScale {
	zone := of.Rounding.Zone
	return &dateScale{of: of, plain: of.Rounding.Unit == 0 && (zone == nil || zone == time.UTC)}
}

func (s *dateScale) open(t *target, r *reader) error {
	if err := s.learn(r.column.field); err != nil {
		return err
	}
	for _, b := range []struct {
		of       *query.Bounds[jsontext.Value]
		min, max **float64
		name     string
	}{{s.of.Extended, &s.first, &s.most, "extended_bounds"}, {s.of.Hard, &s.hard[0], &s.hard[1], "hard_bounds"}} {
		if b.of == nil {
			continue
		}
		var err error
		if *b.min, err = s.bound(b.of.Min, t.now); err != nil {
			return err
		}
		if *b.max, err = s.bound(b.of.Max, t.now); err != nil {
			return err
		}
		if *b.min != nil && *b.max != nil && **b.min > **b.max {
			return refuse("[%s.min] cannot be greater than [%s.max]", b.name, b.name)
		}
	}
	if s.of.Missing == nil {
		return nil
	}
	at, err := s.parse(s.of.Missing, t.now)
	r.missing = &value{kind: whole, whole: at}
	return err
}

// learn finds out how dates are written.
func (s *dateScale) learn(f *mapping.Field) error {
	switch {
	case s.of.Format != nil:
		s.format = format{date: s.of.Format}
	case f != nil:
		s.format = formatOf(f)
		s.raw = f.Type != mapping.Date
	case !s.format.some() && !s.raw:
		date, err := dates.Compile(dates.Default)
		if err != nil {
			return err
		}
		s.format = format{date: date}
	}
	s.format.zone = s.of.Rounding.Zone
	return nil
}

// parse reads a date, or a number of a field that has no dates.
func (s *dateScale) parse(raw jsontext.Value, now time.Time) (int64, error) {
	text := query.Text(raw)
	if s.format.date == nil {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, refuse("For input string: %q", text)
		}
		return n, nil
	}
	at, err := s.format.date.Math(text, now, false, s.of.Rounding.Zone)
	if err != nil {
		return 0, refuse("failed to parse date field [%s] with format [%s]", text, s.format.date)
	}
	return at.UnixMilli(), nil
}

// bound gives the interval of a bound.
func (s *dateScale) bound(raw *jsontext.Value, now time.Time) (*float64, error) {
	if raw == nil {
		return nil, nil //nolint:nilnil // none was given
	}
	at, err := s.parse(*raw, now)
	if err != nil {
		return nil, err
	}
	return new(float64(s.floor(at))), nil
}

func (s *dateScale) key(x float64) (float64, bool) {
	key := float64(s.floor(int64(x)))
	if s.hard[0] != nil && key < *s.hard[0] || s.hard[1] != nil && key >= *s.hard[1] {
		return 0, false
	}
	return key, true
}

// maxBegins is how many intervals are remembered, and maxSteps how many are walked to reach one that is not.
const (
	maxBegins = 1 << 16
	maxSteps  = 1 << 10
)

// floor is when the interval of an instant begins.
func (s *dateScale) floor(at int64) int64 {
	switch {
	case s.last < s.end && at >= s.last && at < s.end:
		return s.last
	case s.plain:
		return s.of.Rounding.Floor(at)
	case !s.reach(at):
		return s.of.Rounding.Floor(at)
	}
	// Intervals are about as long as each other, so this is nearly where it stands.
	first, last := s.begins[0], len(s.begins)-1
	i := min(int(float64(at-first)/float64(s.begins[last]-first)*float64(last)), last-1)
	for s.begins[i] > at {
		i--
	}
	for s.begins[i+1] <= at {
		i++
	}
	s.last, s.end = s.begins[i], s.begins[i+1]
	return s.last
}

// reach remembers the intervals up to an instant. It reports false when that is too many.
func (s *dateScale) reach(at int64) bool {
	if n := len(s.begins); n == 0 || at < s.begins[0] || n > maxBegins {
		if n > 0 && at >= s.begins[0] && at < s.begins[n-1] {
			return true
		}
		begin := s.of.Rounding.Floor(at)
		s.begins = append(s.begins[:0], begin, s.of.Rounding.Next(begin))
	}
	for range maxSteps {
		last := s.begins[len(s.begins)-1]
		if at < last {
			return true
		}
		next := s.of.Rounding.Next(last)
		if next <= last || s.of.Rounding.Floor(next) != next {
			return false
		}
		s.begins = append(s.begins, next)
	}
	return at < s.begins[len(s.begins)-1]
}

func (s *dateScale) next(key float64) float64 { return float64(s.of.Rounding.Next(int64(key))) }

func (s *dateScale) extended() (first, last *float64) { return s.first, s.most }

func (s *dateScale) text(key float64) string {
	if s.format.some() {
		return s.format.text(key)
	}
	return strconv.FormatInt(int64(key), 10)
}

func (s *dateScale) head(w *writer, key float64) {
	if s.format.some() {
		w.name("key_as_string")
		w.text(s.format.text(key))
	}
	w.name("key")
	w.whole(int64(key))
}
