package analysis

import (
	"bytes"
	"maps"
	"slices"
)

// Token is one word of a text.
type Token struct {
	// Term is a slice of the text where the word stands there as it is, and of memory of its own otherwise. It must not be
	// changed, and is valid as long as the text is.
	Term []byte
	// Position counts words from 0. Words that the analyzer leaves out count too, so that a phrase does not match across them.
	Position uint32
	// Start and End are where the word stands in the text, in bytes. A word that was changed may be longer than what stands there.
	Start, End uint32
	Kind       TokenKind
	// marked says that the word keeps its ending: a filter marked it as a keyword.
	marked bool
}

// TokenKind says where a word comes from.
type TokenKind uint8

// The kinds.
const (
	Written TokenKind = iota // it stands in the text
	Synonym                  // a rule added it
	Shingle                  // several words were joined
)

// Analyzer takes texts apart. It is safe for concurrent use.
type Analyzer struct {
	// split is nil when the whole text is one word, even an empty one.
	split   splitter
	filters []filter
	// spaced makes spaces of characters before the text is split.
	spaced func(text []byte) []byte
	// paired gives Chinese, Japanese and Korean in pairs of characters, and leaves out the words of stop.
	paired bool
	stop   map[string]bool
	// normal is what Normalize does. Without it that is lowercase when there are filters.
	normal []filter
	// custom does it all when it is not nil.
	custom *custom
}

// splitter finds the first word of text that does not begin before from: text[start:end]. start is len(text) when there is none.
type splitter func(text []byte, from int) (start, end int, k kind)

// filter changes a word, or drops it by giving nil. It must not write to term: a changed word goes to a.
type filter func(a *arena, term []byte) []byte

// kind is what a word consists of.
type kind uint8

const (
	word kind = iota
	number
	katakana
	hiragana
	han
	hangul
	complexScript
	emoji
)

// Tokens appends the words of text, which must be UTF-8, to dst. They mean nothing when b is used up then.
func (a *Analyzer) Tokens(b *Budget, text []byte, dst []Token) []Token {
	dst, _ = a.Words(b, text, dst)
	return dst
}

// Words is Tokens, and tells how many positions there are, those at the end that words were left out at too.
func (a *Analyzer) Words(b *Budget, text []byte, dst []Token) ([]Token, uint32) {
	if !b.Take(wordWork + len(text)) {
		return dst, 0
	}
	if a.custom != nil {
		return a.custom.tokens(b, text, dst)
	}
	dst, count := a.builtIn(b, text, dst)
	b.Take(wordWork * int(count))
	return dst, count
}

func (a *Analyzer) builtIn(b *Budget, text []byte, dst []Token) ([]Token, uint32) {
	if a.split == nil {
		return append(dst, Token{Term: text, End: uint32(len(text))}), 1 //nolint:gosec // no text is that long
	}
	if a.spaced != nil {
		text = a.spaced(text)
	}
	if a.paired {
		return a.pairs(b, text, dst)
	}
	mem := arena{budget: b, size: len(text)}
	var position uint32
	for from := 0; ; position++ {
		start, end, _ := a.split(text, from)
		if start == len(text) {
			return dst, position
		}
		if term := a.filter(&mem, text[start:end]); term != nil {
			dst = append(dst, Token{Term: term, Position: position, Start: uint32(start), End: uint32(end)}) //nolint:gosec // no text is that long
		}
		from = end
	}
}

// AtOnePlace gives how many of tokens, of which there is one at least, stand where the first one does: they are alternatives.
func AtOnePlace(tokens []Token) int {
	n := 1
	for n < len(tokens) && tokens[n].Position == tokens[0].Position {
		n++
	}
	return n
}

// Graph reports whether a word may stand beside several others, as synonyms do of which one side has more words than the other. No
// list of positions says where such words end, so that a query cannot ask for all of them.
func (a *Analyzer) Graph() bool { return a.custom != nil && a.custom.graph }

// Shingles gives how many words are joined at most, 1 when none are, and whether the words themselves are given too.
func (a *Analyzer) Shingles() (most int, alone bool) {
	if a.custom == nil || a.custom.shingles == nil {
		return 1, true
	}
	return a.custom.shingles.most, a.custom.shingles.alone
}

func (a *Analyzer) filter(mem *arena, term []byte) []byte {
	for _, f := range a.filters {
		if term = f(mem, term); term == nil {
			return nil
		}
	}
	return term
}

// arena is where changed words are kept. It is allocated when the first word changes.
type arena struct {
	budget *Budget
	size   int
	free   []byte
}

// take gives an empty slice to which n bytes can be appended.
func (a *arena) take(n int) []byte {
	if a.free == nil || cap(a.free) < n {
		a.free = make([]byte, 0, max(n, a.size))
	}
	return a.free[:0:n]
}

// keep gives what was appended to a slice from take its place for good.
func (a *arena) keep(term []byte) []byte {
	n := len(term)
	a.free = a.free[n:n:cap(a.free)]
	a.size -= n
	return term[:n:n]
}

// Named gives the analyzer with one of Names.
func Named(name string) (*Analyzer, bool) {
	a, ok := analyzers[name]
	return a, ok
}

// joinersToSpaces splits Persian words at the zero-width non-joiner, which stands before suffixes. What follows stays where it is.
func joinersToSpaces(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte("\u200C"), []byte("   "))
}

// Names lists the analyzers, sorted.
func Names() []string { return slices.Sorted(maps.Keys(analyzers)) }
