package config

import (
	"encoding"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Size is a number of bytes, from 0 on.
type Size int64

// The units of a Size, 1024-based as in the Kuzzle API.
const (
	KB Size = 1 << 10
	MB Size = 1 << 20
	GB Size = 1 << 30
	TB Size = 1 << 40
)

var sizeSyntax = regexp.MustCompile(`^([0-9]{1,19}(?:\.[0-9]{1,9})?) *([A-Za-z]*)$`)

// ParseSize reads "1MB", "1.5 GB", "512KiB" or a plain number of bytes. KB and KiB are the same 1024 bytes.
func ParseSize(text string) (Size, error) {
	parts := sizeSyntax.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	unit, ok := sizeUnit(parts[2])
	if !ok {
		return 0, fmt.Errorf("%q has an unknown unit of size", text)
	}
	if whole, err := strconv.ParseInt(parts[1], 10, 64); err == nil && whole <= math.MaxInt64/int64(unit) {
		return Size(whole) * unit, nil
	}
	number, err := strconv.ParseFloat(parts[1], 64)
	if err != nil || number*float64(unit) >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is too large for a size", text)
	}
	return Size(number * float64(unit)), nil
}

func sizeUnit(name string) (Size, bool) {
	switch strings.ToUpper(name) {
	case "", "B":
		return 1, true
	case "KB", "KIB":
		return KB, true
	case "MB", "MIB":
		return MB, true
	case "GB", "GIB":
		return GB, true
	case "TB", "TIB":
		return TB, true
	default:
		return 0, false
	}
}

// String gives the size in the largest unit that needs no fraction.
func (s Size) String() string {
	for _, u := range []struct {
		size Size
		name string
	}{{TB, "TB"}, {GB, "GB"}, {MB, "MB"}, {KB, "KB"}} {
		if s != 0 && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText writes what ParseSize reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSize.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

var (
	_ encoding.TextMarshaler   = Size(0)
	_ encoding.TextUnmarshaler = (*Size)(nil)
)
