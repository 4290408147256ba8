package search

import (
	"strings"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

func (c compiler) nested(q *query.Nested) (clause, error) {
	f := c.Mapping.Field(q.Path)
	if f == nil || f.Type != mapping.Nested {
		if q.IgnoreUnmapped {
			return nothing{}, nil
		}
		return nil, refuse("failed to create query: [nested] failed to find nested object under path [%s]", q.Path)
	}
	inside := c
	inside.space = q.Path
	inside.scores = c.scores && q.ScoreMode != query.ScoreNone
	inner, err := inside.compile(q.Query)
	if err != nil {
		return nil, err
	}
	if c.space != "" && !strings.HasPrefix(q.Path, c.space+".") {
		return nothing{}, nil
	}
	outer := nested{inner: inner, path: q.Path, space: c.space}
	switch {
	case !c.scores:
		return outer, nil
	case q.ScoreMode == query.ScoreNone:
		return constant{outer, 0}, nil
	}
	if f, ok := inner.(fixed); ok && q.ScoreMode != query.ScoreSum {
		return &lifted{outer, f}, nil
	}
	return &nestedRanker{outer, q.ScoreMode}, nil
}

// nested matches the documents of a space that nested documents of a path stand in which inner matches.
type nested struct {
	inner       clause
	path, space string
}

func (c nested) matches(v *view) (set, error) {
	inner, err := c.inner.matches(v)
	if err != nil {
		return nil, err
	}
	chain, err := v.parents(c.path, c.space)
	if err != nil {
		return nil, err
	}
	n, err := v.space(c.space)
	if err != nil {
		return nil, err
	}
	d := newDense(n)
	err = inner.each(func(batch []uint32) error {
		for _, doc := range batch {
			d.add(up(chain, doc))
		}
		return v.stop(len(batch))
	})
	return docs{d.bitmap()}, err
}

// lifted is a nested clause whose documents all have the score of the inner one.
type lifted struct {
	nested
	scored fixed
}

func (c *lifted) score() float32 { return c.scored.score() }

// parents gives the steps from the nested documents of a path to the documents of a space around them. It is nil when the
// view has no such nested documents.
func (v *view) parents(path, space string) ([][]uint32, error) {
	var chain [][]uint32
	for path != space {
		s, err := v.Segment.Space(path)
		if s == nil || err != nil {
			return nil, err
		}
		chain = append(chain, s.Parents)
		path = s.ParentPath
	}
	return chain, nil
}

// up gives the document that a nested one stands in.
func up(chain [][]uint32, doc uint32) uint32 {
	for _, parents := range chain {
		doc = parents[doc]
	}
	return doc
}

// nestedRanker makes one score of those of the nested documents.
type nestedRanker struct {
	nested
	mode query.ScoreMode
}

func (c *nestedRanker) rank(v *view) (scorer, error) {
	inner, err := rank(c.inner, v)
	if inner == nil || err != nil {
		return nil, err
	}
	chain, err := v.parents(c.path, c.space)
	if err != nil {
		return nil, err
	}
	n, err := v.space(c.space)
	if err != nil {
		return nil, err
	}
	return &nestedScorer{v: v, inner: inner, chain: chain, n: n, mode: c.mode}, nil
}

// nestedScorer stands on a document when inner stands behind the last nested document in it.
type nestedScorer struct {
	v     *view
	inner scorer
	chain [][]uint32
	n     uint32
	mode  query.ScoreMode
	begun bool
	at    uint32
	value float32
}

func (s *nestedScorer) next() uint32 {
	if !s.begun {
		s.begun = true
		s.inner.next()
	}
	first := s.inner.doc()
	if first == noDoc || s.v.ended(1) {
		s.at = noDoc
		return s.at
	}
	s.at = up(s.chain, first)
	total, count := float64(s.inner.score()), 1
	for {
		doc := s.inner.next()
		if doc == noDoc || up(s.chain, doc) != s.at {
			break
		}
		score := float64(s.inner.score())
		count++
		switch s.mode {
		case query.ScoreMin:
			total = min(total, score)
		case query.ScoreMax:
			total = max(total, score)
		default:
			total += score
		}
	}
	if s.mode == query.ScoreAvg {
		total /= float64(count)
	}
	s.value = float32(total)
	return s.at
}

func (s *nestedScorer) seek(doc uint32) uint32 {
	for !s.begun || s.at < doc {
		s.next()
	}
	return s.at
}

func (s *nestedScorer) doc() uint32    { return s.at }
func (s *nestedScorer) score() float32 { return s.value }
func (s *nestedScorer) cost() int      { return min(s.inner.cost(), int(s.n)) }
