// Package dates reads and writes dates as Elasticsearch does: its named formats, patterns of java.time, date math such as
// "now-1d/d" and time zones.
//
// It is for the mappings of date fields and for the ranges of queries. It is not a general date library: texts are English,
// and the calendar is ISO 8601. It is pure; now is given by the caller. The packages of core/storage may import it; it
// imports the standard library only.
package dates

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Default is the format of a date field whose mapping names none.
const Default = "strict_date_optional_time||epoch_millis"

// The bounds of what comes from outside.
const (
	maxFormats = 64
	maxFormat  = 1024 // bytes
	maxText    = 1024 // bytes
	maxYear    = 292_000_000
)

// ErrNotDate is wrapped by every error for a text that is not a date of the format.
var ErrNotDate = errors.New("not a date")

// Format is one format, or several of which the first that fits counts. It is immutable.
type Format struct {
	spec     string
	variants []variant
}

// variant is one format: a pattern, or a number of milliseconds or seconds.
type variant struct {
	pattern *pattern
	epoch   time.Duration // the unit when pattern is nil
}

// Compile reads a format: names of built-in formats and patterns, joined by ||.
func Compile(spec string) (*Format, error) {
	if len(spec) > maxFormat {
		return nil, fmt.Errorf("the date format has more than %d characters", maxFormat)
	}
	f := &Format{spec: spec}
	for part := range strings.SplitSeq(spec, "||") {
		v, err := compileVariant(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		f.variants = append(f.variants, v)
	}
	if len(f.variants) > maxFormats {
		return nil, fmt.Errorf("the date format has more than %d alternatives", maxFormats)
	}
	return f, nil
}

func compileVariant(name string) (variant, error) {
	switch name {
	case "":
		return variant{}, errors.New("the date format is empty")
	case "epoch_millis":
		return variant{epoch: time.Millisecond}, nil
	case "epoch_second":
		return variant{epoch: time.Second}, nil
	}
	if text, lenient, ok := builtin(name); ok {
		p, err := compile(text, lenient, true)
		return variant{pattern: p}, err
	}
	p, err := compile(name, false, false)
	if err != nil {
		return variant{}, fmt.Errorf("the date format %q is neither known nor a pattern: %w", name, err)
	}
	return variant{pattern: p}, nil
}

// String gives the text that the format was made from.
func (f *Format) String() string { return f.spec }

// Parse reads a date. What the text leaves out is the least it can be: 2024 is the first instant of that year. zone counts
// when the text names none, and moves numbers since 1970 too, as in Elasticsearch; nil is UTC.
func (f *Format) Parse(text string, zone *time.Location) (time.Time, error) {
	return f.parse(text, zone, false)
}

// parse reads a date. With up, what the text leaves out of a day is the most it can be; month and day are 1 all the same,
// as in Elasticsearch.
func (f *Format) parse(text string, zone *time.Location, up bool) (time.Time, error) {
	if len(text) > maxText {
		return time.Time{}, fmt.Errorf("a text of %d bytes is %w", len(text), ErrNotDate)
	}
	if zone == nil {
		zone = time.UTC
	}
	for _, v := range f.variants {
		if t, ok := v.parse(text, zone, up); ok {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is %w of the format %q", text, ErrNotDate, f.spec)
}

func (v variant) parse(text string, zone *time.Location, up bool) (time.Time, bool) {
	if v.pattern == nil {
		t, ok := parseEpoch(text, v.epoch, up)
		if !ok {
			return t, false
		}
		return atLocal(t, zone).UTC(), true // Elasticsearch reads the number as a time in the zone
	}
	return v.pattern.parse(text, zone, up)
}

// Format writes t, in its zone, as the first of the formats says.
func (f *Format) Format(t time.Time) string {
	v := f.variants[0]
	if v.pattern == nil {
		return formatEpoch(t, v.epoch)
	}
	return v.pattern.format(t)
}
