package dates

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// pattern is a compiled pattern: a list of elements, of which an optional one holds a list of its own.
type pattern struct {
	elements []element
}

// element is one part of a pattern.
type element struct {
	// letter is the letter of java.time, ' for a literal and [ for an optional part. Patterns of this package also know f, a
	// point and 1 to 9 digits of a fraction of a second, g, the same with a point or a comma, and j, any form of zone.
	letter byte
	width  int // how often the letter stood there
	// least and most digits of a number.
	least, most int
	lenient     bool // a year of any length
	long        bool // a year of more than 4 digits behind a +
	literal     string
	inner       []element
}

// compile reads a pattern of java.time. lenient makes leading zeros unnecessary; own allows the letters of this package.
func compile(text string, lenient, own bool) (*pattern, error) {
	c := compiler{text: text, lenient: lenient, own: own}
	elements, err := c.list(0)
	if err != nil {
		return nil, err
	}
	if c.at < len(text) {
		return nil, errors.New("a ] has no [")
	}
	if len(elements) == 0 {
		return nil, errors.New("it is empty")
	}
	return &pattern{elements}, nil
}

type compiler struct {
	text         string
	at           int
	lenient, own bool
}

func (c *compiler) list(depth int) ([]element, error) {
	var list []element
	for c.at < len(c.text) {
		switch ch := c.text[c.at]; {
		case ch == ']':
			return list, nil
		case ch == '[':
			c.at++
			if depth == 16 {
				return nil, errors.New("too many [")
			}
			inner, err := c.list(depth + 1)
			if err != nil {
				return nil, err
			}
			if c.at == len(c.text) {
				return nil, errors.New("a [ has no ]")
			}
			c.at++
			list = append(list, element{letter: '[', inner: inner})
		case ch == '\'':
			literal, err := c.quoted()
			if err != nil {
				return nil, err
			}
			list = append(list, element{letter: '\'', literal: literal})
		case ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z':
			e, err := c.letter()
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		case ch == '{' || ch == '}' || ch == '#':
			return nil, fmt.Errorf("%q is reserved", ch)
		default:
			c.at++
			list = append(list, element{letter: '\'', literal: string(ch)})
		}
	}
	return list, nil
}

// quoted reads 'text'; ” within or alone is one quote.
func (c *compiler) quoted() (string, error) {
	c.at++
	var b strings.Builder
	for c.at < len(c.text) {
		ch := c.text[c.at]
		c.at++
		if ch != '\'' {
			b.WriteByte(ch)
			continue
		}
		if c.at < len(c.text) && c.text[c.at] == '\'' {
			b.WriteByte('\'')
			c.at++
			continue
		}
		if b.Len() == 0 {
			return "'", nil
		}
		return b.String(), nil
	}
	return "", errors.New("a ' is not closed")
}

// letter reads a run of one letter.
func (c *compiler) letter() (element, error) {
	letter := c.text[c.at]
	from := c.at
	for c.at < len(c.text) && c.text[c.at] == letter {
		c.at++
	}
	e := element{letter: letter, width: c.at - from}
	bad := fmt.Errorf("it does not know %q", c.text[from:c.at])
	if e.width > 9 {
		return e, bad
	}
	switch letter {
	case 'u', 'y', 'Y':
		e.lenient, e.long = c.lenient, !c.own
		if e.width == 3 || e.width > 4 {
			e.least, e.most = e.width, e.width
		}
	case 'M', 'L', 'd', 'H', 'h', 'k', 'K', 'm', 's', 'w', 'D', 'e', 'E', 'S', 'n', 'a', 'X', 'x', 'Z', 'z', 'V', 'O':
	case 'f', 'g', 'j':
		if !c.own {
			return e, bad
		}
	default:
		return e, bad
	}
	limit := map[byte]int{
		'M': 4, 'L': 4, 'd': 2, 'H': 2, 'h': 2, 'k': 2, 'K': 2, 'm': 2, 's': 2, 'w': 2, 'D': 3, 'e': 1, 'E': 4, 'a': 1,
		'X': 3, 'x': 3, 'Z': 5, 'z': 4, 'V': 2, 'f': 1, 'g': 1, 'j': 1, 'u': 4, 'y': 4, 'Y': 4, 'S': 9, 'n': 9, 'O': 1,
	}[letter]
	if e.width > limit || letter == 'V' && e.width != 2 || letter == 'Z' && e.width == 4 {
		return e, bad
	}
	e.least, e.most = e.width, max(e.width, 2)
	switch {
	case letter == 'D' && e.width < 3:
		e.most = 3
	case letter == 'e':
		e.most = 1
	case letter == 'D' || letter == 'S':
		e.most = e.width
	case letter == 'n':
		e.most = 9
	}
	if c.lenient && letter != 'S' {
		e.least = 1
	}
	return e, nil
}

// fields is what a text said. A field that it did not say is -1.
type fields struct {
	year, month, day, dayOfYear int
	weekYear, week, weekday     int
	hour, halfHour, half        int // halfHour 0 to 11, half 0 is am
	minute, second, nano        int
	zone                        *time.Location
	hasYear, hasWYear           bool
}

func (p *pattern) parse(text string, zone *time.Location, up bool) (time.Time, bool) {
	f := fields{month: -1, day: -1, dayOfYear: -1, week: -1, weekday: -1, hour: -1, halfHour: -1, half: -1, minute: -1, second: -1, nano: -1}
	rest, ok := match(p.elements, text, &f)
	if !ok || rest != "" {
		return time.Time{}, false
	}
	return f.resolve(zone, up)
}

// match reads the elements from the start of text, and gives what follows.
func match(elements []element, text string, f *fields) (string, bool) {
	for i := range elements {
		e := &elements[i]
		if e.letter == '[' {
			saved := *f
			if rest, ok := match(e.inner, text, f); ok {
				text = rest
			} else {
				*f = saved
			}
			continue
		}
		digits := 0 // that follow at once in fields of a fixed width
		if e.most > 0 || e.letter == 'u' || e.letter == 'y' || e.letter == 'Y' {
			for _, next := range elements[i+1:] {
				if next.letter == '\'' || next.letter == '[' || next.least == 0 || !numeric(next) {
					break
				}
				digits += next.width
			}
		}
		n := e.read(text, digits, f)
		if n <= 0 {
			return text, false
		}
		text = text[n:]
	}
	return text, true
}

// numeric reports whether an element is made of digits only.
func numeric(e element) bool {
	return e.width < 3 && strings.IndexByte("MLE", e.letter) >= 0 || strings.IndexByte("dHhkKmswDeSn", e.letter) >= 0
}

var (
	months   = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	weekdays = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	halves   = []string{"AM", "PM"}
)

// read reads one element at the start of text and gives its length, 0 when it is not there. follow is how many digits the
// elements behind it need.
func (e *element) read(text string, follow int, f *fields) int {
	switch e.letter {
	case '\'':
		if strings.HasPrefix(text, e.literal) {
			return len(e.literal)
		}
		return 0
	case 'u', 'y', 'Y':
		return e.readYear(text, follow, f)
	case 'M', 'L':
		if e.width > 2 {
			return name(text, months, e.width == 3, &f.month, 1)
		}
	case 'E':
		return name(text, weekdays, e.width < 4, &f.weekday, 1)
	case 'a':
		return name(text, halves, false, &f.half, 0)
	case 'f', 'g':
		if text == "" || text[0] != '.' && (e.letter == 'f' || text[0] != ',') {
			return 0
		}
		n := fraction(text[1:], 1, 9, f)
		if n == 0 {
			return 0
		}
		return n + 1
	case 'S':
		return fraction(text, e.width, e.width, f)
	case 'X', 'x', 'Z', 'z', 'V', 'j', 'O':
		return e.readZone(text, f)
	}
	most := e.most
	if follow > 0 { // digits touch: the width is what the letters say
		most = max(e.width, 1)
	}
	value, n := number(text, min(e.least, most), most)
	if n == 0 {
		return 0
	}
	switch e.letter {
	case 'M', 'L':
		f.month = value
	case 'd':
		f.day = value
	case 'D':
		f.dayOfYear = value
	case 'w':
		f.week = value
	case 'e':
		f.weekday = value
	case 'H':
		f.hour = value
	case 'k':
		if value < 1 || value > 24 {
			return 0
		}
		f.hour = value % 24
	case 'h':
		if value < 1 || value > 12 {
			return 0
		}
		f.halfHour = value % 12
	case 'K':
		f.halfHour = value
	case 'm':
		f.minute = value
	case 's':
		f.second = value
	case 'n':
		f.nano = value
	}
	return n
}

// readYear reads 4 digits, or more with a + before them; yy is a year from 2000; lenient and single letters take any.
func (e *element) readYear(text string, follow int, f *fields) int {
	value, n := 0, 0
	sign := 0
	if text != "" && e.width != 2 && (text[0] == '-' && e.letter != 'y' || text[0] == '+' && e.long) { // y is the year of an era
		sign = 1
	}
	negative := sign == 1 && text[0] == '-'
	switch {
	case e.width == 2 && !e.lenient:
		value, n = number(text, 2, 2)
		value += 2000
	case follow > 0 && sign == 0:
		value, n = number(text, 4, 4)
	case e.lenient || e.width == 1:
		value, n = number(text[sign:], 1, 9)
	case sign == 1:
		value, n = number(text[1:], 4, 9)
		if !negative && n == 4 { // + is for longer ones only
			n = 0
		}
	default:
		value, n = number(text, 4, 4)
	}
	if n == 0 {
		return 0
	}
	if negative {
		value = -value
	}
	if e.letter == 'Y' {
		f.weekYear, f.hasWYear = value, true
	} else {
		f.year, f.hasYear = value, true
	}
	return n + sign
}

// name finds one of the names, or its first three letters, at the start of text.
func name(text string, names []string, short bool, to *int, first int) int {
	for i, word := range names {
		if short {
			word = word[:3]
		}
		if strings.HasPrefix(text, word) {
			*to = i + first
			return len(word)
		}
	}
	return 0
}

// fraction reads digits of a fraction of a second.
func fraction(text string, least, most int, f *fields) int {
	value, n := number(text, least, most)
	if n == 0 {
		return 0
	}
	for range 9 - n {
		value *= 10
	}
	f.nano = value
	return n
}

func (e *element) readZone(text string, f *fields) int {
	if text == "" {
		return 0
	}
	zulu := e.letter == 'X' || e.letter == 'j' || e.letter == 'Z' && e.width == 5 || e.letter == 'V' || e.letter == 'z'
	if text[0] == 'Z' && zulu {
		f.zone = time.UTC
		return 1
	}
	if text[0] == '+' || text[0] == '-' {
		form := offsetExtended
		switch {
		case e.letter == 'Z' && e.width < 4, (e.letter == 'X' || e.letter == 'x') && e.width == 2:
			form = offsetPlain
		case (e.letter == 'X' || e.letter == 'x') && e.width == 1:
			form = offsetHour
		case (e.letter == 'X' || e.letter == 'x') && e.width == 3, e.letter == 'Z':
			form = offsetColon
		}
		seconds, n := parseOffset(text, form)
		if n > 0 {
			f.zone = time.FixedZone("", seconds)
		}
		return n
	}
	if strings.IndexByte("zVjO", e.letter) < 0 {
		return 0
	}
	n := 0
	for n < len(text) && (text[n] >= 'a' && text[n] <= 'z' || text[n] >= 'A' && text[n] <= 'Z' || strings.IndexByte("/_+-:", text[n]) >= 0 ||
		text[n] >= '0' && text[n] <= '9') {
		n++
	}
	zone, err := Zone(text[:n])
	if err != nil {
		return 0
	}
	f.zone = zone
	return n
}

// resolve makes the instant that f describes.
func (f *fields) resolve(zone *time.Location, up bool) (time.Time, bool) {
	if f.zone != nil {
		zone = f.zone
	}
	year, month, day, ok := f.date()
	if !ok {
		return time.Time{}, false
	}
	hour := f.hour
	if f.halfHour >= 0 {
		hour = f.halfHour + 12*max(f.half, 0)
	}
	// Minutes that are given without an hour, and so on, mean the first one.
	anyTime := [5]int{hour, f.minute, f.second, f.nano, 0}
	most := [5]int{23, 59, 59, 999_999_999, 0}
	for i := range 4 {
		switch {
		case anyTime[i] > most[i]:
			return time.Time{}, false
		case anyTime[i] >= 0:
		case up:
			anyTime[i] = most[i]
		default:
			anyTime[i] = 0
		}
	}
	if hour < 0 && (f.half >= 0 && f.halfHour < 0) {
		return time.Time{}, false
	}
	t := atLocal(time.Date(year, month, day, anyTime[0], anyTime[1], anyTime[2], anyTime[3], time.UTC), zone).UTC()
	return t, inRange(t)
}

// date finds the day: of a month, of a year, or of a week.
func (f *fields) date() (year int, month time.Month, day int, ok bool) {
	if f.hasWYear || f.week >= 0 {
		return f.weekDate()
	}
	year = 1970
	if f.hasYear {
		year = f.year
	}
	if f.dayOfYear >= 0 {
		t := time.Date(year, 1, f.dayOfYear, 0, 0, 0, 0, time.UTC)
		return t.Year(), t.Month(), t.Day(), f.dayOfYear > 0 && t.Year() == year
	}
	month, day = time.January, 1
	if f.month >= 0 {
		month = time.Month(f.month)
	}
	if f.day >= 0 {
		day = f.day
	}
	if month < 1 || month > 12 || day < 1 || day > 31 || day > daysIn(year, month) {
		return 0, 0, 0, false
	}
	if f.weekday >= 0 && isoWeekday(time.Date(year, month, day, 0, 0, 0, 0, time.UTC)) != f.weekday {
		return 0, 0, 0, false
	}
	return year, month, day, true
}

func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

func (f *fields) weekDate() (year int, month time.Month, day int, ok bool) {
	week, weekday := 1, 1
	if f.week >= 0 {
		week = f.week
	}
	if f.weekday >= 0 {
		weekday = f.weekday
	}
	y := f.weekYear
	if !f.hasWYear {
		y = f.year
	}
	if week < 1 || week > 53 || weekday < 1 || weekday > 7 {
		return 0, 0, 0, false
	}
	fourth := time.Date(y, 1, 4, 0, 0, 0, 0, time.UTC) // is always in week 1
	t := fourth.AddDate(0, 0, (week-1)*7+weekday-isoWeekday(fourth))
	gotYear, gotWeek := t.ISOWeek()
	return t.Year(), t.Month(), t.Day(), gotYear == y && gotWeek == week
}
