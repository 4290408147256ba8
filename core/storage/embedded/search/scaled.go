package search

import (
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// scaledTerm is the search for what remains of a number in a scaled_float.
func scaledTerm(f *mapping.Field, value jsontext.Value) (clause, error) {
	x, err := parseFloat(query.Text(value))
	if err != nil || math.IsInf(x, 0) {
		return nil, refuseValue(f, value, errFinite.Error())
	}
	x = mapping.Scaled(x*f.ScalingFactor) / f.ScalingFactor
	return floats{f, x, x}, nil
}

// scaledRange rounds bounds into the range, to numbers that the field can hold.
func scaledRange(f *mapping.Field, q *query.Range) (clause, error) {
	c := floats{f, math.Inf(-1), math.Inf(1)}
	for _, side := range []struct {
		bound  query.Bound
		to     *float64
		inward float64
		round  func(float64) float64
	}{{q.Lower, &c.least, math.Inf(1), math.Ceil}, {q.Upper, &c.most, math.Inf(-1), math.Floor}} {
		if side.bound.Value == nil {
			continue
		}
		x, err := parseFloat(query.Text(side.bound.Value))
		if err != nil {
			return nil, refuseValue(f, side.bound.Value, err.Error())
		}
		x *= f.ScalingFactor
		if !side.bound.Inclusive {
			x = math.Nextafter(x, side.inward)
		}
		*side.to = side.round(x) / f.ScalingFactor
	}
	return c, nil
}
