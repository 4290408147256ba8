package koncorde

import (
	"math"
	"math/big"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// Numbers compare as exact arithmetic compares them, and those that are equal are the same condition.
func FuzzNumbers(f *testing.F) {
	for _, seed := range [][2]string{
		{"0", "-0.0e9"},
		{"9007199254740993", "9007199254740992"},
		{"1e400", "1e401"},
		{"-1e-400", "0"},
		{"1.0", "10e-1"},
		{"1e999999999999", "1e1000000001"},
		{"0.1", "0.1000000000000000055511151231257827"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, ok := exactly(a)
		y, okToo := exactly(b)
		if !ok || !okToo {
			return
		}
		m, n := parseNumber(a), parseNumber(b)
		want := x.Cmp(y)
		if got := m.compare(n); got > 0 != (want > 0) || got < 0 != (want < 0) {
			t.Errorf("%s and %s: %d", a, b, got)
		}
		if (m == n) != (want == 0) {
			t.Errorf("%s equals %s: %t", a, b, m == n)
		}
		if text := jsontext.Value(m.append(nil)); !text.IsValid() || parseNumber(string(text)) != m {
			t.Errorf("%s is written as %s", a, text)
		}
	})
}

// exactly reads a JSON number, false for one whose exact value would take long.
func exactly(text string) (*big.Rat, bool) {
	v := jsontext.Value(text)
	if len(text) > 100 || !v.IsValid() || v.Kind() != '0' {
		return nil, false
	}
	trimmed := jsontext.Value(text)
	if trimmed.Compact() != nil || string(trimmed) != text {
		return nil, false
	}
	if e := parseDecimal(text).exponent; e > 1000 || e < -1000 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

func FuzzDistance(f *testing.F) {
	for _, seed := range []string{"1 km", "1,5-mi", "200", "1e400m", "-1", "µm", "..", "1.2.3km", "\u00a01\u00a0KM", "0x1p4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if metres, err := parseDistance(text); err == nil && (metres < 0 || math.IsNaN(metres) || math.IsInf(metres, 0)) {
			t.Errorf("%q is %g metres", text, metres)
		}
	})
}

func FuzzPlace(f *testing.F) {
	for _, seed := range []string{`"u09tvw0"`, `[1,2]`, `{"lat":1,"lon":2}`, `"1,2"`, `{"lat":91,"lon":0}`, `[1e999,0]`, `{"latLon":{"lat":1}}`, `[[1]]`, `""`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, _, err := readTree(text, 2)
		if err != nil {
			return
		}
		p, ok := parsePoint(&v)
		if ok && !(math.Abs(p.lat) <= 90 && math.Abs(p.lon) <= 180) { // NaN neither
			t.Errorf("%s is %+v", text, p)
		}
	})
}
