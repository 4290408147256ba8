package dates

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Math reads a date, or date math: "now" or a date and "||", followed by +, - with a number and a unit, and / with a unit
// to round to, such as "now-1d/d" or "2024-01-01||+1M/d". The units are y, M, w, d, h, H, m and s.
//
// With up the result is the last millisecond of what the text describes, so for gt and lte; otherwise it is the first, so
// for gte and lt. Elasticsearch rounds the same way. zone is where days begin, and the zone of a date that names none; nil
// is UTC.
func (f *Format) Math(text string, now time.Time, up bool, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	if len(text) > maxText {
		return time.Time{}, fmt.Errorf("a text of %d bytes is %w", len(text), ErrNotDate)
	}
	if rest, ok := strings.CutPrefix(text, "now"); ok {
		return calculate(now.Truncate(time.Millisecond), rest, up, zone)
	}
	date, rest, found := strings.Cut(text, "||")
	if !found {
		return f.parse(text, zone, up)
	}
	t, err := f.parse(date, zone, false)
	if err != nil {
		return t, err
	}
	return calculate(t, rest, up, zone)
}

// calculate applies operations such as "+1M/d".
func calculate(t time.Time, text string, up bool, zone *time.Location) (time.Time, error) {
	for text != "" {
		operator := text[0]
		n, digits := number(text[1:], 1, 9)
		rest := text[1+digits:]
		switch {
		case operator != '+' && operator != '-' && operator != '/':
			return t, fmt.Errorf("date math has no operator %q: %w", operator, ErrNotDate)
		case rest == "":
			return t, fmt.Errorf("date math ends after %q: %w", text, ErrNotDate)
		case digits == 0:
			n = 1
		}
		if operator == '-' {
			n = -n
		}
		unit := rest[0]
		text = rest[1:]
		local := t.In(zone)
		var ok bool
		if operator == '/' {
			if n != 1 {
				return t, fmt.Errorf("date math rounds to one unit only: %w", ErrNotDate)
			}
			if t, ok = floor(local, unit); ok && up {
				t, _ = add(t.In(zone), 1, unit)
				t = t.Add(-time.Millisecond)
			}
		} else {
			t, ok = add(local, n, unit)
		}
		if !ok {
			return t, fmt.Errorf("date math has no unit %q: %w", unit, ErrNotDate)
		}
		if !inRange(t) {
			return t, errors.Join(errors.New("date math leads too far away"), ErrNotDate)
		}
	}
	return t.UTC(), nil
}

// clock gives the date and time that the clocks of t show, as if they showed UTC.
func clock(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// add moves t by n units. Years to days keep the time of the day; a day that a month does not have is its last.
func add(t time.Time, n int, unit byte) (time.Time, bool) {
	switch unit {
	case 'y':
		return addMonths(t, 12*n), true
	case 'M':
		return addMonths(t, n), true
	case 'w':
		return atLocal(clock(t).AddDate(0, 0, 7*n), t.Location()), true
	case 'd':
		return atLocal(clock(t).AddDate(0, 0, n), t.Location()), true
	case 'h', 'H':
		return addSeconds(t, n, 3600), true
	case 'm':
		return addSeconds(t, n, 60), true
	case 's':
		return addSeconds(t, n, 1), true
	}
	return t, false
}

func addSeconds(t time.Time, n, seconds int) time.Time {
	return time.Unix(t.Unix()+int64(n)*int64(seconds), int64(t.Nanosecond()))
}

func addMonths(t time.Time, n int) time.Time {
	c := clock(t)
	first := time.Date(c.Year(), c.Month()+time.Month(n), 1, c.Hour(), c.Minute(), c.Second(), c.Nanosecond(), time.UTC)
	day := min(c.Day(), daysIn(first.Year(), first.Month()))
	return atLocal(first.AddDate(0, 0, day-1), t.Location())
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// floor is the start of the unit that t is in. A week starts on Monday.
func floor(t time.Time, unit byte) (time.Time, bool) {
	year, month, day, hour, minute, second := t.Year(), t.Month(), t.Day(), 0, 0, 0
	switch unit {
	case 'y':
		month, day = time.January, 1
	case 'M':
		day = 1
	case 'w':
		day -= (int(t.Weekday()) + 6) % 7
	case 'd':
	case 'h', 'H', 'm', 's':
		// On the line of time, so that an hour that the clocks show twice stays the one it is.
		step := time.Duration(t.Nanosecond())
		if unit != 's' {
			step += time.Duration(t.Second()) * time.Second
		}
		if unit == 'h' || unit == 'H' {
			step += time.Duration(t.Minute()) * time.Minute
		}
		return t.Add(-step), true
	default:
		return t, false
	}
	return atLocal(time.Date(year, month, day, hour, minute, second, 0, time.UTC), t.Location()), true
}
