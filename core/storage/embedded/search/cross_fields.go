package search

import (
	"cmp"
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// crossFields compiles the search for each word in all fields that have one analyzer.
func (c compiler) crossFields(fields []query.WeightedField, tie float64, q query.Full, how query.Words) (clause, error) {
	combined := &best{space: c.space, tie: tie}
	var names []string
	groups := map[string][]query.WeightedField{}
	for _, field := range fields {
		name := c.analyzerOf(field.Pattern, &q)
		if _, ok := groups[name]; !ok {
			names = append(names, name)
		}
		groups[name] = append(groups[name], field)
	}
	for _, name := range names {
		part, err := c.crossGroup(groups[name], tie, q, how)
		if err != nil {
			return nil, err
		}
		combined.parts = append(combined.parts, part)
	}
	return combined.simplify(c.scores), nil
}

// analyzerOf names the analyzer by which a field belongs to others.
func (c compiler) analyzerOf(path string, q *query.Full) string {
	f := c.Mapping.Resolve(path)
	switch {
	case q.Analyzer != "":
		return q.Analyzer
	case f == nil || f.Type != mapping.Text:
		return ""
	}
	return f.QueryAnalyzer()
}

// crossGroup compiles the search in fields with one analyzer.
func (c compiler) crossGroup(fields []query.WeightedField, tie float64, q query.Full, how query.Words) (clause, error) {
	if len(fields) == 1 {
		inner := c
		inner.boost = finite(inner.boost * float32(fields[0].Boost))
		return c.inside(fields[0].Pattern)(inner.match(fields[0].Pattern, q, how))
	}
	found, err := c.crossWords(fields, tie, q, how)
	if forgiven(how, err) {
		return nothing{}, nil
	}
	return found, err
}

func (c compiler) crossWords(fields []query.WeightedField, tie float64, q query.Full, how query.Words) (clause, error) {
	var words [][]jsontext.Value // those of one place together
	for _, field := range fields {
		f, tokens, err := c.matchWords(field.Pattern, &q)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		if tokens == nil {
			words = [][]jsontext.Value{{q.Value}}
		}
		for i, token := range tokens {
			if i == 0 || token.Position != tokens[i-1].Position {
				words = append(words, nil)
			}
			words[len(words)-1] = append(words[len(words)-1], quote(string(token.Term)))
		}
		if len(words) == 0 {
			return c.empty(&q), nil
		}
		break
	}
	parts := make([]clause, len(words))
	for i, same := range words {
		var err error
		if parts[i], err = c.crossWord(fields, tie, same, how); err != nil {
			return nil, err
		}
	}
	if len(parts) == 0 {
		return nothing{}, nil
	}
	return c.combine(parts, how), nil
}

// crossWord compiles the search for a word, or for any of those at one place, in several fields.
func (c compiler) crossWord(fields []query.WeightedField, tie float64, words []jsontext.Value, how query.Words) (clause, error) {
	if err := c.charge(len(fields)*len(words), wordBytes); err != nil {
		return nil, err
	}
	shared := &crossing{}
	weighty, others := &best{space: c.space, tie: tie}, &best{space: c.space, tie: tie}
	for _, field := range fields {
		inner := c
		inner.boost = finite(inner.boost * float32(field.Boost))
		for _, word := range words {
			part, err := c.inside(field.Pattern)(inner.term(field.Pattern, word))
			switch {
			case forgiven(how, err):
				continue
			case err != nil:
				return nil, err
			case shared.add(part):
				weighty.parts = append(weighty.parts, part)
			default:
				others.parts = append(others.parts, part)
			}
		}
	}
	others.parts = append(others.parts, weighty.simplify(c.scores))
	return others.simplify(c.scores), nil
}

// crossing lets the terms of several fields count as if they were held by one field.
type crossing struct {
	weights []*weight
	settled bool
}

// add reports whether the clause has a weight.
func (x *crossing) add(part clause) bool {
	var w *weight
	switch part := part.(type) {
	case *word:
		w = part.weight
	case *weighted:
		w = part.weight
	default:
		return false
	}
	w.crossing = x
	x.weights = append(x.weights, w)
	return true
}

// settle gives the weights how many documents their terms are taken to be held by: about as many as the one that most hold, and
// slightly more where fewer do, so that the field in which the word is usual comes first.
func (x *crossing) settle() {
	if x.settled {
		return
	}
	x.settled = true
	limit := uint64(math.MaxUint64)
	for _, w := range x.weights {
		if w.usages[0].docs > 0 {
			limit = min(limit, w.corpus.terms)
		}
	}
	slices.SortStableFunc(x.weights, func(a, b *weight) int { return cmp.Compare(b.usages[0].docs, a.usages[0].docs) })
	most, before := x.weights[0].usages[0].docs, x.weights[0].usages[0].docs
	for _, w := range x.weights {
		docs := w.usages[0].docs
		if docs == 0 {
			break
		}
		if docs < before {
			most++
		}
		w.holding, before = min(most, limit), docs
	}
}
