package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainTokenizers are the tokenizers without options.
var plainTokenizers = map[string]tokenizer{
	"standard":   split(splitWords),
	"letter":     split(splitRuns(letter)),
	"lowercase":  split(splitRuns(letter)), // which a filter follows
	"whitespace": split(splitRuns(visible)),
	"keyword":    whole,
}

// tokenizer finds a tokenizer of the collection or a built-in one.
func (s *sections) tokenizer(name string) (tokenizer, error) {
	d, defined := s.Tokenizer[name]
	r := d.at("analysis.tokenizer." + name)
	kind := name
	if defined {
		kind = r.text("type", "")
	}
	switch kind {
	case "ngram", "edge_ngram":
		g := r.grams(kind == "edge_ngram")
		in := r.characters()
		return g.tokenizer(in), r.end()
	case "pattern":
		return r.matches(), r.end()
	case "char_group":
		return split(splitRuns(r.others())), r.end()
	}
	t := plainTokenizers[kind]
	if t == nil || defined && kind == "lowercase" {
		return nil, fmt.Errorf("%s: there is no tokenizer %q, or it is not supported yet; there are char_group, edge_ngram, ngram, pattern, %s", r.path, kind,
			strings.Join(slices.Sorted(maps.Keys(plainTokenizers)), ", "))
	}
	return t, r.end()
}

// characterClasses are what token_chars may name.
var characterClasses = map[string]func(rune) bool{
	"letter":      letter,
	"digit":       unicode.IsDigit,
	"whitespace":  func(c rune) bool { return !visible(c) },
	"punctuation": unicode.IsPunct,
	"symbol":      unicode.IsSymbol,
}

// characters reads the characters that words consist of, nil for all.
func (r *reading) characters() func(rune) bool {
	var classes []func(rune) bool
	for _, name := range r.list("token_chars") {
		class := characterClasses[name]
		if class == nil {
			r.fail("token_chars", "expected some of %s", strings.Join(slices.Sorted(maps.Keys(characterClasses)), ", "))
			return nil
		}
		classes = append(classes, class)
	}
	if classes == nil {
		return nil
	}
	return func(c rune) bool { return slices.ContainsFunc(classes, func(in func(rune) bool) bool { return in(c) }) }
}

// matches reads a tokenizer of what is between the matches of a pattern, or of a group in them.
func (r *reading) matches() tokenizer {
	p := r.patternOf("pattern", `\W+`)
	group := r.count("group", -1, -1, p.NumSubexp())
	return func(b *Budget, text []byte, visit func(start, end int) bool) {
		from := 0
		wanted := p.each(b, text, func(match []int) bool {
			start, end := from, match[0]
			if group >= 0 {
				start, end = match[2*group], match[2*group+1]
			}
			from = match[1]
			return start >= end || visit(start, end)
		})
		if wanted && group < 0 && from < len(text) {
			visit(from, len(text))
		}
	}
}

// others reads the characters that words end at, and gives the function that accepts all others.
func (r *reading) others() func(rune) bool {
	between := map[rune]bool{}
	var classes []func(rune) bool
	list := r.list("tokenize_on_chars")
	if len(list) == 0 {
		r.fail("tokenize_on_chars", "it is missing")
	}
	for _, name := range list {
		plain, ok := unescaped(name)
		if class := characterClasses[name]; class != nil {
			classes = append(classes, class)
		} else if c, size := utf8.DecodeRuneInString(plain); ok && size > 0 && size == len(plain) {
			between[c] = true
		} else {
			r.fail("tokenize_on_chars", "expected characters, or some of %s", strings.Join(slices.Sorted(maps.Keys(characterClasses)), ", "))
		}
	}
	return func(c rune) bool {
		return !between[c] && !slices.ContainsFunc(classes, func(in func(rune) bool) bool { return in(c) })
	}
}

// grams are parts of words by their number of characters.
type grams struct {
	least, most int
	edge        bool // at the beginning of the word only
}

const (
	// maxGram is the most characters of a part, and maxDifference how far the bounds of parts in the middle may be apart, as in
	// Elasticsearch.
	maxGram       = 64
	maxDifference = 1
)

// grams reads the bounds of parts.
func (r *reading) grams(edge bool) grams {
	g := grams{least: r.count("min_gram", 1, 1, maxGram), most: r.count("max_gram", 2, 1, maxGram), edge: edge}
	switch {
	case g.most < g.least:
		r.fail("max_gram", "it is less than min_gram")
	case !edge && g.most-g.least > maxDifference:
		r.fail("max_gram", "it is more than %d above min_gram", maxDifference)
	}
	return g
}

// tokenizer gives the parts of runs of characters, nil for the whole text, as words at positions of their own.
func (g grams) tokenizer(in func(rune) bool) tokenizer {
	return func(b *Budget, text []byte, visit func(start, end int) bool) {
		for from := 0; from < len(text); {
			end := len(text)
			if in != nil {
				for from < len(text) && !in(runeAt(text, from)) {
					from += sizeAt(text, from)
				}
				for end = from; end < len(text) && in(runeAt(text, end)); {
					end += sizeAt(text, end)
				}
			}
			if !g.each(b, text[from:end], func(start, end int) bool { return visit(from+start, from+end) }) {
				return
			}
			from = end
		}
	}
}

func runeAt(text []byte, at int) rune {
	c, _ := utf8.DecodeRune(text[at:])
	return c
}

func sizeAt(text []byte, at int) int {
	_, size := utf8.DecodeRune(text[at:])
	return size
}

// each visits the parts of a word, and tells whether all were wanted.
func (g grams) each(b *Budget, word []byte, visit func(start, end int) bool) bool {
	for start := 0; start < len(word) && b.Take(1+g.most/4); start += sizeAt(word, start) {
		for end, n := start, 1; end < len(word) && n <= g.most; n++ {
			if end += sizeAt(word, end); n >= g.least && !visit(start, end) {
				return false
			}
		}
		if g.edge {
			break
		}
	}
	return b.Err() == nil
}

// stage puts the parts of words in their places. With original a word that is too short or too long stays beside them.
func (g grams) stage(original bool) stage {
	return func(a *arena, terms [][]byte) [][]byte {
		var parts [][]byte
		add := func(part []byte) bool {
			parts = append(parts, part)
			return a.budget.word(part)
		}
		for _, term := range terms {
			n := utf8.RuneCount(term)
			if !a.budget.filter(term) || !g.each(a.budget, term, func(start, end int) bool { return add(term[start:end]) }) {
				return nil
			}
			if original && (n < g.least || n > g.most) {
				add(term)
			}
		}
		return parts
	}
}
