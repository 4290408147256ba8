package search

import (
	"math"
	"slices"

	"github.com/sluicehq/sluice/core/storage/query"
)

func (c compiler) functionScore(q *query.FunctionScore) (clause, error) {
	limited := !math.IsInf(q.MinScore, -1)
	c.scores = c.scores || limited // what scores less does not match
	inner, err := c.compile(q.Query)
	if err != nil {
		return nil, err
	}
	found := &functional{clause: inner, query: q, space: c.space, mode: q.ScoreMode}
	if len(q.Functions) == 1 && unfiltered(q.Functions[0]) {
		found.mode = "sum" // a function alone is not divided by its weight either
	}
	for _, f := range q.Functions {
		one := function{weight: f.Weight}
		if f.Filter != nil {
			if one.filter, err = c.filtering().compile(f.Filter); err != nil {
				return nil, err
			}
		}
		if one.rater, err = c.rater(f.Score); err != nil {
			return nil, err
		}
		found.functions = append(found.functions, one)
	}
	switch {
	case !limited && (!c.scores || len(q.Functions) == 0):
		return inner, nil
	case limited:
		return &limitedFunctional{found}, nil
	}
	return found, nil
}

func unfiltered(f query.Function) bool {
	_, all := f.Filter.(*query.MatchAll)
	return all || f.Filter == nil
}

// rater makes a part of a score of what a document holds.
type rater interface {
	// open gives the function for the documents of a view.
	open(v *view) (func(doc uint32) (float64, error), error)
}

// rater compiles a function, nil when it is a weight alone.
func (c compiler) rater(s query.Score) (rater, error) {
	switch s := s.(type) {
	case *query.FieldFactor:
		return c.fieldFactor(s)
	case *query.RandomScore:
		return c.random(s)
	case *query.Decay:
		return c.decay(s)
	}
	return nil, nil //nolint:nilnil // there is a weight alone
}

// function is one of the functions of a functional.
type function struct {
	filter clause // nil for all documents
	weight float64
	rater  rater // nil for the weight alone
}

// functional changes the scores of a clause by functions.
type functional struct {
	clause
	query     *query.FunctionScore
	functions []function
	space     string
	mode      string // how the functions are combined
}

func (c *functional) rank(v *view) (scorer, error) {
	inner, err := rank(c.clause, v)
	if inner == nil || err != nil {
		return nil, err
	}
	s := &functionScorer{scorer: inner, v: v, query: c.query, mode: c.mode}
	for _, f := range c.functions {
		r := rated{weight: f.weight}
		if f.filter != nil {
			if r.filter, err = f.filter.matches(v); err != nil {
				return nil, err
			}
		}
		if f.rater != nil {
			if r.rate, err = f.rater.open(v); err != nil {
				return nil, err
			}
		}
		s.functions = append(s.functions, r)
	}
	return s, nil
}

// rated is a function for the documents of one view.
type rated struct {
	filter set // nil for all documents
	weight float64
	rate   func(doc uint32) (float64, error) // nil for the weight alone
}

type functionScorer struct {
	scorer
	v         *view
	query     *query.FunctionScore
	mode      string
	functions []rated
	values    []float64
	one       [1]uint32
}

func (s *functionScorer) score() float32 {
	score := float64(s.scorer.score())
	if len(s.functions) == 0 {
		return float32(score)
	}
	s.v.ended(len(s.functions))
	factor := min(s.factor(s.doc()), s.query.MaxBoost)
	switch s.query.BoostMode {
	case "replace":
		score = factor
	case "sum":
		score += factor
	case "avg":
		score = (score + factor) / 2
	case "max":
		score = max(score, factor)
	case "min":
		score = min(score, factor)
	default:
		score *= factor
	}
	if math.IsNaN(score) || score < 0 {
		s.v.fail(refuse("function_score: the score %v of a document is negative or no number", score))
	}
	return float32(min(score, math.MaxFloat32))
}

// factor combines the functions that a document suits.
func (s *functionScorer) factor(doc uint32) float64 {
	s.values = s.values[:0]
	weights := float64(0)
	for _, f := range s.functions {
		if s.one[0] = doc; f.filter != nil && len(f.filter.keep(s.one[:])) == 0 {
			continue
		}
		value := f.weight
		if f.rate != nil {
			rate, err := f.rate(doc)
			if err != nil {
				s.v.fail(err)
			}
			value *= rate
		}
		s.values = append(s.values, value)
		weights += f.weight
		if s.mode == "first" {
			break
		}
	}
	return combined(s.mode, s.values, weights)
}

// combined makes one value of several; weights is the sum of what they were multiplied by.
func combined(mode string, values []float64, weights float64) float64 {
	if len(values) == 0 {
		return 1
	}
	switch mode {
	case "max":
		return slices.Max(values)
	case "min":
		return slices.Min(values)
	}
	sum, product := float64(0), float64(1)
	for _, value := range values {
		sum += value
		product *= value
	}
	switch mode {
	case "sum":
		return sum
	case "avg":
		return sum / weights
	}
	return product
}

// limitedFunctional leaves out what scores too little.
type limitedFunctional struct{ *functional }

func (c *limitedFunctional) matches(v *view) (set, error) {
	s, err := c.rank(v)
	if err != nil {
		return none, err
	}
	return foundBy(v, c.space, s)
}

func (c *limitedFunctional) rank(v *view) (scorer, error) {
	s, err := c.functional.rank(v)
	if s == nil || err != nil {
		return nil, err
	}
	return &limitedScorer{scorer: s, v: v, least: float32(c.query.MinScore)}, nil
}

type limitedScorer struct {
	scorer
	v     *view
	least float32
	value float32
}

func (s *limitedScorer) next() uint32           { return s.settle(s.scorer.next()) }
func (s *limitedScorer) seek(doc uint32) uint32 { return s.settle(s.scorer.seek(doc)) }
func (s *limitedScorer) score() float32         { return s.value }

// settle goes on to a document that scores enough.
func (s *limitedScorer) settle(doc uint32) uint32 {
	for ; doc != noDoc; doc = s.scorer.next() {
		if s.v.ended(1) {
			return noDoc
		}
		if s.value = s.scorer.score(); s.value >= s.least {
			break
		}
	}
	return doc
}
