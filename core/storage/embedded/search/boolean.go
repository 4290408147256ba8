package search

import (
	"github.com/sluicehq/sluice/core/storage/query"
)

// boolean combines clauses over one space.
type boolean struct {
	space string
	// must and filter match all; only the scores of must count. needed is how many of should match.
	must, filter, should, not []clause
	needed                    int
}

func (c compiler) boolean(q *query.Bool) (clause, error) {
	if len(q.Must)+len(q.Filter)+len(q.Should)+len(q.MustNot) == 0 && q.Needed() == 0 {
		return c.steady(everything{c.space}), nil
	}
	combined := &boolean{space: c.space, needed: q.Needed()}
	if len(q.Must)+len(q.Filter) == 0 && len(q.Should) > 0 { // whatever the query says
		combined.needed = max(combined.needed, 1)
	}
	for _, part := range []struct {
		queries []query.Query
		to      *[]clause
		c       compiler
	}{{q.Must, &combined.must, c}, {q.Should, &combined.should, c}, {q.Filter, &combined.filter, c.filtering()}, {q.MustNot, &combined.not, c.filtering()}} {
		for _, q := range part.queries {
			inner, err := part.c.compile(q)
			if err != nil {
				return nil, err
			}
			*part.to = append(*part.to, inner)
		}
	}
	if combined.needed > len(q.Should) {
		return nothing{}, nil
	}
	return combined.simplify(c.scores), nil
}

// simplify takes the form that is the least work.
func (c *boolean) simplify(scores bool) clause {
	if !scores {
		return c
	}
	kept := c.should[:0]
	for _, part := range c.should {
		if _, empty := part.(nothing); !empty {
			kept = append(kept, part)
		}
	}
	if c.should = kept; len(c.should) < c.needed {
		return nothing{}
	}
	optional := len(c.should) > 0 && c.needed < len(c.should)
	for _, part := range append(append([]clause(nil), c.must...), c.should...) {
		if _, ok := part.(fixed); !ok || optional {
			return &booleanRanker{c}
		}
	}
	return &fixedBoolean{c}
}

func (c *boolean) matches(v *view) (set, error) {
	n, err := v.space(c.space)
	if err != nil {
		return nil, err
	}
	sets, err := c.required(v, n)
	if err != nil {
		return nil, err
	}
	must, err := matchAll(v, c.must)
	if err != nil {
		return nil, err
	}
	sets = append(sets, must...)
	if c.needed > 0 {
		should, err := matchAll(v, c.should)
		if err != nil {
			return nil, err
		}
		sets = append(sets, atLeast(v, n, c.needed, should))
	}
	return and(v, n, sets...), nil
}

// required gives the sets of what has no scores.
func (c *boolean) required(v *view, n uint32) ([]set, error) {
	sets, err := matchAll(v, c.filter)
	if err != nil || len(c.not) == 0 {
		return sets, err
	}
	excluded, err := matchAll(v, c.not)
	return append(sets, not(n, or(v, n, excluded...))), err
}

// fixedBoolean is a boolean whose clauses match whole and have fixed scores.
type fixedBoolean struct{ *boolean }

func (c *fixedBoolean) score() float32 {
	return total(c.must) + total(c.should)
}

func total(parts []clause) float32 {
	sum := float64(0)
	for _, part := range parts {
		if f, ok := part.(fixed); ok {
			sum += float64(f.score())
		}
	}
	return float32(sum)
}

// booleanRanker scores each document by itself.
type booleanRanker struct{ *boolean }

func (c *booleanRanker) rank(v *view) (scorer, error) {
	n, err := v.space(c.space)
	if err != nil {
		return nil, err
	}
	sets, err := c.required(v, n)
	if err != nil {
		return nil, err
	}
	var steadies, scored []clause
	for _, part := range c.must {
		if _, ok := part.(fixed); ok {
			steadies = append(steadies, part)
		} else {
			scored = append(scored, part)
		}
	}
	steady, err := matchAll(v, steadies)
	if err != nil {
		return nil, err
	}
	must, err := rankAll(v, scored)
	if err != nil || len(must) < len(scored) {
		return nil, err
	}
	should, err := rankAll(v, c.should)
	if err != nil || len(should) < c.needed {
		return nil, err
	}
	filter := and(v, n, append(sets, steady...)...)
	return c.assemble(v, filter, must, should, total(steadies)), nil
}

// assemble joins what is required, with bonus for what has one score, and what may match too.
func (c *booleanRanker) assemble(v *view, filter set, must, should []scorer, bonus float32) scorer {
	if c.needed > 0 {
		must, should = append(must, some(v, should, c.needed)), nil
	}
	required := join(v, must, filter, bonus)
	if required == nil || len(should) == 0 {
		return required
	}
	return &optionalScorer{scorer: required, extra: some(v, should, 1)}
}

// rankAll gives the scorers of clauses, without those that match nothing.
func rankAll(v *view, parts []clause) ([]scorer, error) {
	var list []scorer
	for _, part := range parts {
		s, err := rank(part, v)
		if err != nil {
			return nil, err
		}
		if s != nil {
			list = append(list, s)
		}
	}
	return list, nil
}
