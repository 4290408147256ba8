package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// explainer says how the documents of a view get their scores from a clause. Documents must come in the order of their numbers.
type explainer struct {
	v       *view
	clause  clause
	found   set    // of a clause that does not score documents by themselves, else nil
	scorer  scorer // nil when nothing matches
	details []*explainer
}

// explanation is how a score came about.
type explanation struct {
	value       float32
	description string
	details     []explanation
}

// explain sets the explanations of hits, whose documents are those of best.
func (e *execution) explain(ctx context.Context, best []found, hits []Hit) error {
	order := make([]int, len(best))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := &best[a], &best[b]
		return cmp.Or(cmp.Compare(x.target, y.target), cmp.Compare(x.view, y.view), cmp.Compare(x.doc, y.doc))
	})
	for len(order) > 0 {
		first := &best[order[0]]
		n := 1
		for n < len(order) && best[order[n]].target == first.target && best[order[n]].view == first.view {
			n++
		}
		p := e.parts[first.target]
		err := p.locked(ctx, p.Views[first.view], func(v *view) error {
			x, err := newExplainer(v, p.query)
			if err != nil {
				return err
			}
			for _, i := range order[:n] {
				one, _ := x.explain(best[i].doc)
				hits[i].Explanation = one.appendTo(nil)
				if err := v.stop(1); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		order = order[n:]
	}
	return nil
}

func newExplainer(v *view, c clause) (x *explainer, err error) {
	x = &explainer{v: v, clause: c}
	if r, ok := c.(ranker); ok {
		x.scorer, err = r.rank(v)
	} else {
		x.found, err = c.matches(v)
	}
	for _, part := range scoring(c) {
		if err != nil {
			return nil, err
		}
		var detail *explainer
		detail, err = newExplainer(v, part)
		x.details = append(x.details, detail)
	}
	return x, err
}

// scoring gives the parts of a clause, over the same documents, that its score is made of.
func scoring(c clause) []clause {
	switch c := c.(type) {
	case *fixedBoolean:
		return slices.Concat(c.must, c.should)
	case *booleanRanker:
		return slices.Concat(c.must, c.should)
	case *best:
		return c.parts
	case *boosted:
		return []clause{c.clause}
	case *functional:
		return []clause{c.clause}
	case *limitedFunctional:
		return []clause{c.clause}
	}
	return nil
}

// explain reports false when the document does not match.
func (x *explainer) explain(doc uint32) (e explanation, ok bool) {
	switch {
	case x.found != nil:
		one := [1]uint32{doc}
		ok = len(x.found.keep(one[:])) == 1
		if f, scored := x.clause.(fixed); scored {
			e.value = finite(f.score())
		}
	case x.scorer != nil:
		if ok = x.scorer.seek(doc) == doc; ok {
			e.value = finite(x.scorer.score())
		}
	}
	if !ok {
		return explanation{description: "no match"}, false
	}
	e.description = describe(x.clause)
	for _, part := range x.details {
		if detail, matched := part.explain(doc); matched {
			e.details = append(e.details, detail)
		}
	}
	return x.own(e), true
}

// own adds what the clause itself brings to a score. A clause may lend its scorer to the one around it, whose business it is not.
func (x *explainer) own(e explanation) explanation {
	s := x.scorer
	if limited, ok := s.(*limitedScorer); ok {
		s = limited.scorer
	}
	switch x.clause.(type) {
	case *functional, *limitedFunctional:
		if s, ok := s.(*functionScorer); ok {
			e.details = append(e.details, s.explain())
		}
	case *word:
		if s, ok := s.(*wordScorer); ok {
			e.details = append(e.details, explanation{value: float32(s.occurrences.Freq()), description: "how often the word is in the field"})
		}
	}
	return e
}

// explain says what the functions give for the document it stands on.
func (s *functionScorer) explain() explanation {
	factor := min(s.factor(s.doc()), s.query.MaxBoost)
	return explanation{value: finite(float32(factor)), description: fmt.Sprintf("the functions that match, combined by %s", s.mode)}
}

// describe says in words what the score of a clause is.
func describe(c clause) string {
	switch c := c.(type) {
	case *fixedBoolean, *booleanRanker:
		return "sum of:"
	case *best:
		return fmt.Sprintf("the best of the following, plus %v times the others:", c.tie)
	case *boosted:
		return fmt.Sprintf("the following, times %v when negative matches:", c.factor)
	case *functional:
		return fmt.Sprintf("the following, combined by %s:", c.query.BoostMode)
	case *limitedFunctional:
		return fmt.Sprintf("the following, combined by %s, at least %v:", c.query.BoostMode, c.query.MinScore)
	case *word:
		return fmt.Sprintf("weight of the word %q in the field %s (BM25), from:", c.terms[0], c.field.Path)
	case *alternatives:
		return fmt.Sprintf("weight of any of %d words in the field %s (BM25)", len(c.terms), c.field.Path)
	case *phrase:
		return fmt.Sprintf("weight of a phrase in the field %s (BM25)", c.field.Path)
	case *nestedRanker:
		return fmt.Sprintf("scores of the objects in %s that match, combined by score_mode", c.path)
	case *lifted:
		return fmt.Sprintf("score of the objects in %s that match", c.path)
	case ranker:
		return "score of the clause"
	case fixed:
		return "score of every document that matches the clause"
	}
	return "a filter, which does not score"
}

// appendTo writes the explanation as Elasticsearch does.
func (e *explanation) appendTo(dst jsontext.Value) jsontext.Value {
	dst = append(append(dst, `{"value":`...), scoreJSON(e.value)...)
	dst = append(append(dst, `,"description":`...), quote(e.description)...)
	dst = append(dst, `,"details":[`...)
	for i := range e.details {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.details[i].appendTo(dst)
	}
	return append(dst, "]}"...)
}
