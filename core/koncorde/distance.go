package koncorde

import (
	"fmt"
	"math"
	"strings"
)

// siPrefixes hold short and long names. Case is ignored, so M for mega is not known: it would be m for milli.
var siPrefixes = []struct {
	short, long string
	factor      float64
}{
	{"", "", 1},
	{"da", "deca", 1e1},
	{"h", "hecto", 1e2},
	{"k", "kilo", 1e3},
	{"", "mega", 1e6},
	{"g", "giga", 1e9},
	{"t", "tera", 1e12},
	{"d", "deci", 1e-1},
	{"c", "centi", 1e-2},
	{"m", "milli", 1e-3},
	{"u", "micro", 1e-6},
	{"µ", "micro", 1e-6},
	{"n", "nano", 1e-9},
}

// imperialUnits are in metres, by all their names.
var imperialUnits = []struct {
	names  []string
	metres float64
}{
	{[]string{"in", "inch", "inches"}, 0.0254},
	{[]string{"ft", "foot", "feet"}, 0.3048},
	{[]string{"yd", "yard", "yards"}, 0.9144},
	{[]string{"mi", "mile", "miles"}, 1609.344},
}

// parseDistance gives the metres of a text such as '1 km', '1,5-mi' or '200'. Blanks and hyphens do not count, a comma is
// a decimal point, case is ignored, and no unit means metres.
func parseDistance(text string) (float64, error) {
	s := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n', '-', '\u00a0':
			return -1
		case ',':
			return '.'
		case 'μ': // the Greek letter, which looks like the micro sign
			return 'µ'
		}
		return r
	}, strings.ToLower(text))
	unit := strings.TrimLeft(s, "0123456789.")
	amount, ok := parseDecimalText(strings.TrimSuffix(s, unit))
	factor, known := metresPer(unit)
	metres := amount * factor
	if !ok || !known || math.IsInf(metres, 0) {
		return 0, fmt.Errorf("%q is not a distance such as \"10km\"", text)
	}
	return metres, nil
}

func metresPer(unit string) (float64, bool) {
	if unit == "" {
		return 1, true
	}
	for _, u := range imperialUnits {
		for _, name := range u.names {
			if unit == name {
				return u.metres, true
			}
		}
	}
	for _, p := range siPrefixes {
		short := unit == p.short+"m" && (p.short != "" || p.long == "")
		rest, long := strings.CutPrefix(unit, p.long)
		if short || long && isMetre(rest) {
			return p.factor, true
		}
	}
	return 0, false
}

func isMetre(s string) bool {
	s = strings.TrimSuffix(s, "s")
	return s == "metre" || s == "meter"
}

// IsDistance reports whether a text is a distance such as "10km".
func IsDistance(text string) bool {
	_, err := parseDistance(text)
	return err == nil
}
