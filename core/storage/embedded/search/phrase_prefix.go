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
	e := &expansion{field: f, prefix: last.terms[len(last.terms)-1], most: min(most, maxExpansions+1)}
	last.terms = last.terms[:len(last.terms)-1]
	c.expansions = append(c.expansions, e)
	if len(list) == 1 {
		return c.anyWord(f, e), nil
	}
	found := c.newPhrase(f, list, slop)
	e.found = func(terms [][]byte) {
		last.terms = append(last.terms, terms...)
		found.weigh(terms)
	}
	return found, nil
}

// anyWord is the search for any of the terms that an expansion finds.
func (c compiler) anyWord(f *mapping.Field, e *expansion) clause {
	combined := &boolean{space: c.space, needed: 1}
	e.found = func(terms [][]byte) {
		for _, term := range terms {
			combined.should = append(combined.should, c.word(f, term))
		}
	}
	if c.scores {
		return &booleanRanker{combined}
	}
	return combined
}
