package search

import (
	"context"
	"math"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// frequencies is how often a field has terms in all views, dead documents included.
type frequencies struct {
	field *mapping.Field
	// there says that the field has terms; they occur words times in all.
	there bool
	words uint64
	// terms is how many different terms there are: of the view that has most. Elasticsearch knows it only where there is one segment.
	terms int
	of    map[string]frequency
	// wanted are those that are not counted yet.
	wanted []string
}

// frequency is how many documents hold a term, and how often they do.
type frequency struct{ docs, total uint64 }

// want asks for the frequency of a term, which gather counts.
func (f *frequencies) want(term string) {
	if _, known := f.of[term]; !known {
		f.of[term] = frequency{}
		f.wanted = append(f.wanted, term)
	}
}

// gather counts what is wanted.
func (f *frequencies) gather(ctx context.Context, t *target) error {
	if err := t.charge(len(f.wanted), termBytes); err != nil {
		return err
	}
	err := t.each(ctx, f.count)
	f.wanted = nil
	return err
}

// measure finds out how many terms a view has.
func (f *frequencies) measure(v *view) error {
	field, err := v.field(f.field)
	if field == nil || field.Terms == nil || err != nil {
		return err
	}
	f.there = true
	f.words += field.TotalLength
	f.terms = max(f.terms, field.Terms.Len())
	return nil
}

func (f *frequencies) count(v *view) error {
	field, err := v.field(f.field)
	if field == nil || field.Terms == nil || err != nil {
		return err
	}
	for _, term := range f.wanted {
		ord, ok := field.Terms.Find([]byte(term))
		if v.ended(1) {
			return v.ctx.Err()
		}
		if !ok {
			continue
		}
		of, docs := f.of[term], uint64(field.Terms.DocFreq(ord)) //nolint:gosec // not negative
		of.docs += docs
		if f.field.Type == mapping.Text {
			for o := field.Terms.Occurrences(ord); o.Next() && !v.ended(1); {
				of.total += uint64(o.Freq())
			}
		} else {
			of.total += docs
		}
		f.of[term] = of
	}
	return nil
}

// score is what a replacement counts: how near it is times how often the field has it.
func (f *frequencies) score(c *replacement) float64 {
	return c.near * ((float64(c.total) + 1) / (float64(f.words) + 1))
}

// threshold is min_doc_freq for a word that holding documents hold, of docs: what replaces it must be held by more the more do.
func threshold(holding, docs uint64, least float32) float32 {
	plateau := float64(int64(least))
	if least < 1 {
		plateau = float64(int64(least * float32(docs)))
	}
	n := float64(holding)
	if n <= plateau {
		return least
	}
	return max(least, float32(math.Floor(n*(math.Log10(n-plateau)/math.Log10(5))+1.5)))
}

// maxGrams is how many words that follow each other are looked up.
const maxGrams = 3

// gramScorer scores words by how often they follow each other.
type gramScorer struct {
	how *query.PhraseSuggester
	of  *frequencies
}

// join makes the term of several words.
func (s gramScorer) join(words ...*replacement) string {
	term := words[0].term
	for _, w := range words[1:] {
		term += s.how.Separator + w.term
	}
	return term
}

// wantPair asks for what pair needs to know.
func (s gramScorer) wantPair(before, word *replacement) { s.of.want(s.join(before, word)) }

// wantThree asks for what three needs to know beside what pair does.
func (s gramScorer) wantThree(first, before, word *replacement) {
	if s.how.Smoothing.Model == query.Linear {
		s.of.want(s.join(word, before, first))
		s.of.want(s.join(word, before))
		return
	}
	s.of.want(s.join(first, before, word))
}

// total is how often the field has a term of words.
func (s gramScorer) total(words ...*replacement) float64 {
	return float64(s.of.of[s.join(words...)].total)
}

// score is the logarithm of how likely a word of a path is.
func (s gramScorer) score(path []*replacement, at int) float64 {
	likely := path[at].near
	if likely == 1 {
		likely = float64(s.how.RealWord)
	}
	switch {
	case at == 0 || s.how.Grams == 1:
		likely *= s.one(path[at])
	case at == 1 || s.how.Grams == 2:
		likely *= s.pair(path[at-1], path[at])
	default:
		likely *= s.three(path[at-2], path[at-1], path[at])
	}
	return math.Log10(likely)
}

// rounded keeps a division by something that is not there from being one by 0, as in Elasticsearch.
const rounded = 0.00000000001

func (s gramScorer) one(word *replacement) float64 {
	more := float64(1)
	if s.how.Smoothing.Model == query.Laplace {
		more = s.how.Smoothing.Alpha
	}
	return (more + s.total(word)) / (float64(s.of.words) + more*float64(s.of.terms))
}

func (s gramScorer) pair(before, word *replacement) float64 {
	smoothing, count := &s.how.Smoothing, s.total(before, word)
	switch {
	case smoothing.Model == query.Laplace:
		return (smoothing.Alpha + count) / (float64(before.total) + smoothing.Alpha*float64(s.of.terms))
	case smoothing.Model == query.Linear && count == 0:
		return smoothing.Unigram * s.one(word)
	case smoothing.Model == query.Linear:
		return smoothing.Bigram*(count/(0.5+float64(before.total))) + smoothing.Unigram*s.one(word)
	case count == 0:
		return smoothing.Discount * s.one(word)
	}
	return count / (float64(before.total) + rounded)
}

func (s gramScorer) three(first, before, word *replacement) float64 {
	smoothing := &s.how.Smoothing
	switch smoothing.Model {
	case query.Laplace:
		return (smoothing.Alpha + s.total(first, before, word)) / (s.total(before, word) + smoothing.Alpha*float64(s.of.terms))
	case query.Linear: // Elasticsearch joins the words from the last to the first
		count := s.total(word, before, first)
		if count == 0 {
			return s.pair(before, word)
		}
		return smoothing.Trigram*(count/(1+s.total(word, before))) + s.pair(before, word)
	}
	pairs := s.total(before, word)
	if pairs == 0 {
		return smoothing.Discount * s.one(word)
	}
	if count := s.total(first, before, word); count > 0 {
		return count / (pairs + rounded)
	}
	return smoothing.Discount * (pairs / (float64(before.total) + rounded))
}
