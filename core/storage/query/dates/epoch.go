package dates

import (
	"strconv"
	"strings"
	"time"
)

// parseEpoch reads a number of units since 1970, which may have a fraction down to the nanosecond. With up, a number of
// units without one is the last nanosecond of its unit.
func parseEpoch(text string, unit time.Duration, up bool) (time.Time, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	width := 9 // digits of a fraction
	if unit == time.Millisecond {
		width = 6
	}
	if whole == "" || whole[0] == '+' || whole[0] == '-' || dotted && (fraction == "" || len(fraction) > width) {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	nanos := 0
	switch {
	case dotted:
		for i := range width {
			nanos *= 10
			if i < len(fraction) {
				if fraction[i] < '0' || fraction[i] > '9' {
					return time.Time{}, false
				}
				nanos += int(fraction[i] - '0')
			}
		}
	case up:
		nanos = int(unit - 1)
	}
	if negative {
		n = -n
		if dotted {
			nanos = -nanos
		}
	}
	var t time.Time
	if unit == time.Millisecond {
		t = time.UnixMilli(n).Add(time.Duration(nanos))
	} else {
		if n > 1<<53 || n < -1<<53 {
			return time.Time{}, false
		}
		t = time.Unix(n, int64(nanos))
	}
	t = t.UTC()
	return t, inRange(t)
}

func formatEpoch(t time.Time, unit time.Duration) string {
	if unit == time.Millisecond {
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	text := strconv.FormatInt(t.Unix(), 10)
	if ms := t.Nanosecond() / 1e6; ms != 0 && t.Unix() >= 0 {
		text += strings.TrimRight("."+strconv.Itoa(1000 + ms)[1:], "0")
	}
	return text
}

// inRange keeps milliseconds within 64 bits.
func inRange(t time.Time) bool { return t.Year() <= maxYear && t.Year() >= -maxYear }
