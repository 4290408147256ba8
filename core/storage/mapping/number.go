package mapping

import (
	"bytes"
	"errors"
	"math"
	"math/bits"
	"strconv"
)

var (
	errNumber   = errors.New("not a number")
	errRange    = errors.New("out of range")
	errFraction = errors.New("the fraction would be lost")
	errCoerce   = errors.New("expected a number, found a text")
)

// number reads a number, or the text of one when the field is coerced.
func (f *Field) number(v *Value, raw, plain []byte) (bool, error) {
	isText := raw[0] == '"'
	switch {
	case isText && !f.Coerce:
		return false, errCoerce
	case isText && len(plain) == 0: // is null, as in Elasticsearch
		if f.null == nil {
			return false, nil
		}
		*v = *f.null
		return true, nil
	case raw[0] == 't' || raw[0] == 'f':
		return false, errNumber
	}
	if f.Type.Whole() {
		n, fraction, err := wholePart(plain)
		if err == nil {
			err = f.checkWhole(n, fraction)
		}
		v.Int = n
		return err == nil, err
	}
	x, err := floating(plain, isText)
	if err != nil {
		return false, err
	}
	switch f.Type {
	case Float:
		x = float64(float32(x))
	case HalfFloat:
		x = half(x)
	case ScaledFloat:
		x = f.scaled(x)
	}
	if math.IsInf(x, 0) {
		return false, errRange
	}
	v.Float = x
	return true, nil
}

// checkWhole checks the range. A fraction is cut off before for all types but integer, as in Elasticsearch.
func (f *Field) checkWhole(n int64, fraction bool) error {
	if fraction && !f.Coerce {
		return errFraction
	}
	lowest, highest := int64(math.MinInt64), int64(math.MaxInt64)
	switch f.Type {
	case Byte:
		lowest, highest = math.MinInt8, math.MaxInt8
	case Short:
		lowest, highest = math.MinInt16, math.MaxInt16
	case Integer:
		lowest, highest = math.MinInt32, math.MaxInt32
		if fraction && (n == lowest || n == highest) {
			return errRange
		}
	}
	if n < lowest || n > highest {
		return errRange
	}
	return nil
}

// wholePart gives the part of a decimal number before the point, exactly, and whether there is anything but zeros behind it.
func wholePart(text []byte) (n int64, fraction bool, err error) {
	magnitude, negative, fraction, err := decimal(text)
	if err != nil {
		return 0, false, err
	}
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	if magnitude > limit {
		return 0, false, errRange
	}
	n = int64(magnitude) //nolint:gosec // 1<<63 becomes the least number, which it is the magnitude of
	if negative {
		n = -n
	}
	return n, fraction, nil
}

// decimal is wholePart with the sign apart.
func decimal(text []byte) (magnitude uint64, negative, fraction bool, err error) {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	mantissa, exponent, err := splitExponent(text)
	if err != nil {
		return 0, false, false, err
	}
	before, behind, _ := bytes.Cut(mantissa, []byte{'.'})
	if len(before)+len(behind) == 0 || !digits(before) || !digits(behind) {
		return 0, false, false, errNumber
	}
	started := false
	point := len(before) + exponent // how many digits stand before the point
	for i := range len(before) + len(behind) {
		digit := digitAt(before, behind, i)
		started = started || digit != '0'
		if i >= point {
			if digit != '0' {
				fraction = true
				break
			}
			continue
		}
		if magnitude, err = shift(magnitude, digit); err != nil {
			return 0, false, false, err
		}
	}
	for i := len(before) + len(behind); started && i < point; i++ {
		if magnitude, err = shift(magnitude, '0'); err != nil {
			return 0, false, false, err
		}
	}
	return magnitude, negative, fraction, nil
}

func digitAt(before, behind []byte, i int) byte {
	if i < len(before) {
		return before[i]
	}
	return behind[i-len(before)]
}

// shift adds a digit behind a number.
func shift(n uint64, digit byte) (uint64, error) {
	high, low := bits.Mul64(n, 10)
	sum, carry := bits.Add64(low, uint64(digit-'0'), 0)
	if high+carry > 0 {
		return 0, errRange
	}
	return sum, nil
}

// splitExponent takes the exponent off a number. A huge one is cut down to what is as far out of range.
func splitExponent(text []byte) (mantissa []byte, exponent int, err error) {
	i := bytes.IndexAny(text, "eE")
	if i < 0 {
		return text, 0, nil
	}
	mantissa, text = text[:i], text[i+1:]
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	if len(text) == 0 || !digits(text) {
		return nil, 0, errNumber
	}
	const most = 1 << 30
	for _, c := range text {
		exponent = min(exponent*10+int(c-'0'), most)
	}
	if negative {
		exponent = -exponent
	}
	return mantissa, exponent, nil
}

func digits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// floating reads a floating-point number. Texts may have blanks around them and a letter for the type behind them, as in Java.
func floating(text []byte, isText bool) (float64, error) {
	if isText {
		text = bytes.Trim(text, "\t\n\v\f\r ")
		if n := len(text); n > 1 && bytes.IndexByte([]byte("dDfF"), text[n-1]) >= 0 {
			text = text[:n-1]
		}
		for _, c := range text {
			if (c < '0' || c > '9') && bytes.IndexByte([]byte("+-.eE"), c) < 0 {
				return 0, errNumber
			}
		}
	}
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errNumber
	}
	if x == 0 && !bytes.ContainsAny(text, ".eE") {
		x = 0 // -0 is a whole number, of which there is one zero only
	}
	return x, nil
}

// half gives the nearest number with 16 bits, an infinity when there is none.
func half(x float64) float64 {
	x = float64(float32(x))
	if x == 0 || math.IsInf(x, 0) {
		return x
	}
	_, exponent := math.Frexp(x)
	unit := math.Ldexp(1, max(exponent-1, -14)-10)
	if x = math.RoundToEven(x/unit) * unit; math.Abs(x) > 65504 {
		return math.Inf(int(math.Copysign(1, x)))
	}
	return x
}
