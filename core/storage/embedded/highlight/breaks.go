package highlight

import (
	"slices"
	"sort"
	"unicode"
)

// breaker finds where passages begin and end.
type breaker struct {
	text *text
	// most is about how long a passage is, 0 for whole values, sentences or words.
	most  int
	main  borders
	words borders // nil until they are needed
	// window is the sentences that the last passage is from, passage what it is of them.
	window, passage span
}

// borders are the places where a text can be cut, in order.
type borders []int

// after gives the first border behind a place.
func (b borders) after(at int) int {
	i, _ := slices.BinarySearch(b, at+1)
	return b[min(i, len(b)-1)]
}

// before gives the last border before a place.
func (b borders) before(at int) int {
	i, _ := slices.BinarySearch(b, at)
	return b[max(i-1, 0)]
}

// borders gives the beginnings and the ends of all values, and what next finds in them.
func (t *text) borders(next func(from, end int) int) borders {
	var list borders
	for _, v := range t.values {
		list = append(list, v.from)
		for at := v.from; at < v.to; {
			at = next(at, v.to)
			list = append(list, at)
		}
	}
	return list
}

func newBreaker(t *text, f *field) *breaker {
	switch {
	case f.Fragments == 0:
		return &breaker{text: t, main: t.borders(func(_, end int) int { return end })}
	case f.ByWord:
		return &breaker{text: t, main: t.borders(t.wordEnd)}
	}
	return &breaker{text: t, most: f.FragmentSize, main: t.borders(t.sentenceAfter)}
}

// around gives the passage for a match. Matches come in order.
func (b *breaker) around(from, to int) span {
	if b.most == 0 {
		b.passage = span{max(b.passage.to, b.main.before(from+1)), max(to, b.main.after(to-1))}
		return b.passage
	}
	offset, last := max(from+1, (from+to)/2), b.passage.to
	if offset > b.window.from && offset < b.window.to {
		b.passage = span{b.passage.to, b.window.to}
	} else {
		b.window = span{b.main.before(offset), b.main.after(offset - 1)}
		for value := b.text.valueEnd(from); b.window.to-b.window.from < b.most && b.window.to < value; {
			end := b.main.after(b.window.to)
			if end-b.window.from > b.most {
				break
			}
			b.window.to = end
		}
		b.passage = b.window
	}
	if b.passage.to-b.passage.from > b.most {
		b.shorten(offset)
	}
	b.passage = span{min(max(b.passage.from, last), from), max(b.passage.to, to)}
	return b.passage
}

// valueEnd gives the end of the value that a character is in.
func (t *text) valueEnd(at int) int {
	i := sort.Search(len(t.values), func(i int) bool { return t.values[i].to >= at })
	return t.values[i].to
}

// shorten makes a passage of a long sentence: it begins with a word that is not too far before the match.
func (b *breaker) shorten(offset int) {
	if b.words == nil {
		b.words = b.text.borders(b.text.wordEnd)
	}
	if offset-b.most > b.passage.from {
		b.passage.from = max(b.passage.from, b.words.before(offset-b.most))
	}
	rest := max(0, b.most-(offset-b.passage.from))
	if offset+rest < b.window.to {
		b.passage.to = min(b.window.to, b.words.after(offset+rest))
	} else {
		b.passage.to = b.window.to
	}
}

// sentenceAfter gives the end of the sentence that begins at a place: behind marks and the spaces that follow them. After a
// full stop it is one only when what follows can begin a sentence.
func (t *text) sentenceAfter(from, end int) int {
	for i := from; i < end; i++ {
		if !ends(t.chars[i]) && !stops(t.chars[i]) {
			continue
		}
		border, ok := t.sentenceEnd(i, end)
		if ok {
			return border
		}
		i = max(i, border-1)
	}
	return end
}

// sentenceEnd reports whether the mark at a place ends a sentence, and where what follows begins.
func (t *text) sentenceEnd(i, end int) (int, bool) {
	sure := false
	for ; i < end && (ends(t.chars[i]) || stops(t.chars[i])); i++ {
		sure = sure || ends(t.chars[i])
	}
	for i < end && closes(t.chars[i]) {
		i++
	}
	spaces := i
	for i < end && unicode.IsSpace(t.chars[i]) {
		i++
	}
	if sure {
		return i, true
	}
	if i == spaces || i == end {
		return i, i == end
	}
	begin := i
	for begin < end && opens(t.chars[begin]) {
		begin++
	}
	return i, begin < end && unicode.IsLetter(t.chars[begin]) && !unicode.IsLower(t.chars[begin])
}

func ends(r rune) bool  { return r == '!' || r == '?' || r == '。' || r == '！' || r == '？' }
func stops(r rune) bool { return r == '.' || r == '．' }

func closes(r rune) bool {
	return r == '"' || r == '\'' || unicode.In(r, unicode.Pe, unicode.Pf)
}

func opens(r rune) bool {
	return r == '"' || r == '\'' || unicode.In(r, unicode.Ps, unicode.Pi)
}

// wordEnd gives the end of the word that begins at a place. Marks and spaces are words of one character.
func (t *text) wordEnd(from, end int) int {
	for from+1 < end && t.joined(from) {
		from++
	}
	return from + 1
}

// joined reports whether a character and the next one are of one word.
func (t *text) joined(i int) bool {
	if i+1 >= len(t.chars) {
		return false
	}
	a, b := t.chars[i], t.chars[i+1]
	switch {
	case inWord(a) && inWord(b):
		return true
	case inWord(a) && joins(b):
		return i+2 < len(t.chars) && inWord(t.chars[i+2])
	case joins(a) && inWord(b):
		return i > 0 && inWord(t.chars[i-1])
	}
	return false
}

func inWord(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.M) || r == '_' }

// joins are the marks that can stand inside of a word.
func joins(r rune) bool {
	return r == '.' || r == '\'' || r == '"' || r == '\u00AD' || unicode.Is(unicode.Pd, r)
}
