package search

import (
	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/mapping"
)

// alternatives scores the documents with at least one of several words that stand for each other, as if they were one.
type alternatives struct {
	exact
	weight *weight
}

// alternatives is the search for words at one place of a text.
func (c compiler) alternatives(f *mapping.Field, tokens []analysis.Token) clause {
	terms := make([][]byte, len(tokens))
	for i, token := range tokens {
		terms[i] = token.Term
	}
	if len(terms) == 1 {
		return c.word(f, terms[0])
	}
	if !c.scores || !f.Index || f.Type != mapping.Text {
		return c.steady(exact{f, terms})
	}
	w := c.weigh(f, terms...)
	w.blend = true
	return &alternatives{exact{f, terms}, w}
}

func (c *alternatives) rank(v *view) (scorer, error) {
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil {
		return nil, err
	}
	c.weight.settle()
	s := &alternativesScorer{anyScorer: anyScorer{v: v, needed: 1}}
	for _, term := range c.terms {
		if ord, ok := f.Terms.Find(term); ok {
			part := &wordScorer{occurrences: f.Terms.Occurrences(ord), n: f.Terms.DocFreq(ord), lengths: f.Lengths, weight: c.weight}
			s.words, s.parts = append(s.words, part), append(s.parts, part)
		}
	}
	if len(s.parts) == 0 {
		return nil, nil //nolint:nilnil // nothing matches
	}
	return s, nil
}

// alternativesScorer goes through the documents that have any of the words.
type alternativesScorer struct {
	anyScorer
	words []*wordScorer
}

// score is that of a word which occurs as often as all of them.
func (s *alternativesScorer) score() float32 {
	freq, length := float32(0), byte(unweighted)
	for _, part := range s.words {
		if part.at != s.at {
			continue
		}
		if freq += float32(part.occurrences.Freq()); part.lengths != nil {
			length = part.lengths[s.at]
		}
	}
	return s.words[0].weight.score(freq, length)
}
