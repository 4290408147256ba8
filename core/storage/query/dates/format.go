package dates

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// format writes t. Optional parts are written.
func (p *pattern) format(t time.Time) string {
	return string(appendElements(nil, p.elements, t))
}

func appendElements(dst []byte, elements []element, t time.Time) []byte {
	for i := range elements {
		dst = elements[i].append(dst, t)
	}
	return dst
}

func (e *element) append(dst []byte, t time.Time) []byte {
	switch e.letter {
	case '\'':
		return append(dst, e.literal...)
	case '[':
		return appendElements(dst, e.inner, t)
	case 'u', 'y':
		return e.appendYear(dst, t.Year())
	case 'Y':
		year, _ := t.ISOWeek()
		return e.appendYear(dst, year)
	case 'M', 'L':
		if e.width > 2 {
			return appendName(dst, t.Month().String(), e.width == 3)
		}
	case 'E':
		return appendName(dst, t.Weekday().String(), e.width < 4)
	case 'a':
		return append(dst, halves[t.Hour()/12]...)
	case 'f', 'g':
		return append(dst, appendFraction(t.Nanosecond())...)
	case 'S':
		return append(dst, fmt.Sprintf("%09d", t.Nanosecond())[:e.width]...)
	case 'X', 'j', 'x', 'Z', 'V', 'z', 'O':
		return e.appendZone(dst, t)
	}
	return append(dst, fmt.Sprintf("%0*d", e.width, e.number(t))...)
}

// appendZone writes the zone of t, or how far its clocks are ahead.
func (e *element) appendZone(dst []byte, t time.Time) []byte {
	name, seconds := t.Zone()
	switch e.letter {
	case 'X', 'j':
		if seconds == 0 {
			return append(dst, 'Z')
		}
	case 'V':
		return append(dst, t.Location().String()...)
	case 'z':
		return append(dst, name...)
	case 'O':
		if dst = append(dst, "GMT"...); seconds == 0 {
			return dst
		}
	case 'Z':
		if e.width == 5 && seconds == 0 {
			return append(dst, 'Z')
		}
	}
	return e.appendOffset(dst, seconds)
}

// appendOffset writes hours and minutes, with a colon between them or not.
func (e *element) appendOffset(dst []byte, seconds int) []byte {
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	hours, minutes := seconds/3600, seconds/60%60
	dst = append(dst, sign)
	switch {
	case e.letter == 'O' && minutes == 0:
		return strconv.AppendInt(dst, int64(hours), 10)
	case (e.letter == 'X' || e.letter == 'x') && e.width == 1 && minutes == 0:
		return fmt.Appendf(dst, "%02d", hours)
	case e.letter == 'j' || e.letter == 'O' || e.letter == 'Z' && e.width == 5 || e.letter != 'Z' && e.width == 3:
		return fmt.Appendf(dst, "%02d:%02d", hours, minutes)
	}
	return fmt.Appendf(dst, "%02d%02d", hours, minutes)
}

// number is the value of a numeric element.
func (e *element) number(t time.Time) int {
	switch e.letter {
	case 'M', 'L':
		return int(t.Month())
	case 'd':
		return t.Day()
	case 'D':
		return t.YearDay()
	case 'w':
		_, week := t.ISOWeek()
		return week
	case 'e':
		return isoWeekday(t)
	case 'H':
		return t.Hour()
	case 'k':
		return (t.Hour()+23)%24 + 1
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'K':
		return t.Hour() % 12
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	default: // n
		return t.Nanosecond()
	}
}

func (e *element) appendYear(dst []byte, year int) []byte {
	if e.width == 2 {
		return append(dst, fmt.Sprintf("%02d", ((year%100)+100)%100)...)
	}
	if e.width == 1 {
		return strconv.AppendInt(dst, int64(year), 10)
	}
	if year < 0 {
		return append(dst, fmt.Sprintf("-%04d", -year)...)
	}
	if year > 9999 {
		dst = append(dst, '+')
	}
	return append(dst, fmt.Sprintf("%04d", year)...)
}

func appendName(dst []byte, name string, short bool) []byte {
	if short {
		name = name[:3]
	}
	return append(dst, name...)
}

// appendFraction gives milliseconds, and more digits where they are needed.
func appendFraction(nano int) string {
	text := fmt.Sprintf(".%09d", nano)
	return text[:4] + strings.TrimRight(text[4:], "0")
}
