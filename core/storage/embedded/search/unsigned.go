package search

import (
	"errors"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// unsignedTerm is the search for a number without sign. What is no such number matches nothing, as in Elasticsearch.
func unsignedTerm(f *mapping.Field, value jsontext.Value) clause {
	n, inexact, beyond, err := mapping.UnsignedBound(query.Text(value))
	if err != nil || inexact || beyond {
		return nothing{}
	}
	return ints{f, mapping.Shift(n), mapping.Shift(n)}
}

// unsignedRange rounds bounds with fractions into the range.
func unsignedRange(f *mapping.Field, q *query.Range) (clause, error) {
	c := ints{f, math.MinInt64, math.MaxInt64}
	if b := q.Lower; b.Value != nil {
		n, inexact, beyond, err := mapping.UnsignedBound(query.Text(b.Value))
		switch {
		case err != nil:
			return nil, refuseValue(f, b.Value, err.Error())
		case beyond || n == math.MaxUint64 && !b.Inclusive && !inexact:
			return nothing{}, nil
		case !b.Inclusive && !inexact:
			n++
		}
		c.least = mapping.Shift(n)
	}
	if b := q.Upper; b.Value != nil {
		n, inexact, beyond, err := mapping.UnsignedBound(query.Text(b.Value))
		switch {
		case err != nil:
			return nil, refuseValue(f, b.Value, err.Error())
		case beyond:
			return c, nil
		case n == 0 && (inexact || !b.Inclusive):
			return nothing{}, nil
		case inexact || !b.Inclusive:
			n--
		}
		c.most = mapping.Shift(n)
	}
	return c, nil
}

// parseUnsigned reads a value of a sort.
func parseUnsigned(text string) (value, error) {
	n, inexact, beyond, err := mapping.UnsignedBound(text)
	if inexact || beyond {
		err = errors.New("not a whole number of 64 bits without sign")
	}
	return value{number: mapping.Shift(n)}, err
}
