package search

import (
	"errors"
	"fmt"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxWords is how many words the text of a clause may have. Each is a clause of its own in Elasticsearch, which by default
// allows as many clauses.
const maxWords = 1024

// words takes the text of a clause apart. whole says that the value is one term of a field that is not analysed.
func (c compiler) words(f *mapping.Field, q *query.Full) (tokens []analysis.Token, whole bool, err error) {
	name := q.Analyzer
	switch {
	case name == "" && f.Type != mapping.Text:
		return nil, true, nil
	case name == "":
		name = f.QueryAnalyzer()
	}
	a, ok := analysis.Named(name)
	if !ok {
		return nil, false, refuse("failed to create query: analyzer [%s] not found", name)
	}
	tokens = a.Tokens([]byte(query.Text(q.Value)), nil)
	if len(tokens) > maxWords {
		return nil, false, fmt.Errorf("%w: %w", errTooMuch, refuse("failed to create query: %s: the text for the field [%s] has %d words, and may have %d",
			c.clause, f.Path, len(tokens), maxWords))
	}
	return tokens, false, c.charge(len(tokens), wordBytes)
}

// empty is the clause of a text without words.
func (c compiler) empty(q *query.Full) clause {
	if q.AllWhenEmpty {
		return c.steady(everything{c.space})
	}
	return nothing{}
}

// match compiles the search for words of a text.
func (c compiler) match(path string, q query.Full, how query.Words) (clause, error) {
	found, err := c.matchStrictly(path, q, how)
	if forgiven(how, err) {
		return nothing{}, nil
	}
	return found, err
}

// forgiven reports whether a clause matches nothing instead of failing.
func forgiven(how query.Words, err error) bool {
	return how.Lenient && errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) && !errors.Is(err, errTooMuch)
}

func (c compiler) matchStrictly(path string, q query.Full, how query.Words) (clause, error) {
	if path == idField {
		return c.term(path, q.Value)
	}
	f, err := c.field(path)
	if f == nil {
		return nothing{}, err
	}
	if f.Type == mapping.GeoPoint {
		return nil, refuse("failed to create query: Field [%s] of type [geo_point] does not support match queries", path)
	}
	tokens, whole, err := c.words(f, &q)
	switch {
	case err != nil:
		return nil, err
	case whole:
		return c.term(path, q.Value)
	case len(tokens) == 0:
		return c.empty(&q), nil
	}
	parts := make([]clause, len(tokens))
	for i, token := range tokens {
		if parts[i], err = c.term(path, quote(string(token.Term))); err != nil {
			return nil, err
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	combined := &boolean{space: c.space}
	if how.All {
		if how.MinimumShouldMatch.Of(0) > 0 { // of no optional words, as Elasticsearch has it
			return nothing{}, nil
		}
		combined.must = parts
		return combined.simplify(c.scores), nil
	}
	combined.should, combined.needed = parts, 1
	if how.MinimumShouldMatch.Set {
		combined.needed = max(1, how.MinimumShouldMatch.Of(len(parts)))
	}
	if combined.needed > len(parts) {
		return nothing{}, nil
	}
	return combined.simplify(c.scores), nil
}
