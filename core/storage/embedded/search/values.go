package search

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

var (
	errNumber  = errors.New("not a number")
	errBoolean = errors.New("expected [true] or [false]")
	errIP      = errors.New("not an IP string literal")
	errFinite  = errors.New("only finite values are supported")
)

// maxNumber is the most characters of a number.
const maxNumber = 400

// keywordOf gives the bytes by which a keyword is indexed.
func (s *session) keywordOf(f *mapping.Field, text string) []byte {
	switch {
	case f.Key != nil:
		return append(bytes.Clone(f.Key), text...)
	case f.Type == mapping.Keyword:
		return f.Normalize(s.texts, []byte(text))
	}
	return []byte(text)
}

// floorOf gives the greatest whole number that is not above the one that v stands for, exactly, and whether a fraction was
// cut off. Numbers that the type cannot hold fail, except that byte and short take what integer takes, as in Elasticsearch.
func floorOf(t mapping.Type, v jsontext.Value) (n int64, fraction bool, err error) {
	text := query.Text(v)
	if n, err = strconv.ParseInt(text, 10, 64); err != nil {
		if n, fraction, err = floorOfDecimal(text, t); err != nil {
			return 0, false, err
		}
	}
	if t != mapping.Long && (n < math.MinInt32 || n > math.MaxInt32) {
		return 0, false, errors.New("out of range for an integer")
	}
	return n, fraction, nil
}

func floorOfDecimal(text string, t mapping.Type) (int64, bool, error) {
	x, err := parseFloat(text)
	if err != nil {
		return 0, false, err
	}
	switch {
	case math.Abs(x) >= 1<<64:
		return 0, false, errors.New("out of range for " + article(t))
	case math.Abs(x) < 1: // where exponents may be of any length
		mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
		fraction := strings.ContainsAny(mantissa, "123456789")
		if fraction && strings.HasPrefix(text, "-") {
			return -1, true, nil
		}
		return 0, fraction, nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false, errNumber
	}
	floor := new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: the denominator is positive
	if !floor.IsInt64() {
		return 0, false, errors.New("out of range for " + article(t))
	}
	return floor.Int64(), !r.IsInt(), nil
}

func article(t mapping.Type) string {
	if t == mapping.Long {
		return "a long"
	}
	return "an integer"
}

// parseFloat reads a decimal number, which may be infinite when it is too great.
func parseFloat(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxNumber || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, errNumber
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errNumber
	}
	return x, nil
}

// floatOf gives the number that v stands for as bounds of a field are compared: in the precision of a float for float and
// half_float.
func floatOf(t mapping.Type, v jsontext.Value) (float64, error) {
	x, err := parseFloat(query.Text(v))
	if err == nil && t.Single() {
		x = float64(float32(x))
	}
	return x, err
}

// half rounds to the nearest number with 16 bits.
func half(x float64) float64 {
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

func booleanOf(v jsontext.Value) (int64, error) {
	switch query.Text(v) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	return 0, errBoolean
}

// ipOf gives the 16 bytes by which an address is indexed.
func ipOf(v jsontext.Value) ([]byte, error) {
	address, err := netip.ParseAddr(query.Text(v))
	if err != nil {
		return nil, errIP
	}
	sixteen := address.As16()
	return sixteen[:], nil
}

// behind is the first text that is not before every text with the prefix, nil when there is none.
func behind(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for len(end) > 0 {
		if last := len(end) - 1; end[last] < 0xff {
			end[last]++
			return end
		}
		end = end[:len(end)-1]
	}
	return nil
}
