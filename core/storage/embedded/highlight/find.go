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

// finding is the search for words in one text.
type finding struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call of find, and ends it
	// work counts the bytes that were compared since the context was looked at, kept the words that all matches consist of.
	work, kept int
}

// worked counts bytes that are compared. It fails when the context ended.
func (f *finding) worked(bytes int) error {
	if f.work += bytes; f.work < checkBytes {
		return nil
	}
	f.work = 0
	return f.ctx.Err()
}

// keep counts the words of matches. It fails when there are too many.
func (f *finding) keep(words int) error {
	if f.kept += words; f.kept > maxFound {
		return refuse("highlight: the clauses find more than %d words in one field of a document: ask for fewer, or set max_analyzed_offset to look at its beginning only", maxFound)
	}
	return nil
}

// find gives what was found in a text by the clauses that match, by where it begins.
func (w *words) find(ctx context.Context, t *text) ([]match, error) {
	f := &finding{ctx: ctx}
	found := make([][]match, len(w.keys))
	for i := range t.tokens {
		if err := w.findAt(f, t, i, found); err != nil {
			return nil, err
		}
	}
	for _, p := range w.phrases {
		phrases, err := p.find(f, t, w.apart)
		if err != nil {
			return nil, err
		}
		if w.apart {
			phrases = t.apart(phrases)
		}
		found[p.clause] = phrases
	}
	matches := w.shown(found)
	slices.SortStableFunc(matches, func(a, b match) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return matches, ctx.Err()
}

// findAt adds what the clauses for one word find in a word of a text.
func (w *words) findAt(f *finding, t *text, number int, found [][]match) error {
	token := &t.tokens[number]
	add := func(l leaf) error {
		found[l] = append(found[l], match{token.span, w.keys[l], []int{number}})
		return f.keep(1)
	}
	for _, l := range w.terms[string(token.term)] {
		if err := add(l); err != nil {
			return err
		}
	}
	for _, p := range w.patterns {
		if err := f.worked(1 + len(token.term)); err != nil {
			return err
		}
		if p.accepts(token.term) {
			if err := add(p.clause); err != nil {
				return err
			}
		}
	}
	return f.worked(1 + len(token.term))
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
	// checkBytes is how many bytes are compared between two looks at the context.
	checkBytes = 1 << 20
	// maxFound is how many words the clauses may find in one text, a word that several find as often as it is found.
	maxFound = 1 << 20
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
func (p *phrase) find(f *finding, t *text, every bool) ([]match, error) {
	var list []candidate
	for i, token := range t.tokens {
		if len(list) == maxCandidates {
			break
		}
		for number, place := range p.places {
			if err := f.worked(1 + len(token.term)); err != nil {
				return nil, err
			}
			if len(list) < maxCandidates && place.accepts(token.term) {
				list = append(list, candidate{token.position - place.offset, number, i})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.token, b.token)) })
	found, err := p.follow(f, t, list, every)
	if err != nil || !every {
		return found, err
	}
	slices.Reverse(list)
	backwards, err := p.follow(f, t, list, every)
	return append(found, backwards...), err
}

// follow gives what the candidates are complete with. Unless every one is wanted a word is part of one phrase only.
func (p *phrase) follow(f *finding, t *text, list []candidate, every bool) ([]match, error) {
	var found []match
	last := make([]*candidate, len(p.places))
	for i := range list {
		last[list[i].place] = &list[i]
		m, ok := p.complete(t, last)
		if err := f.worked(len(last) * (1 + len(m.tokens))); err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if err := f.keep(len(m.tokens)); err != nil {
			return nil, err
		}
		if found = append(found, m); !every {
			clear(last)
		}
	}
	return found, nil
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
