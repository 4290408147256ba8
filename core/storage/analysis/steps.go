package analysis

import (
	"bytes"
	"strings"
)

// step changes the words of a whole text.
type step func(a *arena, w *words)

// words are those of a text on their way through steps.
type words struct {
	tokens []Token
	// count is how many positions there are.
	count uint32
	// end is the length of the text.
	end uint32
}

// listed makes a step of a filter that looks at one position.
func (l link) listed() step {
	return func(a *arena, w *words) {
		var list []Token
		var terms [][]byte
		for _, t := range w.tokens {
			terms = append(terms[:0], t.Term)
			if !l.stems || !t.marked {
				terms = l.each(a, terms)
			}
			for _, term := range terms {
				if !a.budget.word(term) {
					return
				}
				t.Term = term
				list = append(list, t)
			}
		}
		w.tokens = list
	}
}

// manyWords reads a filter that looks at several words or marks them, and tells whether it is one.
func (r *reading) manyWords(l *link) bool {
	switch l.kind {
	case "unique":
		l.list = unique(r.flag("only_on_same_position"))
	case "keyword_marker":
		l.list = r.marker()
	case "limit":
		r.flag("consume_all_tokens") // what is left out is read in any case
		l.list = limit(r.count("max_token_count", 1, 0, maxTermUnits))
	case "shingle":
		l.shingles = r.shingles()
		l.list, l.misfit = l.shingles.step, true
	case "synonym", "synonym_graph":
		l.rules = r.synonyms(l.kind)
	default:
		return false
	}
	return true
}

// unique drops words that were there before, at the same position or anywhere. Their positions close up.
func unique(samePosition bool) step {
	return func(a *arena, w *words) {
		seen := map[string]bool{}
		kept := w.tokens[:0]
		var lost uint32
		last := int64(-1)
		for _, t := range w.tokens {
			if !a.budget.word(t.Term) {
				return
			}
			moved := int64(t.Position) - last
			last = int64(t.Position)
			if samePosition && moved > 0 {
				clear(seen)
			}
			if seen[string(t.Term)] {
				lost += uint32(moved) //nolint:gosec // positions do not go back
				continue
			}
			seen[string(t.Term)] = true
			t.Position -= lost
			kept = append(kept, t)
		}
		w.tokens, w.count = kept, w.count-lost
	}
}

// limit drops the words after some.
func limit(most int) step {
	return func(_ *arena, w *words) {
		if len(w.tokens) <= most {
			return
		}
		w.tokens, w.count = w.tokens[:most], 0
		if most > 0 {
			w.count = w.tokens[most-1].Position + 1
		}
	}
}

// keep reads a filter that keeps some words.
func (r *reading) keep() filter {
	kept := r.wordSet("keep_words", r.flag("keep_words_case"))
	if len(kept) == 0 {
		r.fail("keep_words", "it is missing")
	}
	return func(_ *arena, term []byte) []byte {
		if kept[string(term)] {
			return term
		}
		return nil
	}
}

// wordSet reads a list of words, which are lowercased on demand.
func (r *reading) wordSet(option string, lower bool) map[string]bool {
	words := map[string]bool{}
	for _, word := range r.list(option) {
		if lower {
			word = strings.ToLower(word)
		}
		words[word] = true
	}
	return words
}

// marker reads a filter that marks words of which stemmers cut nothing off.
func (r *reading) marker() step {
	_, byPattern := r.left["keywords_pattern"]
	_, byWords := r.left["keywords"]
	if byPattern == byWords {
		r.fail("keywords", "expected either this or keywords_pattern")
	}
	anyCase := r.flag("ignore_case")
	marks := func(a *arena, term []byte) bool { return false }
	if byPattern {
		p := r.patternOf("keywords_pattern", "")
		p.Longest()
		marks = func(a *arena, term []byte) bool {
			if !p.take(a.budget, len(term)) {
				return false
			}
			found := p.FindIndex(term)
			return found != nil && found[0] == 0 && found[1] == len(term)
		}
	} else {
		words := r.wordSet("keywords", anyCase)
		marks = func(a *arena, term []byte) bool {
			if anyCase {
				term = lowercase(a, term)
			}
			return words[string(term)]
		}
	}
	return func(a *arena, w *words) {
		for i := range w.tokens {
			t := &w.tokens[i]
			if !a.budget.filter(t.Term) {
				return
			}
			t.marked = t.marked || marks(a, t.Term)
		}
	}
}

// shingles are sequences of neighbouring words.
type shingles struct {
	least, most       int
	alone             bool // the words themselves too
	separator, filler []byte
}

const (
	// maxShingle is how many words a shingle may have, maxShingleDifference how far the bounds may be apart, which is that of
	// Elasticsearch.
	maxShingle           = 32
	maxShingleDifference = 3
)

func (r *reading) shingles() *shingles {
	s := &shingles{
		least: r.count("min_shingle_size", 2, 2, maxShingle), most: r.count("max_shingle_size", 2, 2, maxShingle), alone: r.flagOr("output_unigrams", true),
		separator: []byte(r.text("token_separator", " ")), filler: []byte(r.text("filler_token", "_")),
	}
	difference := s.most - s.least
	if s.alone {
		difference++
	}
	switch {
	case s.most < s.least:
		r.fail("max_shingle_size", "it is less than min_shingle_size")
	case difference > maxShingleDifference:
		r.fail("max_shingle_size", "with output_unigrams it may be %d above min_shingle_size, without %d", maxShingleDifference-1, maxShingleDifference)
	case max(len(s.separator), len(s.filler)) > maxFiller:
		r.fail("token_separator", "it and filler_token may have %d bytes", maxFiller)
	}
	return s
}

// maxFiller is how many bytes what stands between the words of a shingle may have.
const maxFiller = 64

func (s *shingles) step(a *arena, w *words) {
	list := s.filled(w)
	w.tokens, w.count = nil, 0
	for i := range list {
		if a.budget.Err() != nil {
			return
		}
		if !s.at(a.budget, list[i:], w) {
			continue
		}
		w.count++
	}
}

// filled puts fillers, which have no term, where words were left out.
func (s *shingles) filled(w *words) []Token {
	var list []Token
	next := uint32(0)
	for _, t := range w.tokens {
		for n := 0; next < t.Position; next, n = next+1, n+1 {
			if n < s.most-1 {
				list = append(list, Token{Start: t.Start, End: t.Start})
			}
		}
		next = t.Position + 1
		list = append(list, t)
	}
	return s.trailing(list, w, next)
}

// trailing appends the fillers of words that were left out at the end.
func (s *shingles) trailing(list []Token, w *words, next uint32) []Token {
	if len(w.tokens) == 0 {
		return nil
	}
	for n := 0; next < w.count && n < s.most-1; next, n = next+1, n+1 {
		list = append(list, Token{Start: w.end, End: w.end})
	}
	return list
}

// at adds what begins with the first of list, and tells whether there is something.
func (s *shingles) at(b *Budget, list []Token, w *words) bool {
	had := len(w.tokens)
	term, real := []byte{}, false
	for i, t := range list[:min(len(list), s.most)] {
		if !b.Take(1 + (len(s.separator)+len(s.filler)+len(t.Term))/2) {
			return false
		}
		if i > 0 {
			term = append(term, s.separator...)
		}
		if t.Term == nil {
			term = append(term, s.filler...)
		} else {
			term, real = append(term, t.Term...), true
		}
		if size := i + 1; real && (size >= s.least || size == 1 && s.alone) {
			kind := Written
			if size > 1 {
				kind = Shingle
			}
			if !b.Take(wordWork + len(term)) {
				return false
			}
			w.tokens = append(w.tokens, Token{
				Term: bytes.Clone(term), Position: w.count, Start: list[0].Start, End: t.End, Kind: kind, marked: list[0].marked,
			})
		}
	}
	return len(w.tokens) > had
}
