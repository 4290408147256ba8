package koncorde

import (
	"strconv"
	"strings"
)

// number is a JSON number with its exact value. Two numbers are equal (==) when and only when their mathematical values
// are.
//
// f is the nearest float64. Up to 15 significant digits it tells all numbers apart, and exact is empty; beyond, exact is
// the value as `[-]digits'e'exponent`, without zeros at either end of the digits.
type number struct {
	f     float64
	exact string
}

const (
	// floatDigits is how many significant decimal digits a float64 keeps.
	floatDigits = 15
	// plainExponent bounds the exponents for which that holds.
	plainExponent = 290
	// maxExponent is where exponents end: larger ones are read as this one.
	maxExponent = 1_000_000_000
)

// parseNumber reads a JSON number, which must be valid.
func parseNumber(literal string) number {
	f, err := strconv.ParseFloat(literal, 64)
	// Beyond the range of floats f is infinite and err says so, or f is 0: the exact part decides.
	if err == nil && f != 0 && len(literal) <= floatDigits && !strings.ContainsAny(literal, "eE") {
		return number{f: f}
	}
	d := parseDecimal(literal)
	if len(d.digits) == 0 {
		return number{}
	}
	if len(d.digits) <= floatDigits && d.order() < plainExponent && d.order() > -plainExponent {
		return number{f: f}
	}
	return number{f: f, exact: d.String()}
}

// compare gives -1, 0 or 1.
func (n number) compare(other number) int {
	switch {
	// Rounding keeps the order, so floats that differ decide.
	case n.f < other.f:
		return -1
	case n.f > other.f:
		return 1
	case n == other:
		return 0
	}
	return n.decimal().compare(other.decimal())
}

func (n number) decimal() decimal {
	if n.exact != "" {
		return parseDecimal(n.exact)
	}
	return parseDecimal(strconv.FormatFloat(n.f, 'e', -1, 64))
}

// append writes the number so that equal numbers give equal bytes; the result is a JSON number.
func (n number) append(dst []byte) []byte {
	if n.exact != "" {
		return append(dst, n.exact...)
	}
	return appendFloat(dst, n.f)
}

func appendFloat(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0')
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// decimal is (-1)^negative * digits * 10^exponent; digits has no zeros at either end, and is empty for zero.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

func parseDecimal(literal string) decimal {
	var d decimal
	if strings.HasPrefix(literal, "-") {
		d.negative, literal = true, literal[1:]
	}
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		d.exponent = parseExponent(literal[i+1:])
		literal = literal[:i]
	}
	whole, fraction, _ := strings.Cut(literal, ".")
	digits := whole + fraction
	trimmed := strings.TrimRight(digits, "0")
	d.exponent += len(digits) - len(trimmed) - len(fraction)
	d.digits = strings.TrimLeft(trimmed, "0")
	if d.digits == "" {
		return decimal{}
	}
	return d
}

func parseExponent(s string) int {
	e, err := strconv.Atoi(s)
	if err != nil && !strings.HasPrefix(s, "-") {
		return maxExponent
	} else if err != nil {
		return -maxExponent
	}
	return max(-maxExponent, min(maxExponent, e))
}

// order is the exponent of the value written as 0.digits * 10^order.
func (d decimal) order() int { return len(d.digits) + d.exponent }

func (d decimal) compare(other decimal) int {
	switch {
	case d.sign() != other.sign():
		return d.sign() - other.sign()
	case d.negative:
		return other.compareSize(d)
	}
	return d.compareSize(other)
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func (d decimal) compareSize(other decimal) int {
	if d.order() != other.order() {
		return d.order() - other.order()
	}
	return strings.Compare(d.digits, other.digits)
}

func (d decimal) String() string {
	s := d.digits + "e" + strconv.Itoa(d.exponent)
	if d.negative {
		return "-" + s
	}
	return s
}
