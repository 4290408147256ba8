package search

import (
	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// patternField finds the field of a clause that describes terms.
func (c compiler) patternField(path, clause, types string) (*mapping.Field, error) {
	const refused = "Can only use %s queries on %s fields - not on [%s] which is of type [%s]"
	if path == idField {
		return nil, refuse(refused, clause, types, path, path)
	}
	f, err := c.field(path)
	if f != nil && f.Type != mapping.Keyword && f.Type != mapping.Text && f.Type != mapping.Flattened {
		return nil, refuse(refused, clause, types, path, f.Type)
	}
	if f != nil && f.Key != nil && clause != "prefix" {
		return nil, refuse("failed to create query: [%s] queries are not currently supported on keyed [flattened] fields.", clause)
	}
	return f, err
}

const patternTypes = "keyword, text and wildcard"

func (c compiler) prefix(q *query.Prefix) (clause, error) {
	f, err := c.patternField(q.Field, "prefix", patternTypes)
	if f == nil {
		return nothing{}, err
	}
	text := c.keywordOf(f, q.Value)
	if q.CaseInsensitive {
		a, err := c.automaton(f.Path, patternOf(q, text))
		return c.accepted(f, a, err)
	}
	return c.steady(between{field: f, from: text, to: behind(text)}), nil
}

func (c compiler) wildcard(q *query.Wildcard) (clause, error) {
	f, err := c.patternField(q.Field, "wildcard", patternTypes)
	if f == nil || q.Value == "" { // which in Elasticsearch is not the empty text
		return nothing{}, err
	}
	a, err := c.automaton(f.Path, patternOf(q, c.keywordOf(f, q.Value)))
	return c.accepted(f, a, err)
}

func (c compiler) regexp(q *query.Regexp) (clause, error) {
	f, err := c.patternField(q.Field, "regexp", "keyword and text")
	switch {
	case f == nil:
		return nothing{}, err
	case q.CaseInsensitive && !f.Index:
		return nil, refuse("failed to create query: case_insensitive cannot be used on the field [%s] since it is not indexed.", q.Field)
	case q.CaseInsensitive && q.Value == "": // as in wildcard
		return nothing{}, nil
	}
	a, err := c.automaton(f.Path, patternOf(q, c.keywordOf(f, q.Value)))
	return c.accepted(f, a, err)
}

// folded compiles the search for a term in any case.
func (c compiler) folded(q *query.Term) (clause, error) {
	f, err := c.field(q.Field)
	switch {
	case f == nil:
		return nothing{}, err
	case f.Type == mapping.Boolean && !f.Index:
		return nil, refuse("failed to create query: Cannot search on field [%s] since it is not indexed.", q.Field)
	case f.Type == mapping.Boolean:
		inner, err := c.value(f, q.Value)
		if err != nil {
			return nil, err
		}
		return c.steady(inner), nil
	case f.Type != mapping.Keyword && f.Type != mapping.Text && f.Type != mapping.Flattened:
		return nil, refuse("[%s] field which is of type [%s], does not support case insensitive term queries", q.Field, f.Type)
	}
	text := c.keywordOf(f, query.Text(q.Value))
	if len(text) == 0 && f.Index { // as in wildcard
		return nothing{}, nil
	}
	a, err := c.automaton(f.Path, patternOf(q, text))
	return c.accepted(f, a, err)
}

// accepted is the search for the terms that an automaton accepts.
func (c compiler) accepted(f *mapping.Field, a *automaton.Automaton, err error) (clause, error) {
	if err != nil {
		return nil, err
	}
	if a.WillAlwaysMatch(a.Start()) {
		return c.steady(between{field: f}), nil
	}
	inner := between{field: f, automaton: a}
	if prefix := a.Prefix(); len(prefix) > 0 {
		inner.from, inner.to = prefix, behind(prefix)
	}
	return c.steady(inner), nil
}
