package analysis

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// lowercase changes one character for one, as Elasticsearch does: ẞ becomes ß and not ss.
func lowercase(a *arena, term []byte) []byte {
	i := 0
	for i < len(term) && term[i] < utf8.RuneSelf && (term[i] < 'A' || term[i] > 'Z') {
		i++
	}
	if i == len(term) {
		return term
	}
	out := append(a.take(len(term)+len(term)/2+utf8.UTFMax), term[:i]...)
	for i < len(term) {
		if b := term[i]; b < utf8.RuneSelf {
			if 'A' <= b && b <= 'Z' {
				b += 'a' - 'A'
			}
			out = append(out, b)
			i++
			continue
		}
		r, size := utf8.DecodeRune(term[i:])
		out = utf8.AppendRune(out, unicode.ToLower(r))
		i += size
	}
	return a.keep(out)
}

// stopWords drops words.
func stopWords(words map[string]bool) filter {
	return func(_ *arena, term []byte) []byte {
		if words[string(term)] {
			return nil
		}
		return term
	}
}

// possessive cuts off an English 's.
func possessive(_ *arena, term []byte) []byte {
	if n := len(term); n == 0 || term[n-1]|0x20 != 's' {
		return term
	}
	stem := term[:len(term)-1]
	for _, apostrophe := range []string{"'", "’", "＇"} {
		if cut, ok := bytes.CutSuffix(stem, []byte(apostrophe)); ok {
			return cut
		}
	}
	return term
}
