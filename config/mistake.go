package config

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Mistake is one wrong setting. Load and Validate join all they find, so errors.As gives the first one; Mistakes gives all.
type Mistake struct {
	// Path is the key, such as "server.port", or what stands in its place: an unknown key or variable.
	Path string
	// Problem says what is wrong. It never shows a secret or a plugin's setting.
	Problem string
	// Want says what would be right.
	Want string
	// Source says where the value was set: file and line, variable or flag. Empty when that is not known.
	Source string
}

func (m *Mistake) Error() string {
	text := m.Path + ": " + m.Problem
	if m.Want != "" {
		text += "; " + m.Want
	}
	if m.Source != "" {
		text += " (" + m.Source + ")"
	}
	return text
}

// Mistakes lists the mistakes in an error of Load or Validate, in their order. It is empty for any other error.
func Mistakes(err error) []*Mistake {
	switch e := err.(type) { //nolint:errorlint // it takes the joined error apart itself
	case *Mistake:
		return []*Mistake{e}
	case interface{ Unwrap() []error }:
		var all []*Mistake
		for _, inner := range e.Unwrap() {
			all = append(all, Mistakes(inner)...)
		}
		return all
	case interface{ Unwrap() error }:
		return Mistakes(e.Unwrap())
	default:
		return nil
	}
}

// nearest is the known name that text was probably meant to be, "" when none is close. A name with the same last word is
// close, however much lies in front of it: keys of other servers differ in their sections.
func nearest(text string, known []string) string {
	best, bestDistance := "", max(2, len(text)/3)+1
	for _, name := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(text), strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	if best != "" {
		return best
	}
	bestDistance = -1
	for _, name := range known {
		d := levenshtein.ComputeDistance(strings.ToLower(text), strings.ToLower(name))
		if strings.EqualFold(lastWord(text), lastWord(name)) && (bestDistance < 0 || d < bestDistance) {
			best, bestDistance = name, d
		}
	}
	return best
}

func lastWord(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
