package query

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// Histogram makes one bucket for each interval in which a field has values: the numbers from Offset + n·Interval on.
type Histogram struct {
	Field            string
	Interval, Offset float64
	HistogramOptions
	// Extended are bounds up to which empty buckets are answered, Hard those that no bucket is beyond; nil when absent.
	Extended, Hard *Bounds[float64]
}

// DateHistogram is a Histogram of dates.
type DateHistogram struct {
	Field string
	// Rounding has the intervals, the zone and the offset.
	Rounding dates.Rounding
	HistogramOptions
	// Format writes keys and reads bounds and Missing; nil stands for that of the field.
	Format *dates.Format
	// Extended and Hard are as those of a Histogram: texts or numbers as in documents, and date math.
	Extended, Hard *Bounds[jsontext.Value]
}

// HistogramOptions are those of all histograms.
type HistogramOptions struct {
	// MinDocCount 0 answers the empty buckets between others too.
	MinDocCount int
	// Order holds at least one rule. Buckets that are equal by all of them stand in the order of their keys.
	Order []BucketOrder
	// Keyed answers an object with the buckets under their keys.
	Keyed bool
	// Missing stands for the value of a document without one; nil when such documents are left out.
	Missing jsontext.Value // a text, a number or a boolean
}

// Bounds are of a histogram.
type Bounds[T any] struct {
	Min, Max *T // nil when absent
}

func (h *HistogramOptions) option(m *node, subs []Aggregation) (err error) {
	switch m.name {
	case "min_doc_count":
		err = m.setInt(&h.MinDocCount, 0)
	case "order":
		h.Order, err = parseOrder(m, subs)
	case "keyed":
		err = m.setBool(&h.Keyed)
	case "missing":
		err = m.setValue(&h.Missing)
	default:
		err = refuseOption(m)
	}
	return err
}

func parseHistogram(_ *parser, n *node, of *Aggregation) (any, error) {
	a := &Histogram{HistogramOptions: HistogramOptions{Order: keyOrder}}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&a.Field)
		case "interval":
			err = m.setFloat(&a.Interval)
		case "offset":
			err = m.setFloat(&a.Offset)
		case "extended_bounds":
			a.Extended, err = parseBounds(m, (*node).setFloat)
		case "hard_bounds":
			a.Hard, err = parseBounds(m, (*node).setFloat)
		default:
			err = a.option(m, of.Subs)
		}
		if err != nil {
			return nil, err
		}
	}
	if a.Interval <= 0 {
		return nil, n.fail("expected an interval greater than 0")
	}
	for _, b := range []*Bounds[float64]{a.Extended, a.Hard} {
		if b != nil && b.Min != nil && b.Max != nil && *b.Min > *b.Max {
			return nil, n.fail("the min of bounds is greater than their max")
		}
	}
	return a, n.wantField(a.Field)
}

// parseBounds reads {"min": …, "max": …}.
func parseBounds[T any](n *node, set func(*node, *T) error) (*Bounds[T], error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	b := new(Bounds[T])
	for _, m := range n.children {
		if m.kind() == 'n' {
			continue
		}
		value := new(T)
		switch m.name {
		case "min":
			b.Min = value
		case "max":
			b.Max = value
		default:
			return nil, m.unknownOption()
		}
		if err := set(m, value); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func parseDateHistogram(_ *parser, n *node, of *Aggregation) (any, error) {
	a := &DateHistogram{HistogramOptions: HistogramOptions{Order: keyOrder}}
	for _, m := range n.children {
		if err := a.option(m, of.Subs); err != nil {
			return nil, err
		}
	}
	if (a.Rounding.Unit == 0) == (a.Rounding.Fixed == 0) {
		return nil, n.fail("expected either a calendar_interval or a fixed_interval")
	}
	return a, n.wantField(a.Field)
}

func (a *DateHistogram) option(m *node, subs []Aggregation) (err error) {
	switch m.name {
	case "field":
		err = m.setText(&a.Field)
	case "calendar_interval":
		err = a.setCalendar(m)
	case "fixed_interval":
		err = a.setFixed(m)
	case "time_zone":
		a.Rounding.Zone, err = parseZone(m)
	case "offset":
		err = a.setOffset(m)
	case "format":
		a.Format, err = parseDateFormat(m)
	case "extended_bounds":
		a.Extended, err = parseBounds(m, (*node).setValue)
	case "hard_bounds":
		a.Hard, err = parseBounds(m, (*node).setValue)
	default:
		err = a.HistogramOptions.option(m, subs)
	}
	return err
}

// calendarUnits are the words for units of the calendar.
var calendarUnits = map[string]byte{
	"year": 'y', "1y": 'y', "quarter": 'q', "1q": 'q', "month": 'M', "1M": 'M', "week": 'w', "1w": 'w', "day": 'd', "1d": 'd',
	"hour": 'h', "1h": 'h', "minute": 'm', "1m": 'm', "second": 's', "1s": 's',
}

func (a *DateHistogram) setCalendar(m *node) error {
	unit, ok := calendarUnits[Text(m.raw)]
	if !ok {
		return m.fail("expected a unit of the calendar, such as month or 1M")
	}
	a.Rounding.Unit = unit
	return nil
}

func (a *DateHistogram) setFixed(m *node) error {
	d, ok := parseDuration(Text(m.raw))
	if !ok || d < time.Millisecond {
		return m.fail("expected a duration of at least a millisecond, such as \"30d\", \"12h\" or \"90m\"")
	}
	a.Rounding.Fixed = d.Truncate(time.Millisecond)
	return nil
}

// setOffset reads a number of milliseconds, or a duration such as "+6h" or "-1d".
func (a *DateHistogram) setOffset(m *node) error {
	text := Text(m.raw)
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms > -maxMillis && ms < maxMillis {
		a.Rounding.Offset = time.Duration(ms) * time.Millisecond
		return nil
	}
	d, ok := parseDuration(strings.TrimLeft(text, "+-"))
	if !ok {
		return m.fail("expected a duration such as \"+6h\"")
	}
	if strings.HasPrefix(text, "-") {
		d = -d
	}
	a.Rounding.Offset = d.Truncate(time.Millisecond)
	return nil
}

// maxMillis bounds what becomes a time.Duration.
const maxMillis = math.MaxInt64 / int64(time.Millisecond)

// parseZone reads a time zone.
func parseZone(m *node) (*time.Location, error) {
	var text string
	if err := m.setText(&text); err != nil {
		return nil, err
	}
	zone, err := dates.Zone(text)
	if err != nil {
		return nil, m.fail("%v", err)
	}
	return zone, nil
}

// parseDateFormat reads a format of dates.
func parseDateFormat(m *node) (*dates.Format, error) {
	var text string
	if err := m.setText(&text); err != nil {
		return nil, err
	}
	f, err := dates.Compile(text)
	if err != nil {
		return nil, m.fail("%v", err)
	}
	return f, nil
}
