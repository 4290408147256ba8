package validation

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// numberCheck is a type of numbers with the option range.
func numberCheck(reason string, whole bool) func(options) check {
	return func(o options) check {
		least, most := o.numbers()
		return func(value jsontext.Value, _ func() time.Time) string {
			switch {
			case value.Kind() != '0', whole && !isWhole(string(value)):
				return reason
			case least != "" && compareNumbers(string(value), least) < 0:
				return "must be at least " + least
			case most != "" && compareNumbers(string(value), most) > 0:
				return "must be at most " + most
			}
			return ""
		}
	}
}

// numbers reads the option range {min, max} of numbers, "" for none.
func (o options) numbers() (least, most string) {
	inner, _ := o.inner("range", "min", "max")
	least, most = string(inner.take("min", '0', "number")), string(inner.take("max", '0', "number"))
	if least != "" && most != "" && compareNumbers(least, most) > 0 {
		o.refuse(kerror.ValidationAssertInvalidRange, inner.path, least, most)
	}
	return least, most
}

// compareNumbers gives -1, 0 or 1 for two JSON numbers. Whole numbers of 64 bits are compared exactly, others as floats.
func compareNumbers(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		return compare(x, y)
	}
	return compare(float(a), float(b))
}

func compare[N int64 | float64](x, y N) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// float gives a number; one that is too large is infinite.
func float(literal string) float64 {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN() // no JSON number comes here
	}
	return f
}

// isWhole reports whether a JSON number has no decimals, however it is written: 1.0 and 10e-1 have none.
func isWhole(literal string) bool {
	mantissa, exponentText, hasExponent := strings.Cut(strings.ToLower(literal), "e")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	digits := strings.TrimRight(whole+fraction, "0")
	if digits == "" { // zero
		return true
	}
	decimals := len(digits) - len(whole)
	if !hasExponent {
		return decimals <= 0
	}
	exponent, err := strconv.Atoi(exponentText)
	if err != nil { // more than can be counted
		return !strings.HasPrefix(exponentText, "-")
	}
	return decimals <= exponent
}
