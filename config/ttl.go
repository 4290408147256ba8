package config

import (
	"encoding"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// TTL is a lifetime as the Kuzzle API writes it, in whole milliseconds, or Infinite.
type TTL time.Duration

// Infinite is the lifetime without an end; the API writes it -1.
const Infinite TTL = -1

var ttlSyntax = regexp.MustCompile(`^([0-9]{0,15}(?:\.[0-9]{1,9})?) *([A-Za-z]*)$`)

// ttlUnits are the units of a lifetime, singular and short; the plural is understood too.
var ttlUnits = map[string]time.Duration{
	"": time.Millisecond, "ms": time.Millisecond, "msec": time.Millisecond, "millisecond": time.Millisecond,
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour,
	"y": 8766 * time.Hour, "yr": 8766 * time.Hour, "year": 8766 * time.Hour,
}

// ParseTTL reads a lifetime: a number of milliseconds ("3600000"), a number with a unit ("1h", "1.5 hours", "7 days"), or
// -1 for Infinite. Units, in any case: ms, s, m, h, d, w, y, their English words and the usual short forms (msec, sec, min,
// hr, yr); a year is 365.25 days. Other negative numbers and more than 290 years are errors.
func ParseTTL(text string) (TTL, error) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "-1" {
		return Infinite, nil
	}
	parts := ttlSyntax.FindStringSubmatch(trimmed)
	if parts == nil || parts[1] == "" {
		return 0, fmt.Errorf("%q is not a lifetime", text)
	}
	name := strings.ToLower(parts[2])
	unit, ok := ttlUnits[name]
	if !ok && len(name) > 2 {
		unit, ok = ttlUnits[strings.TrimSuffix(name, "s")]
	}
	if !ok {
		return 0, fmt.Errorf("%q has an unknown unit of time", text)
	}
	number, err := strconv.ParseFloat(parts[1], 64)
	ms := math.Round(number * float64(unit/time.Millisecond))
	if err != nil || ms > math.MaxInt64/float64(time.Millisecond)-1 {
		return 0, fmt.Errorf("%q is too long for a lifetime", text)
	}
	return TTL(ms) * TTL(time.Millisecond), nil
}

// IsInfinite reports whether the lifetime has no end. Any negative value counts.
func (t TTL) IsInfinite() bool { return t < 0 }

// Duration is the lifetime as a duration; it means nothing for an infinite one.
func (t TTL) Duration() time.Duration { return time.Duration(t) }

// Milliseconds is the lifetime as the API writes it in JSON, -1 for Infinite.
func (t TTL) Milliseconds() int64 {
	if t.IsInfinite() {
		return -1
	}
	return time.Duration(t).Milliseconds()
}

// String gives the lifetime in the largest unit up to days that needs no fraction, "-1" for Infinite.
func (t TTL) String() string {
	if t.IsInfinite() {
		return "-1"
	}
	for _, unit := range []string{"d", "h", "m", "s"} {
		if d := TTL(ttlUnits[unit]); t != 0 && t%d == 0 {
			return strconv.FormatInt(int64(t/d), 10) + unit
		}
	}
	return strconv.FormatInt(t.Milliseconds(), 10) + "ms"
}

// MarshalText writes what ParseTTL reads.
func (t TTL) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText is ParseTTL.
func (t *TTL) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTTL(string(text))
	return err
}

var (
	_ encoding.TextMarshaler   = TTL(0)
	_ encoding.TextUnmarshaler = (*TTL)(nil)
)
