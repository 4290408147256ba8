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

// elision cuts off an article that an apostrophe joins to the word. With anyCase articles are in lower case.
func elision(articles map[string]bool, anyCase bool) filter {
	return func(a *arena, term []byte) []byte {
		for i, size := 0, 0; i < len(term); i += size {
			var r rune
			if r, size = utf8.DecodeRune(term[i:]); r != '\'' && r != '’' {
				continue
			}
			if articles[string(term[:i])] || anyCase && articles[string(bytes.ToLower(term[:i]))] {
				return term[i+size:]
			}
			break
		}
		return term
	}
}

// apostrophe cuts off an apostrophe and what follows it, which is a suffix in Turkish.
func apostrophe(_ *arena, term []byte) []byte {
	if i := bytes.IndexAny(term, "'’"); i >= 0 {
		return term[:i]
	}
	return term
}

// turkishLowercase is lowercase but for the Turkish I, whose dot is told apart.
func turkishLowercase(a *arena, term []byte) []byte {
	if !bytes.ContainsAny(term, "Iİ\u0307") {
		return lowercase(a, term)
	}
	out := a.take(2*len(term) + utf8.UTFMax)
	afterI := false
	for i := 0; i < len(term); {
		r, size := utf8.DecodeRune(term[i:])
		i += size
		if afterI && r == '\u0307' {
			continue
		}
		switch {
		case r == 'I' && dotFollows(term[i:]):
			r, afterI = 'i', true
		case r == 'I':
			r, afterI = 'ı', false
		default:
			afterI = afterI && unicode.Is(unicode.Mn, r)
			r = unicode.ToLower(r)
		}
		out = utf8.AppendRune(out, r)
	}
	return a.keep(out)
}

// dotFollows reports whether a dot above stands in the marks at the beginning of rest.
func dotFollows(rest []byte) bool {
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		if r == '\u0307' {
			return true
		}
		if !unicode.Is(unicode.Mn, r) {
			return false
		}
		rest = rest[size:]
	}
	return false
}

// decimals writes the digits of every script as 0 to 9.
func decimals(a *arena, term []byte) []byte {
	if !bytes.ContainsFunc(term, foreignDigit) {
		return term
	}
	out := a.take(len(term))
	for i := 0; i < len(term); {
		r, size := utf8.DecodeRune(term[i:])
		if foreignDigit(r) {
			r = '0' + digit(r)
		}
		out = utf8.AppendRune(out, r)
		i += size
	}
	return a.keep(out)
}

func foreignDigit(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unicode.Nd, r) }

// digit gives the value of a digit. Unicode keeps those of a script together, from 0 on; only the last block has several sets
// without a gap.
func digit(r rune) rune {
	if 0x1D7CE <= r && r <= 0x1D7FF {
		return (r - 0x1D7CE) % 10
	}
	first := r
	for unicode.Is(unicode.Nd, first-1) {
		first--
	}
	return (r - first) % 10
}

// withoutYo writes е for ё, as the Russian stemmer expects.
func withoutYo(a *arena, term []byte) []byte {
	if !bytes.Contains(term, []byte("ё")) {
		return term
	}
	return a.keep(append(a.take(len(term)), bytes.ReplaceAll(term, []byte("ё"), []byte("е"))...))
}

// spanishAccents applies remove to the words that the Spanish stemmer does not leave alone for being short.
func spanishAccents(remove filter) filter {
	return func(a *arena, term []byte) []byte {
		if utf8.RuneCount(term) < 5 {
			return term
		}
		return remove(a, term)
	}
}
