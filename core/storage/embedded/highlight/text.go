package highlight

import (
	"unicode/utf8"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

// text is the values of a field in one document, one behind the other, with a separator between them.
type text struct {
	chars  []rune
	values []span
	tokens []token
	// first has, for each value, the number of its first token.
	first []int
}

// span is a part of a text: the characters from from to before to.
type span struct{ from, to int }

// token is a word.
type token struct {
	span
	term     []byte
	position int
}

const (
	// separator stands between two values. It ends sentences and words.
	separator = 0
	// gap is how far two values are apart in the positions of their words, as in the index.
	gap = 100
)

// read takes values apart.
func (f *field) read(b *analysis.Budget, values []string) *text {
	t := &text{}
	next := 0
	for i, value := range values {
		if i > 0 {
			t.chars = append(t.chars, separator)
			next += gap
		}
		from := len(t.chars)
		t.chars = append(t.chars, []rune(value)...)
		t.values, t.first = append(t.values, span{from, len(t.chars)}), append(t.first, len(t.tokens))
		next = t.tokenize(b, f.analyzer, value, from, next)
	}
	return t
}

// tokenize adds the words of a value that begins at a character, and gives the position behind them.
func (t *text) tokenize(b *analysis.Budget, a *analysis.Analyzer, value string, char, position int) int {
	if a == nil {
		t.tokens = append(t.tokens, token{span{char, len(t.chars)}, []byte(value), position})
		return position + 1
	}
	at, next := 0, position
	// char is the character at byte at; words come in the order in which they begin, and those of cjk overlap.
	charAt := func(b uint32) int {
		if int(b) < at {
			return char - utf8.RuneCountInString(value[b:at])
		}
		char += utf8.RuneCountInString(value[at:b])
		at = int(b)
		return char
	}
	for _, word := range a.Tokens(b, []byte(value), nil) {
		next = position + int(word.Position) + 1
		t.tokens = append(t.tokens, token{span{charAt(word.Start), charAt(word.End)}, word.Term, next - 1})
	}
	return next
}
