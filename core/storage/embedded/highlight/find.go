package highlight

import (
	"cmp"
	"context"
	"slices"
)

// match is where something was found.
type match struct {
	span
	clause int
	// tokens are the numbers of the words it consists of.
	tokens []int
}

// find gives what was found in a text by the clauses that match, by where it begins.
func (w *words) find(ctx context.Context, t *text) ([]match, error) {
	found := make([][]match, len(w.keys))
	for i, token := range t.tokens {
		if i%checkTokens == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for _, l := range w.terms[string(token.term)] {
			found[l] = append(found[l], match{token.span, w.keys[l], []int{i}})
		}
		for _, p := range w.patterns {
			if p.accepts(token.term) {
				found[p.clause] = append(found[p.clause], match{token.span, w.keys[p.clause], []int{i}})
			}
		}
	}
	for _, p := range w.phrases {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		phrases := p.find(t, w.apart)
		if w.apart {
			phrases = t.apart(phrases)
		}
		found[p.clause] = phrases
	}
	matches := w.shown(found)
	slices.SortStableFunc(matches, func(a, b match) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return matches, nil
}

// shown gives what counts of what was found.
func (w *words) shown(found [][]match) []match {
	if w.apart {
		return slices.Concat(found...)
	}
	_, matches := w.root.judge(found)
	return matches
}

const (
	// checkTokens is how many words are looked at between two looks at the context.
	checkTokens = 1024
	// maxCandidates is how many words of a text are tried for a phrase; what stands behind them is not shown.
	maxCandidates = 1 << 16
)

// apart gives the words of phrases, each once.
func (t *text) apart(phrases []match) []match {
	var list []match
	seen := map[int]bool{}
	for _, m := range phrases {
		for _, number := range m.tokens {
			if !seen[number] {
				seen[number] = true
				list = append(list, match{t.tokens[number].span, m.clause, []int{number}})
			}
		}
	}
	return list
}

// candidate is a word that may stand at a place of a phrase. at is where the phrase would begin.
type candidate struct{ at, place, token int }

// find gives where a phrase stands: words for all places, of which the phrases would begin at most slop positions apart. It
// goes through the candidates by where the phrase would begin, and remembers the last one for each place. When every word is
// wanted that is part of a phrase, it goes back again too.
func (p *phrase) find(t *text, every bool) []match {
	var list []candidate
	for i, token := range t.tokens {
		for number, place := range p.places {
			if len(list) < maxCandidates && place.accepts(token.term) {
				list = append(list, candidate{token.position - place.offset, number, i})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.token, b.token)) })
	found := p.follow(t, list, every)
	if every {
		slices.Reverse(list)
		found = append(found, p.follow(t, list, every)...)
	}
	return found
}

// follow gives what the candidates are complete with. Unless every one is wanted a word is part of one phrase only.
func (p *phrase) follow(t *text, list []candidate, every bool) []match {
	var found []match
	last := make([]*candidate, len(p.places))
	for i := range list {
		last[list[i].place] = &list[i]
		if m, ok := p.complete(t, last); ok {
			found = append(found, m)
			if !every {
				clear(last)
			}
		}
	}
	return found
}

// complete gives the match of one candidate for each place, when they are near enough and different words.
func (p *phrase) complete(t *text, last []*candidate) (match, bool) {
	if slices.Contains(last, nil) {
		return match{}, false
	}
	m := match{span: span{len(t.chars), 0}, clause: int(p.clause)}
	first, furthest := last[0].at, last[0].at
	for _, c := range last {
		first, furthest = min(first, c.at), max(furthest, c.at)
	}
	if furthest-first > p.slop {
		return match{}, false
	}
	for _, c := range last {
		if slices.Contains(m.tokens, c.token) {
			return match{}, false
		}
		m.tokens = append(m.tokens, c.token)
		m.from, m.to = min(m.from, t.tokens[c.token].from), max(m.to, t.tokens[c.token].to)
	}
	return m, true
}
