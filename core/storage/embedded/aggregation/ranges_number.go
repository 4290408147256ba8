package aggregation

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// numberRanges are ranges of numbers and of dates.
type numberRanges struct {
	of     *query.RangeAggregation
	format format
	raw    bool // the field has numbers that are no dates
	list   []numberRange
	spans  *spans[float64]

	reader reader // of the segment that is open
}

// numberRange is one range; from and to are infinite where there is no bound.
type numberRange struct {
	key      string
	from, to float64
}

func (n *numberRanges) open(t *target) error {
	if err := n.reader.open(t, n.of.Field, string(n.of.Kind), nil); err != nil {
		return err
	}
	if err := n.learn(n.reader.column.field); err != nil {
		return err
	}
	if err := n.readRanges(t.now); err != nil {
		return err
	}
	if n.of.Missing == nil {
		return nil
	}
	x, err := n.parse(n.of.Missing, t.now)
	n.reader.missing = &value{kind: floating, floating: x}
	return err
}

// learn finds out how bounds are written.
func (n *numberRanges) learn(f *mapping.Field) error {
	switch {
	case n.of.Format != nil:
		n.format = format{date: n.of.Format}
	case f != nil:
		n.format, n.raw = formatOf(f), f.Type != mapping.Date
	case n.of.Kind == query.DateRanges && !n.format.some() && !n.raw:
		date, err := dates.Compile(dates.Default)
		if err != nil {
			return err
		}
		n.format = format{date: date}
	}
	n.format.zone = n.of.Zone
	return nil
}

func (n *numberRanges) readRanges(now time.Time) error {
	n.list = make([]numberRange, len(n.of.Ranges))
	for i, r := range n.of.Ranges {
		x := numberRange{key: r.Key, from: math.Inf(-1), to: math.Inf(1)}
		var err error
		if r.From != nil {
			if x.from, err = n.parse(r.From, now); err != nil {
				return err
			}
		}
		if r.To != nil {
			if x.to, err = n.parse(r.To, now); err != nil {
				return err
			}
		}
		n.list[i] = x
	}
	n.arrange()
	return nil
}

// arrange puts the ranges in their order.
func (n *numberRanges) arrange() {
	slices.SortStableFunc(n.list, func(a, b numberRange) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	from, to := make([]float64, len(n.list)), make([]float64, len(n.list))
	for i, r := range n.list {
		from[i], to[i] = r.from, r.to
	}
	n.spans = newSpans(from, to)
}

// parse reads a bound. A number is one of the field, unless the ranges are of dates: then it is a date that is written so.
func (n *numberRanges) parse(raw jsontext.Value, now time.Time) (float64, error) {
	text := query.Text(raw)
	if n.format.date != nil && (raw.Kind() == '"' || n.of.Kind == query.DateRanges) {
		at, err := n.format.date.Math(text, now, false, n.of.Zone)
		if err != nil {
			return 0, refuse("failed to parse date field [%s] with format [%s]", text, n.format.date)
		}
		return float64(at.UnixMilli()), nil
	}
	if n.format.boolean && raw.Kind() != '0' {
		v, err := parseBoolean(raw)
		if err != nil {
			return 0, err
		}
		return v.number(), nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) {
		return 0, refuse("For input string: %q", text)
	}
	return x, nil
}

func (n *numberRanges) collect(docs []uint32, l *limits, hit func(i, number int)) {
	if n.reader.nothing() {
		return
	}
	clear(n.spans.taken)
	n.reader.each(docs, l, func(i int, x float64) {
		n.spans.each(i, x, func(number int) { hit(i, number) })
	})
}

func (n *numberRanges) name(number int) string {
	r := n.list[number]
	if r.key != "" {
		return r.key
	}
	return n.text(r.from) + "-" + n.text(r.to)
}

func (n *numberRanges) text(x float64) string {
	switch {
	case math.IsInf(x, 0):
		return "*"
	case n.format.some():
		return n.format.text(x)
	}
	return string(appendFloat(nil, x))
}

func (n *numberRanges) bounds(w *writer, number int) {
	r := n.list[number]
	n.bound(w, "from", r.from)
	n.bound(w, "to", r.to)
}

func (n *numberRanges) bound(w *writer, name string, x float64) {
	if math.IsInf(x, 0) {
		return
	}
	w.name(name)
	w.floating(x)
	if !n.format.some() {
		return
	}
	w.name(name + "_as_string")
	if n.format.boolean { // Elasticsearch gives them without quotes
		w.raw([]byte(n.format.text(x)))
	} else {
		w.text(n.format.text(x))
	}
}
