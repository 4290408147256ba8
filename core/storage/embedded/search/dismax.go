package search

import "github.com/sluicehq/sluice/core/storage/query"

func (c compiler) disMax(q *query.DisMax) (clause, error) {
	combined := &best{space: c.space, tie: q.TieBreaker}
	for _, inner := range q.Queries {
		part, err := c.compile(inner)
		if err != nil {
			return nil, err
		}
		combined.parts = append(combined.parts, part)
	}
	return combined.simplify(c.scores), nil
}

// best matches what any of its parts does, with the best score and tie of the others.
type best struct {
	space string
	parts []clause
	tie   float64
}

// simplify takes the form that is the least work.
func (c *best) simplify(scores bool) clause {
	kept := c.parts[:0]
	for _, part := range c.parts {
		if _, empty := part.(nothing); !empty {
			kept = append(kept, part)
		}
	}
	c.parts = kept
	switch {
	case len(c.parts) == 0:
		return nothing{}
	case len(c.parts) == 1:
		return c.parts[0]
	case !scores:
		return anyOf{c.space, c.parts}
	}
	return c
}

func (c *best) matches(v *view) (set, error) { return anyOf{c.space, c.parts}.matches(v) }

func (c *best) rank(v *view) (scorer, error) {
	parts, err := rankAll(v, c.parts)
	switch {
	case err != nil || len(parts) == 0:
		return nil, err
	case len(parts) == 1:
		return parts[0], nil
	}
	return &bestScorer{anyScorer{v: v, parts: parts, needed: 1}, c.tie}, nil
}

func (c compiler) boosting(q *query.Boosting) (clause, error) {
	plain := c
	plain.boost = 1 // inside, as what functions make of a score is not the same for one that is boosted already
	positive, err := plain.compile(q.Positive)
	if err != nil {
		return nil, err
	}
	negative, err := c.filtering().compile(q.Negative)
	if err != nil || !c.scores {
		return positive, err
	}
	return &boosted{positive, negative, c.boost, float32(q.NegativeBoost)}, nil
}

// boosted multiplies scores by boost, and those of what negative matches too by factor.
type boosted struct {
	clause
	negative      clause
	boost, factor float32
}

func (c *boosted) rank(v *view) (scorer, error) {
	inner, err := rank(c.clause, v)
	if inner == nil || err != nil {
		return nil, err
	}
	negative, err := c.negative.matches(v)
	return &boostedScorer{scorer: inner, negative: negative, boost: c.boost, factor: c.factor}, err
}

type boostedScorer struct {
	scorer
	negative set
	boost    float32
	factor   float32
	one      [1]uint32
}

func (s *boostedScorer) score() float32 {
	s.one[0] = s.doc()
	if len(s.negative.keep(s.one[:])) == 0 {
		return s.scorer.score() * s.boost
	}
	return s.scorer.score() * s.boost * s.factor
}
