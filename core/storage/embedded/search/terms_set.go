package search

import (
	"math"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

func (c compiler) termsSet(q *query.TermsSet) (clause, error) {
	covering := &covering{space: c.space, needed: max(1, q.MinimumShouldMatch.Of(len(q.Values)))}
	if q.MinimumField != "" {
		var err error
		if covering.field, err = c.numeric(q.MinimumField); err != nil {
			return nil, err
		}
		if covering.field == nil {
			return nil, refuse("failed to find minimum_should_match field [%s]", q.MinimumField)
		}
		if covering.field.Nested != c.space {
			return nothing{}, nil
		}
	}
	if err := c.charge(len(q.Values), wordBytes); err != nil {
		return nil, err
	}
	for _, value := range q.Values {
		part, err := c.term(q.Field, value)
		if err != nil {
			return nil, err
		}
		if _, empty := part.(nothing); !empty {
			covering.parts = append(covering.parts, part)
		}
	}
	if len(covering.parts) == 0 {
		return nothing{}, nil
	}
	return covering, nil
}

// covering matches the documents that enough parts match, by the value of a field or, when that is nil, by needed.
type covering struct {
	space  string
	parts  []clause
	field  *mapping.Field
	needed int
}

func (c *covering) matches(v *view) (set, error) {
	s, err := c.rank(v)
	if err != nil {
		return none, err
	}
	return foundBy(v, c.space, s)
}

func (c *covering) rank(v *view) (scorer, error) {
	parts, err := rankAll(v, c.parts)
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	s := &coveringScorer{anyScorer: anyScorer{v: v, parts: parts, needed: 1}, fixed: c.needed}
	if c.field != nil {
		s.byField = true
		s.figures, err = v.figures(c.field)
	}
	return s, err
}

type coveringScorer struct {
	anyScorer
	byField bool
	figures figures
	fixed   int
	scratch []float64
}

func (s *coveringScorer) next() uint32           { return s.settle(s.anyScorer.next()) }
func (s *coveringScorer) seek(doc uint32) uint32 { return s.settle(s.anyScorer.seek(doc)) }

// settle goes on to a document that enough parts have.
func (s *coveringScorer) settle(doc uint32) uint32 {
	for doc != noDoc && !s.enough(doc) {
		doc = s.anyScorer.next()
	}
	return doc
}

func (s *coveringScorer) enough(doc uint32) bool {
	needed := float64(s.fixed)
	if s.byField {
		s.scratch = s.figures.of(doc, s.scratch[:0])
		if len(s.scratch) == 0 {
			return false
		}
		needed = max(1, math.Trunc(s.scratch[0]))
	}
	count := 0
	for _, part := range s.parts {
		count += one(part.doc() == doc)
	}
	return float64(count) >= needed
}
