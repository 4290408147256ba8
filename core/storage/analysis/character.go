package analysis

import (
	"unicode"
	"unicode/utf8"
)

// splitRuns gives a splitter whose words are runs of the characters that in accepts.
func splitRuns(in func(rune) bool) splitter {
	return func(text []byte, from int) (int, int, kind) {
		start := from
		for start < len(text) {
			r, size := utf8.DecodeRune(text[start:])
			if in(r) {
				break
			}
			start += size
		}
		end, units := start, 0
		for end < len(text) && units < maxWord {
			r, size := utf8.DecodeRune(text[end:])
			if !in(r) {
				break
			}
			end += size
			units += 1 + size/utf8.UTFMax
		}
		return start, end, word
	}
}

// letter reports whether r is a letter as Java sees it.
func letter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	return unicode.IsLetter(r)
}

// visible reports whether r is no white space as Java sees it, for which spaces that do not break lines are none.
func visible(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r > ' ' || r < '\t' || r > '\r' && r < 0x1c
	case r == 0xa0 || r == 0x2007 || r == 0x202f:
		return true
	}
	return !unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp)
}
