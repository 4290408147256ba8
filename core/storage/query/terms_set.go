package query

import "github.com/go-json-experiment/json/jsontext"

// TermsSet matches documents whose field holds as many of Values as another field of theirs says, or as MinimumShouldMatch does.
type TermsSet struct {
	Common
	Field  string
	Values []jsontext.Value // texts, numbers or booleans
	// MinimumField is empty when MinimumShouldMatch counts.
	MinimumField       string
	MinimumShouldMatch MinimumShouldMatch
}

func parseTermsSet(n *node) (Query, error) {
	f, err := n.only("one field")
	if err != nil {
		return nil, err
	}
	if err := f.wantObject(); err != nil {
		return nil, err
	}
	q := &TermsSet{Common: plain, Field: f.name}
	for _, m := range f.children {
		if err := q.option(m); err != nil {
			return nil, err
		}
	}
	switch {
	case q.Values == nil:
		return nil, f.fail("expected terms")
	case (q.MinimumField == "") != q.MinimumShouldMatch.Set:
		return nil, f.fail("expected minimum_should_match_field or minimum_should_match")
	}
	return q, nil
}

func (q *TermsSet) option(m *node) error {
	switch m.name {
	case "terms":
		return q.setValues(m)
	case "minimum_should_match_field":
		return m.setText(&q.MinimumField)
	case "minimum_should_match":
		return m.setMinimum(&q.MinimumShouldMatch)
	case "minimum_should_match_script":
		return refuseScripts(m)
	}
	return q.other(m)
}

// setValues takes as many values as a search has clauses: each is one.
func (q *TermsSet) setValues(m *node) error {
	switch {
	case m.kind() != '[':
		return m.fail("expected a list of values")
	case len(m.children) > maxClauses:
		return m.fail("more than %d values", maxClauses)
	}
	q.Values = make([]jsontext.Value, len(m.children))
	for i, item := range m.children {
		if err := item.setValue(&q.Values[i]); err != nil {
			return err
		}
	}
	return nil
}
