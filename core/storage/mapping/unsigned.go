package mapping

import "math"

// Shift gives a number without sign as one with a sign, in the same order.
func Shift(n uint64) int64 { return int64(n ^ 1<<63) } //nolint:gosec // the bits count

// Unshift gives the number that Shift was given.
func Unshift(n int64) uint64 { return uint64(n) ^ 1<<63 } //nolint:gosec // the bits count

// unsigned reads an UnsignedLong. It may be the text of a number, but have no fraction.
func (f *Field) unsigned(v *Value, raw, plain []byte) (bool, error) {
	switch {
	case raw[0] == 't' || raw[0] == 'f':
		return false, errNumber
	case raw[0] == '"' && len(plain) == 0:
		return false, errNumber
	}
	n, negative, fraction, err := decimal(plain)
	switch {
	case err != nil:
		return false, err
	case fraction:
		return false, errFraction
	case negative && n > 0:
		return false, errRange
	}
	v.Int = Shift(n)
	return true, nil
}

// UnsignedBound gives the least number without sign and fraction that is not below the one of a JSON number or text, and says
// whether it is another one. A negative number is 0 with something cut off.
//
// Fails with an error for what is no number; what is above all of them is more than 64 bits: beyond.
func UnsignedBound(text string) (n uint64, inexact, beyond bool, err error) {
	n, negative, fraction, err := decimal([]byte(text))
	switch {
	case err == errRange && len(text) > 0 && text[0] == '-': //nolint:errorlint // decimal gives it as it is
		return 0, true, false, nil
	case err == errRange: //nolint:errorlint // decimal gives it as it is
		return 0, true, true, nil
	case err != nil:
		return 0, false, false, err
	case negative && (n > 0 || fraction):
		return 0, true, false, nil
	case fraction && n == math.MaxUint64:
		return 0, true, true, nil
	case fraction:
		return n + 1, true, false, nil
	}
	return n, false, false, nil
}
