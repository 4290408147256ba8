package search

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// fuzzy compiles the search for a word and the terms near it.
func (c compiler) fuzzy(path string, value jsontext.Value, how query.Fuzzing) (clause, error) {
	f, err := c.patternField(path, "fuzzy", "keyword and text")
	if f == nil {
		return nothing{}, err
	}
	word := string(c.keywordOf(f, query.Text(value)))
	edits := how.Fuzziness.Of(word)
	if edits == 0 && !how.Constant {
		return c.word(f, []byte(word)), nil
	}
	near := automaton.NewNear(word, edits, how.PrefixLength, how.Swaps)
	if how.Constant || !f.Index {
		return c.steady(nearby{between{field: f, from: near.Prefix(), to: behind(near.Prefix()), automaton: near}, near}), nil
	}
	e := &neighbours{field: f, near: near, most: min(how.MaxExpansions, maxNeighbours), boosts: map[string]float32{}}
	c.expansions = append(c.expansions, e)
	combined := &boolean{space: c.space, needed: 1}
	e.found = func(terms []neighbour) {
		shared := &weight{corpus: c.corpus(f)}
		for _, t := range terms {
			shared.usages = append(shared.usages, shared.corpus.usage(t.term))
		}
		for _, t := range terms {
			combined.should = append(combined.should, c.weighed(f, t.term, shared.blended(c.boost*max(0, t.boost))))
		}
	}
	if c.scores {
		return &booleanRanker{combined}, nil
	}
	return combined, nil
}

// maxNeighbours is how many terms one word may stand for.
const maxNeighbours = 1024

// nearby is what an automaton that may turn out to be too complex finds.
type nearby struct {
	between
	near *automaton.Near
}

func (c nearby) matches(v *view) (set, error) {
	s, err := c.between.matches(v)
	if err == nil {
		err = v.target.walked(c.field, c.near)
	}
	return s, err
}

// walked charges for what an automaton needed to go through terms. It fails when it could not go through all.
func (t *target) walked(f *mapping.Field, near *automaton.Near) error {
	if err := near.Err(); err != nil {
		return refuse("failed to create query: the word for the field [%s] is too long to look for words near it: %v", f.Path, err)
	}
	return t.charge(1, near.Grown())
}

// neighbours is the terms of a field, in all views, that are nearest to a word.
type neighbours struct {
	field *mapping.Field
	near  *automaton.Near
	most  int
	// boosts has the terms so far, and how much each counts.
	boosts map[string]float32
	found  func([]neighbour)
}

type neighbour struct {
	term  []byte
	boost float32
}

func (e *neighbours) expand(t *target, v *view) error {
	f, err := v.field(e.field)
	if f == nil || f.Terms == nil || err != nil {
		return err
	}
	before := len(e.boosts)
	for ord := range f.Terms.Between(e.near.Prefix(), behind(e.near.Prefix()), e.near) {
		if v.ended(1) {
			return v.ctx.Err()
		}
		term := f.Terms.Term(ord)
		edits, ok := e.near.Distance(term)
		if !ok {
			continue
		}
		e.boosts[string(term)] = e.boost(term, edits)
		if len(e.boosts) >= 2*maxNeighbours {
			e.drop()
		}
	}
	if err := t.walked(e.field, e.near); err != nil {
		return err
	}
	e.drop()
	return t.expanded(max(0, len(e.boosts)-before))
}

// boost is 1 for the word itself, and less the more a term differs from it, below 0 when no character need be the same.
func (e *neighbours) boost(term []byte, edits int) float32 {
	if edits == 0 {
		return 1
	}
	return 1 - float32(edits)/float32(min(e.near.Len(), utf8.RuneCount(term)))
}

// drop keeps the nearest terms.
func (e *neighbours) drop() {
	list := e.list()
	for _, t := range list[min(e.most, len(list)):] {
		delete(e.boosts, string(t.term))
	}
}

// list gives the terms, the nearest first.
func (e *neighbours) list() []neighbour {
	list := make([]neighbour, 0, len(e.boosts))
	for term, boost := range e.boosts {
		list = append(list, neighbour{[]byte(term), boost})
	}
	slices.SortFunc(list, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(b.boost, a.boost), bytes.Compare(a.term, b.term))
	})
	return list
}

func (e *neighbours) settle() { e.found(e.list()) }

// blended gives the weight of one of the terms that share their statistics: all count as the one that most documents hold.
func (w *weight) blended(boost float32) *weight {
	return &weight{boost: boost, corpus: w.corpus, usages: w.usages, blend: true}
}
