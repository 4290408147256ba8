package dates

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones must be known on machines that have no database of them
)

// Zone finds a time zone: an offset such as "+01:00", "UTC", "Z", or a name such as "Europe/Paris".
func Zone(name string) (*time.Location, error) {
	switch name {
	case "Z", "UTC", "GMT", "UT":
		return time.UTC, nil
	case "", "Local", "EST", "MST", "HST": // Java does not know the last three
	default:
		for _, prefix := range []string{"UTC", "GMT", "UT", ""} {
			rest, ok := strings.CutPrefix(name, prefix)
			if !ok || rest == "" || rest[0] != '+' && rest[0] != '-' {
				continue
			}
			if seconds, n := parseOffset(rest, offsetLoose); n == len(rest) {
				return time.FixedZone(name, seconds), nil
			}
		}
		if len(name) <= 64 {
			if zone, err := time.LoadLocation(name); err == nil {
				return zone, nil
			}
		}
	}
	return nil, fmt.Errorf("unknown time zone %q", name)
}

// The forms of an offset.
const (
	offsetPlain    = iota // +hhmm
	offsetHour            // +hh and, when needed, mm
	offsetColon           // +hh:mm
	offsetLoose           // any of them, one digit for the hour, and seconds
	offsetExtended        // +hh, +hhmm or +hh:mm
)

// parseOffset reads a signed offset at the start of text, and gives its seconds and length; 0 is no offset.
func parseOffset(text string, form int) (seconds, length int) {
	if text == "" || text[0] != '+' && text[0] != '-' {
		return 0, 0
	}
	hour, n := number(text[1:], 1, 2)
	if n == 0 || n == 1 && form != offsetLoose {
		return 0, 0
	}
	length = 1 + n
	minute, n := sexagesimal(text[length:], form)
	length += n
	second := 0
	if form == offsetLoose && n > 0 {
		second, n = sexagesimal(text[length:], form)
		length += n
	}
	seconds = hour*3600 + minute*60 + second
	if (form == offsetPlain || form == offsetColon) && length < 5 || minute > 59 || second > 59 || seconds > 18*3600 {
		return 0, 0
	}
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, length
}

// sexagesimal reads the minutes or seconds of an offset, with the colon before them.
func sexagesimal(text string, form int) (value, length int) {
	digits, colon := strings.CutPrefix(text, ":")
	if colon && (form == offsetPlain || form == offsetHour) || !colon && form == offsetColon {
		return 0, 0
	}
	value, length = number(digits, 2, 2)
	if colon && length > 0 {
		length++
	}
	return value, length
}

// number reads least to most digits at the start of text; 0 is too few.
func number(text string, least, most int) (value, length int) {
	for length < most && length < len(text) && text[length] >= '0' && text[length] <= '9' {
		value = value*10 + int(text[length]-'0')
		length++
	}
	if length < least {
		return 0, 0
	}
	return value, length
}

// atLocal is the instant at which the clocks of zone show the date and time of t, which is in UTC. A time that they skip is
// moved on by what they skip, and of a time that they show twice it is the first, as in Elasticsearch.
func atLocal(t time.Time, zone *time.Location) time.Time {
	if zone == time.UTC {
		return t
	}
	_, before := t.Add(-24 * time.Hour).In(zone).Zone()
	_, after := t.Add(24 * time.Hour).In(zone).Zone()
	first := t.Add(-time.Duration(before) * time.Second).In(zone)
	if _, offset := first.Zone(); before == after || offset == before {
		return first
	}
	second := t.Add(-time.Duration(after) * time.Second).In(zone)
	if _, offset := second.Zone(); offset == after {
		return second
	}
	return first
}
