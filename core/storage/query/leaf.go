package query

import "github.com/go-json-experiment/json/jsontext"

// Term matches documents whose field holds exactly Value.
type Term struct {
	Common
	Field           string
	Value           jsontext.Value // a text, a number or a boolean
	CaseInsensitive bool
}

// Terms matches documents whose field holds one of Values. Its score is the boost.
type Terms struct {
	Common
	Field  string
	Values []jsontext.Value // texts, numbers or booleans
}

// Exists matches documents that have a value, other than null, in the field or below it.
type Exists struct {
	Common
	Field string // may hold * as a wildcard
}

// IDs matches documents by their ids.
type IDs struct {
	Common
	Values []string
}

// Pattern is what clauses that describe terms have in common.
type Pattern struct {
	Common
	Field           string
	Value           string
	CaseInsensitive bool
}

// Prefix matches documents with a term in the field that starts with Value. Its score is the boost.
type Prefix struct{ Pattern }

// Wildcard matches documents with a term in the field that Value describes: * is any text, ? is any one character, \ takes
// the meaning from the character behind it. Its score is the boost.
type Wildcard struct{ Pattern }

// Regexp matches documents with a term in the field that Value describes as a whole, in Lucene's syntax. Its score is the
// boost.
type Regexp struct {
	Pattern
	Flags string // such as "INTERVAL|EMPTY"; "ALL" when the query does not say
	// MaxStates bounds the work that the expression may cause.
	MaxStates int
}

func parseTerm(n *node) (Query, error) {
	f, err := n.only("one field")
	if err != nil {
		return nil, err
	}
	q := &Term{Common: plain, Field: f.name}
	if f.kind() != '{' {
		return q, f.setValue(&q.Value)
	}
	for _, m := range f.children {
		switch m.name {
		case "value":
			err = m.setValue(&q.Value)
		case "case_insensitive":
			err = m.setBool(&q.CaseInsensitive)
		default:
			err = q.other(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if q.Value == nil {
		return nil, f.fail("expected a value")
	}
	return q, nil
}

func parseTerms(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &Terms{Common: plain}
	var field *node
	for _, m := range n.children {
		taken, err := q.option(m)
		if err != nil {
			return nil, err
		}
		if taken {
			continue
		}
		if field != nil {
			return nil, n.fail("expected one field only, found %q and %q", field.name, m.name)
		}
		field = m
	}
	switch {
	case field == nil:
		return nil, n.fail("expected one field, found nothing")
	case field.kind() == '{':
		return nil, field.fail("a lookup of terms is not supported yet")
	case field.kind() != '[':
		return nil, field.fail("expected a list of values")
	case len(field.children) > maxTerms:
		return nil, field.fail("more than %d values", maxTerms)
	}
	q.Field, q.Values = field.name, make([]jsontext.Value, len(field.children))
	for i, item := range field.children {
		if err := item.setValue(&q.Values[i]); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func parseExists(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &Exists{Common: plain}
	for _, m := range n.children {
		var err error
		if m.name == "field" {
			err = m.setText(&q.Field)
		} else {
			err = q.other(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if q.Field == "" {
		return nil, n.fail("expected a field")
	}
	return q, nil
}

func parseIDs(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &IDs{Common: plain}
	for _, m := range n.children {
		if m.name != "values" {
			if err := q.other(m); err != nil {
				return nil, err
			}
			continue
		}
		list := m.list()
		if len(list) > maxTerms {
			return nil, m.fail("more than %d values", maxTerms)
		}
		q.Values = make([]string, len(list))
		for i, item := range list {
			if err := item.setScalarText(&q.Values[i]); err != nil {
				return nil, err
			}
		}
	}
	if q.Values == nil {
		return nil, n.fail("expected values")
	}
	return q, nil
}

func parsePrefix(n *node) (Query, error) {
	q := &Prefix{Pattern{Common: plain}}
	return q, q.parse(n, nil)
}

func parseWildcard(n *node) (Query, error) {
	q := &Wildcard{Pattern{Common: plain}}
	return q, q.parse(n, nil)
}

// defaultStates is MaxStates when the query does not say.
const defaultStates = 10000

func parseRegexp(n *node) (Query, error) {
	q := &Regexp{Pattern{Common: plain}, "ALL", defaultStates}
	return q, q.parse(n, func(m *node) (bool, error) {
		switch m.name {
		case "flags":
			return true, m.setText(&q.Flags)
		case "max_determinized_states":
			return true, m.setInt(&q.MaxStates, 1)
		}
		return false, nil
	})
}

// rewrites give every match the boost for its score, as the engines do; other methods are not supported.
var rewrites = []string{"constant_score", "constant_score_blended", "constant_score_boolean"}

// parse reads {field: value} and {field: {value, …}}. more takes the options that only one clause has.
func (q *Pattern) parse(n *node, more func(*node) (bool, error)) error {
	f, err := n.only("one field")
	if err != nil {
		return err
	}
	q.Field = f.name
	if f.kind() != '{' {
		return f.setScalarText(&q.Value)
	}
	found := false
	for _, m := range f.children {
		switch m.name {
		case "value", n.name: // the name of the clause is an old word for value
			if found {
				return f.fail("expected one value only")
			}
			found, err = true, m.setScalarText(&q.Value)
		case "case_insensitive":
			err = m.setBool(&q.CaseInsensitive)
		case "rewrite":
			err = m.setWord(new(string), rewrites...)
		default:
			var taken bool
			if more != nil {
				taken, err = more(m)
			}
			if !taken {
				err = q.other(m)
			}
		}
		if err != nil {
			return err
		}
	}
	if !found {
		return f.fail("expected a value")
	}
	return nil
}
