package aggregation

import (
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// value is a value that a request names, in terms of a column. The member for kind counts.
type value struct {
	kind     kind
	text     []byte // of a text, or the 16 bytes of an address
	whole    int64
	floating float64
}

// number gives a number as a floating-point one.
func (v *value) number() float64 {
	switch v.kind {
	case whole:
		return float64(v.whole)
	case natural:
		return float64(mapping.Unshift(v.whole))
	default:
		return v.floating
	}
}

// missingValue reads what stands for the value of documents without one. A whole number of a field of whole numbers may become
// a floating one. Of what is not mapped it is a text.
func (c *column) missingValue(raw jsontext.Value, now time.Time) (*value, error) {
	if raw == nil {
		return nil, nil //nolint:nilnil // none was given
	}
	switch c.kind {
	case unmapped, text:
		return &value{kind: text, text: []byte(plain(raw))}, nil
	case address:
		return parseAddress(raw)
	case place:
		return &value{kind: place, text: []byte(plain(raw))}, nil
	case natural:
		return naturalValue(raw)
	default:
		return numberValue(raw, c.field, now)
	}
}

// naturalValue reads a whole number without sign.
func naturalValue(raw jsontext.Value) (*value, error) {
	n, inexact, _, err := mapping.UnsignedBound(query.Text(raw))
	if raw.Kind() != '0' && raw.Kind() != '"' || err != nil || inexact {
		return nil, refuse("For input string: %q: expected a whole number from 0 to 18446744073709551615", query.Text(raw))
	}
	return &value{kind: natural, whole: mapping.Shift(n)}, nil
}

// numberValue reads a number for a field of numbers; f is nil for one that is not mapped.
func numberValue(raw jsontext.Value, f *mapping.Field, now time.Time) (*value, error) {
	if f != nil && raw.Kind() != '0' {
		switch f.Type {
		case mapping.Boolean:
			return parseBoolean(raw)
		case mapping.Date:
			return parseDate(raw, f, now)
		}
	}
	s := plain(raw)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && (f == nil || kindOf(f.Type) == whole) {
		return &value{kind: whole, whole: n}, nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if raw.Kind() != '0' && raw.Kind() != '"' || err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, refuse("For input string: %q", s)
	}
	if n := toWhole(x); f != nil && kindOf(f.Type) == whole && (float64(n) == x || math.Abs(x) >= 1<<63) {
		return &value{kind: whole, whole: n}, nil
	}
	return &value{kind: floating, floating: x}, nil
}

// toWhole cuts off the fraction; what is out of range becomes the nearest number, and what is no number 0.
func toWhole(x float64) int64 {
	switch {
	case math.IsNaN(x):
		return 0
	case x >= 1<<63:
		return math.MaxInt64
	case x <= -1<<63:
		return math.MinInt64
	}
	return int64(x)
}

func parseAddress(raw jsontext.Value) (*value, error) {
	s := plain(raw)
	a, err := netip.ParseAddr(s)
	if err != nil {
		return nil, refuse("'%s' is not an IP string literal.", s)
	}
	b := a.As16()
	return &value{kind: address, text: b[:]}, nil
}

func parseBoolean(raw jsontext.Value) (*value, error) {
	switch s := plain(raw); s {
	case "true":
		return &value{kind: whole, whole: 1}, nil
	case "false":
		return &value{kind: whole}, nil
	default:
		return nil, refuse("Cannot parse boolean [%s], expected either [true] or [false]", s)
	}
}

func parseDate(raw jsontext.Value, f *mapping.Field, now time.Time) (*value, error) {
	t, err := f.DateFormat().Math(plain(raw), now, false, nil)
	if err != nil {
		return nil, refuse("failed to parse date field [%s] with format [%s]", plain(raw), f.DateFormat())
	}
	return &value{kind: whole, whole: t.UnixMilli()}, nil
}

// plain gives the text of a text, a number or a boolean as Java writes it.
func plain(raw jsontext.Value) string {
	switch raw.Kind() {
	case '"':
		return query.Text(raw)
	case '0':
		if _, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return string(raw)
		}
		if x, err := strconv.ParseFloat(string(raw), 64); err == nil {
			return string(appendFloat(nil, x))
		}
	}
	return string(raw)
}

// listed reads a number of a list of values, in which dates and booleans are texts.
func listed(raw jsontext.Value, f *mapping.Field, now time.Time) (*value, error) {
	switch f.Type {
	case mapping.Boolean:
		return parseBoolean(raw)
	case mapping.Date:
		return parseDate(raw, f, now)
	}
	return numberValue(raw, f, now)
}
