package search

import (
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// ranged compiles the search for the values between two bounds.
func (c compiler) ranged(q *query.Range) (clause, error) {
	if q.Field == idField {
		return nil, refuse("failed to create query: Field [_id] of type [_id] does not support range queries")
	}
	f, err := c.field(q.Field)
	if f == nil {
		return nothing{}, err
	}
	inner, err := c.rangeOf(f, q)
	if err != nil {
		return nil, err
	}
	return c.steady(inner), nil
}

func (c compiler) rangeOf(f *mapping.Field, q *query.Range) (clause, error) {
	switch t := f.Type; {
	case t == mapping.GeoPoint:
		return nil, refuse("failed to create query: Field [%s] of type [geo_point] does not support range queries", q.Field)
	case f.Key != nil && (q.Lower.Value == nil || q.Upper.Value == nil):
		return nil, refuse("failed to create query: [range] queries on keyed [flattened] fields must include both an upper and a lower bound.")
	case q.Lower.Value == nil && q.Upper.Value == nil:
		return present{f}, nil
	case t == mapping.Date:
		from, to, err := q.Dates(c.now, dateFormat(f, q.Lower.Value, q.Upper.Value))
		return ints{f, from, to}, err
	case t.Whole():
		return wholeRange(f, q)
	case t.Range():
		return c.spans(f, q)
	case t == mapping.UnsignedLong:
		return unsignedRange(f, q)
	case t == mapping.ScaledFloat:
		return scaledRange(f, q)
	case t.Floating():
		return floatRange(f, q)
	case t == mapping.Boolean:
		return booleanRange(f, q)
	}
	return c.termRange(f, q)
}

// wholeRange rounds bounds with fractions into the range.
func wholeRange(f *mapping.Field, q *query.Range) (clause, error) {
	c := ints{f, math.MinInt64, math.MaxInt64}
	if b := q.Lower; b.Value != nil {
		n, fraction, err := floorOf(f.Type, b.Value)
		if err != nil {
			return nil, refuseValue(f, b.Value, err.Error())
		}
		if fraction || !b.Inclusive {
			if n == math.MaxInt64 {
				return nothing{}, nil
			}
			n++
		}
		c.least = n
	}
	if b := q.Upper; b.Value != nil {
		n, fraction, err := floorOf(f.Type, b.Value)
		if err != nil {
			return nil, refuseValue(f, b.Value, err.Error())
		}
		if !fraction && !b.Inclusive {
			if n == math.MinInt64 {
				return nothing{}, nil
			}
			n--
		}
		c.most = n
	}
	return c, nil
}

func floatRange(f *mapping.Field, q *query.Range) (clause, error) {
	c := floats{f, math.Inf(-1), math.Inf(1)}
	for _, side := range []struct {
		bound  query.Bound
		to     *float64
		inward float64
	}{{q.Lower, &c.least, math.Inf(1)}, {q.Upper, &c.most, math.Inf(-1)}} {
		if side.bound.Value == nil {
			continue
		}
		x, err := floatOf(f.Type, side.bound.Value)
		if err != nil {
			return nil, refuseValue(f, side.bound.Value, err.Error())
		}
		if !side.bound.Inclusive {
			if x == side.inward {
				return nothing{}, nil
			}
			x = beside(f.Type, x, side.inward)
		}
		*side.to = x
	}
	return c, nil
}

// beside is the number next to x in the precision in which bounds of a field are compared.
func beside(t mapping.Type, x, inward float64) float64 {
	if t.Single() {
		return float64(math.Nextafter32(float32(x), float32(inward)))
	}
	return math.Nextafter(x, inward)
}

func booleanRange(f *mapping.Field, q *query.Range) (clause, error) {
	c := ints{f, 0, 1}
	if b := q.Lower; b.Value != nil {
		n, err := booleanOf(b.Value)
		if err != nil {
			return nil, refuseValue(f, b.Value, err.Error())
		}
		if c.least = n; !b.Inclusive {
			c.least++
		}
	}
	if b := q.Upper; b.Value != nil {
		n, err := booleanOf(b.Value)
		if err != nil {
			return nil, refuseValue(f, b.Value, err.Error())
		}
		if c.most = n; !b.Inclusive {
			c.most--
		}
	}
	return c, nil
}

// termRange compares the bytes of keywords, words and addresses.
func (s *session) termRange(f *mapping.Field, q *query.Range) (clause, error) {
	c := between{field: f}
	for _, side := range []struct {
		bound query.Bound
		next  bool // the bound is behind the value
		to    *[]byte
	}{{q.Lower, !q.Lower.Inclusive, &c.from}, {q.Upper, q.Upper.Inclusive, &c.to}} {
		if side.bound.Value == nil {
			continue
		}
		value := s.keywordOf(f, query.Text(side.bound.Value))
		if f.Type == mapping.IP {
			var err error
			if value, err = ipOf(side.bound.Value); err != nil {
				return nil, refuseValue(f, side.bound.Value, err.Error())
			}
		}
		if side.next {
			value = append(value, 0)
		}
		*side.to = value
	}
	return c, nil
}

// dateFormat is the format of values on a field of dates: when one of them is a number they are all milliseconds.
func dateFormat(f *mapping.Field, values ...jsontext.Value) *dates.Format {
	for _, v := range values {
		if v.Kind() == '0' {
			return epochMillis
		}
	}
	return f.DateFormat()
}

var epochMillis = compileDates("epoch_millis")

func compileDates(spec string) *dates.Format {
	format, err := dates.Compile(spec)
	if err != nil {
		panic(err) // a constant that every start compiles
	}
	return format
}
