package analysis

import (
	"bytes"
	"errors"
	"slices"
)

// synonyms puts other words beside or in place of those that rules name. The longest rule counts, from left to right. The words
// of several that stand for one take its position and those that follow, where other words may stand too, as the filter synonym of
// Elasticsearch has it.
type synonyms struct {
	root *synonym
	// budget is that of the rules while they are read.
	budget *Budget
	size   int
	// graph says that a word stands beside several, which phrases in a query would need to know.
	graph bool
	// before puts the words of a rule before the one that it names, and closes the gap of words that were left out, as synonym_graph does.
	before bool
}

// synonym is what a sequence of words stands for, and the sequences that go on after it.
type synonym struct {
	next    map[string]*synonym
	phrases [][][]byte
	// kept says that the words themselves stay.
	kept bool
}

var errSynonyms = errors.New("the rules stand for more than 100,000 words: write fewer alternatives in one rule")

func (s *synonyms) all(from, to [][][]byte, kept bool) error {
	for _, phrase := range from {
		for _, other := range to {
			if err := s.add(phrase, other, kept); err != nil {
				return err
			}
		}
	}
	return nil
}

// add makes one phrase stand for another.
func (s *synonyms) add(from, to [][]byte, kept bool) error {
	if s.size += len(to); s.size > maxSynonyms {
		return errSynonyms
	}
	if !s.budget.Take(wordWork * (len(from) + len(to))) {
		return errAllSynonyms
	}
	at := s.root
	for _, term := range from {
		if at.next == nil {
			at.next = map[string]*synonym{}
		}
		if at.next[string(term)] == nil {
			at.next[string(term)] = &synonym{}
		}
		at = at.next[string(term)]
	}
	at.kept = at.kept || kept
	s.budget.Take(len(at.phrases) / 4)
	same := func(other [][]byte) bool { return slices.EqualFunc(to, other, bytes.Equal) }
	if !slices.ContainsFunc(at.phrases, same) {
		at.phrases = append(at.phrases, to)
	}
	s.graph = s.graph || at.kept && len(from) > 1
	return nil
}

// step puts the words of the rules among those of a text.
func (s *synonyms) step(a *arena, w *words) {
	p := placed{budget: a.budget, w: w, from: w.tokens, before: s.before}
	trailing := w.count
	if n := len(w.tokens); n > 0 {
		trailing -= w.tokens[n-1].Position + 1
	}
	w.tokens, w.count = nil, 0
	for len(p.from) > 0 && a.budget.Err() == nil {
		found, n := s.longest(a.budget, p.from)
		if found == nil {
			p.next(nil)
			continue
		}
		p.add(found, n)
		for range n {
			p.next(found)
		}
	}
	for len(p.ahead) > 0 && a.budget.Err() == nil {
		p.beyond()
	}
	w.count += trailing
}

// longest finds the rule for the most words that tokens begin with.
func (s *synonyms) longest(b *Budget, tokens []Token) (found *synonym, n int) {
	at := s.root
	for i, t := range tokens {
		if at = at.next[string(t.Term)]; at == nil || !b.Take(4+len(t.Term)/2) {
			break
		}
		if at.phrases != nil {
			found, n = at, i+1
		}
	}
	return found, n
}

// placed are words on their way through a rule.
type placed struct {
	budget *Budget
	w      *words
	before bool
	from   []Token
	read   uint32 // positions up to the last word that was read
	last   Token
	// ahead are the words of rules for the words to come, the first of them for the next one.
	ahead [][]Token
}

// add puts what a rule for n words stands for ahead.
func (p *placed) add(found *synonym, n int) {
	for _, phrase := range found.phrases {
		for i, term := range phrase {
			if !p.budget.word(term) {
				return
			}
			for len(p.ahead) <= i {
				p.ahead = append(p.ahead, nil)
			}
			t := Token{Term: term, Kind: Synonym}
			if len(phrase) == 1 {
				t.End = p.from[n-1].End
			}
			p.ahead[i] = append(p.ahead[i], t)
		}
	}
}

// next takes a word over, unless the rule leaves it out, and what was put ahead for its place.
func (p *placed) next(found *synonym) {
	t := p.from[0]
	moved := t.Position + 1 - p.read
	p.from, p.read, p.last = p.from[1:], t.Position+1, t
	list := []Token{t}
	if found != nil && !found.kept {
		list = nil
	}
	if found != nil && (p.before || !found.kept) {
		moved = 1
	}
	if len(p.ahead) > 0 {
		others := p.ahead[0]
		p.ahead = p.ahead[1:]
		for i := range others {
			if others[i].Start = t.Start; others[i].End == 0 {
				others[i].End = t.End
			}
		}
		if p.before {
			list = append(others, list...)
		} else {
			list = append(list, others...)
		}
	}
	p.put(list, moved)
}

// beyond takes over what stands after the last word.
func (p *placed) beyond() {
	others := p.ahead[0]
	p.ahead = p.ahead[1:]
	for i := range others {
		others[i].Start, others[i].End = p.last.Start, p.last.End
	}
	p.put(others, 1)
}

// put appends words of one place that is so many positions after the one before.
func (p *placed) put(list []Token, moved uint32) {
	if len(list) == 0 {
		return
	}
	p.w.count += moved
	for _, t := range list {
		if !p.budget.word(t.Term) {
			return
		}
		t.Position = max(p.w.count, 1) - 1
		p.w.tokens = append(p.w.tokens, t)
	}
}
