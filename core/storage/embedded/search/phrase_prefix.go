package search

import (
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// phrasePrefix compiles the search for a phrase whose last word is a prefix.
func (c compiler) phrasePrefix(path string, q query.Full, slop, most int) (clause, error) {
	f, err := c.field(path)
	if f == nil {
		return nothing{}, err
	}
	if f.Type != mapping.Text {
		return nil, refuse("failed to create query: Can only use phrase prefix queries on text fields - not on [%s] which is of type [%s]", path, f.Type)
	}
	tokens, _, err := c.words(f, &q)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return c.empty(&q), nil
	}
	list := places(tokens)
	last := &list[len(list)-1]
	prefixes := last.terms
	last.terms = nil
	found, add := c.anyWord(f)
	if len(list) > 1 {
		p := c.newPhrase(f, list, slop)
		found, add = p, func(terms [][]byte) {
			last.terms = append(last.terms, terms...)
			p.weigh(terms)
		}
	}
	for _, prefix := range prefixes {
		c.expansions = append(c.expansions, &expansion{field: f, prefix: prefix, most: min(most, maxExpansions+1), found: add})
	}
	return found, nil
}

// anyWord is the search for any of the terms that expansions add.
func (c compiler) anyWord(f *mapping.Field) (found clause, add func(terms [][]byte)) {
	combined := &boolean{space: c.space, needed: 1}
	add = func(terms [][]byte) {
		for _, term := range terms {
			combined.should = append(combined.should, c.word(f, term))
		}
	}
	if c.scores {
		return &booleanRanker{combined}, add
	}
	return combined, add
}
