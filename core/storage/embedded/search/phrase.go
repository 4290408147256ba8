package search

import (
	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// place is where a word of a phrase stands, counted from the first word, and the terms that may stand there.
type place struct {
	offset uint32
	terms  [][]byte
}

// phrase matches the documents with words one behind the other, with up to slop moves.
type phrase struct {
	field  *mapping.Field
	places []place
	slop   int
	weight *weight // nil when scores do not matter
}

// phrase compiles the search for the words of a text in their order.
func (c compiler) phrase(path string, q query.Full, slop int) (clause, error) {
	f, err := c.field(path)
	if f == nil || f.Type != mapping.Text && q.Analyzer == "" || err != nil {
		return c.match(path, q, query.Words{})
	}
	tokens, _, err := c.words(f, &q)
	switch {
	case err != nil:
		return nil, err
	case f.Type != mapping.Text && len(tokens) < 2:
		return c.match(path, q, query.Words{})
	case f.Type != mapping.Text:
		return nil, refuse("failed to create query: Can only use phrase queries on text fields - not on [%s] which is of type [%s]", path, f.Type)
	case len(tokens) == 0:
		return c.empty(&q), nil
	case analysis.AtOnePlace(tokens) == len(tokens):
		return c.alternatives(f, tokens), nil
	}
	return c.newPhrase(f, places(tokens), slop), nil
}

// places puts the words of a text where they stand. Words at one place are alternatives.
func places(tokens []analysis.Token) []place {
	var list []place
	for _, token := range tokens {
		offset := token.Position - tokens[0].Position
		if n := len(list); n > 0 && list[n-1].offset == offset {
			list[n-1].terms = append(list[n-1].terms, token.Term)
			continue
		}
		list = append(list, place{offset, [][]byte{token.Term}})
	}
	return list
}

func (c compiler) newPhrase(f *mapping.Field, places []place, slop int) *phrase {
	p := &phrase{field: f, places: places, slop: slop}
	if c.scores {
		p.weight = &weight{boost: c.boost, corpus: c.corpus(f)}
		for _, place := range places {
			p.weigh(place.terms)
		}
	}
	return p
}

func (c *phrase) weigh(terms [][]byte) {
	if c.weight == nil {
		return
	}
	for _, term := range terms {
		c.weight.usages = append(c.weight.usages, c.weight.corpus.usage(term))
	}
}

func (c *phrase) matches(v *view) (set, error) {
	s, err := c.open(v)
	if s == nil || err != nil {
		return none, err
	}
	var found []uint32
	for s.next() != noDoc {
		found = append(found, s.doc())
	}
	n, err := v.space(c.field.Nested)
	return docs{gather(found, n)}, err
}

func (c *phrase) rank(v *view) (scorer, error) {
	s, err := c.open(v)
	if s == nil || err != nil {
		return nil, err
	}
	if s.weight != nil {
		s.weight.settle()
	}
	return s, nil
}

// open gives nil when a place has no term in the view.
func (c *phrase) open(v *view) (*phraseScorer, error) {
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil {
		return nil, err
	}
	s := &phraseScorer{v: v, slop: c.slop, weight: c.weight, lengths: f.Lengths}
	for _, place := range c.places {
		r := openPlace(f.Terms, place.terms)
		if r == nil {
			return nil, nil //nolint:nilnil // nothing matches
		}
		s.readers = append(s.readers, r)
		s.terms += len(r.parts)
		s.offsets = append(s.offsets, place.offset)
	}
	if s.slop > 0 {
		s.moves = newMoves(v, s.offsets, c.groups())
	}
	s.positions = make([][]uint32, len(s.readers))
	return s, nil
}

// groups gives for each place one that stands for its group: places with common terms, whose words must stand at different
// places of a document.
func (c *phrase) groups() []int {
	above := make([]int, len(c.places)) // leads from a place to the one that stands for its group
	root := func(i int) int {
		for above[i] != i {
			above[i] = above[above[i]]
			i = above[i]
		}
		return i
	}
	holder := map[string]int{} // a place with each term
	for i, place := range c.places {
		above[i] = i
		for _, term := range place.terms {
			if other, ok := holder[string(term)]; ok {
				above[root(i)] = root(other)
			} else {
				holder[string(term)] = i
			}
		}
	}
	groups := make([]int, len(above))
	for i := range groups {
		groups[i] = root(i)
	}
	return groups
}

// openPlace gives nil when there is no such document.
func openPlace(t segment.Terms, terms [][]byte) *placeUnion {
	u := &placeUnion{}
	for _, term := range terms {
		if ord, ok := t.Find(term); ok {
			u.parts = append(u.parts, t.Occurrences(ord))
			u.n += t.DocFreq(ord)
		}
	}
	if len(u.parts) == 0 {
		return nil
	}
	return u
}
