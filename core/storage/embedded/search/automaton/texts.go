package automaton

import (
	"fmt"
	"unicode/utf8"
)

// maxText is how many bytes a text may have that is looked for by an automaton, as many as one that is indexed.
const maxText = 32766

func tooLong(text string) error {
	if len(text) <= maxText {
		return nil
	}
	return fmt.Errorf("%w: it has %d bytes, and may have %d, since no indexed text is longer", ErrTooComplex, len(text), maxText)
}

// Wildcard accepts what a pattern describes: * is any text, ? any one character, and \ takes the meaning from the character
// behind it. fold ignores the case of ASCII letters, as Elasticsearch does.
func Wildcard(pattern string, fold bool) (*Automaton, error) {
	if err := tooLong(pattern); err != nil {
		return nil, err
	}
	e := newExpressions()
	var parts []id
	for i := 0; i < len(pattern); {
		r, size := utf8.DecodeRuneInString(pattern[i:])
		i += size
		switch {
		case r == '*':
			parts = append(parts, e.all)
		case r == '?':
			parts = append(parts, e.anyRune())
		case r == '\\' && i < len(pattern):
			r, size = utf8.DecodeRuneInString(pattern[i:])
			i += size
			fallthrough
		default:
			parts = append(parts, e.char(r, fold))
		}
	}
	return e.build(e.sequence(parts), MaxStates)
}

// Folded accepts a text in any case of its ASCII letters, and with prefix whatever begins with it.
func Folded(text string, prefix bool) (*Automaton, error) {
	if err := tooLong(text); err != nil {
		return nil, err
	}
	e := newExpressions()
	var parts []id
	for _, r := range text {
		parts = append(parts, e.char(r, true))
	}
	if prefix {
		parts = append(parts, e.all)
	}
	return e.build(e.sequence(parts), MaxStates)
}

func (e *expressions) sequence(parts []id) id {
	n := e.empty
	for i := len(parts) - 1; i >= 0; i-- {
		n = e.concat(parts[i], n)
	}
	return n
}

func (e *expressions) char(r rune, fold bool) id {
	switch {
	case !fold:
	case r >= 'a' && r <= 'z':
		return e.union(e.runes(r, r), e.runes(r-'a'+'A', r-'a'+'A'))
	case r >= 'A' && r <= 'Z':
		return e.union(e.runes(r, r), e.runes(r-'A'+'a', r-'A'+'a'))
	}
	return e.runes(r, r)
}
