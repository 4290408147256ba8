package mapping

import (
	"errors"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// scaled gives what remains of a number in a ScaledFloat.
func (f *Field) scaled(x float64) float64 {
	if math.IsInf(x, 0) {
		return x
	}
	return Scaled(x*f.ScalingFactor) / f.ScalingFactor
}

// Scaled rounds a number that was multiplied as Java does: halves upwards, and to the nearest of 64 bits.
func Scaled(x float64) float64 {
	if math.Abs(x) < 1<<52 { // beyond there are no fractions
		whole := math.Floor(x)
		if x-whole >= 0.5 {
			whole++
		}
		x = whole
	}
	return min(max(x, math.MinInt64), math.MaxInt64) + 0 // there is one zero only
}

func setScalingFactor(f *Field, v jsontext.Value) error {
	plain := []byte(v)
	if v.Kind() == '"' {
		s, err := text(v)
		if err != nil {
			return err
		}
		plain = []byte(s)
	}
	x, err := floating(plain, v.Kind() == '"')
	if err != nil || x <= 0 || math.IsInf(x, 0) {
		return errors.New("expected a number above 0")
	}
	f.ScalingFactor = x
	return nil
}

func getScalingFactor(f *Field) string { return strconv.FormatFloat(f.ScalingFactor, 'g', -1, 64) }
