package search

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

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
	case name == "" && f.SplitQueries:
		name = "whitespace"
	case name == "" && f.Type != mapping.Text:
		return nil, true, nil
	case name == "":
		name = f.QueryAnalyzer()
	}
	a, ok := c.Mapping.Analyzer(name)
	if !ok {
		return nil, false, refuse("failed to create query: analyzer [%s] not found", name)
	}
	if a.Graph() {
		return nil, false, refuse("failed to create query: analyzer [%s] has synonyms of several words, which count for documents only: name another search_analyzer for the field [%s]",
			name, f.Path)
	}
	tokens = a.Tokens(c.texts, []byte(query.Text(q.Value)), nil)
	if err := c.spent(); err != nil {
		return nil, false, err
	}
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
	f, tokens, err := c.matchWords(path, &q)
	switch {
	case f == nil && path == idField && err == nil, f != nil && tokens == nil && err == nil:
		return c.matchTerm(path, q.Value, how)
	case f == nil || err != nil:
		return nothing{}, err
	case len(tokens) == 0:
		return c.empty(&q), nil
	}
	parts, err := c.matchPlaces(f, path, tokens, how)
	if err != nil {
		return nil, err
	}
	return c.combine(parts, how), nil
}

// matchPlaces compiles the search for the words of each place of a text. Alternatives are not fuzzy.
func (c compiler) matchPlaces(f *mapping.Field, path string, tokens []analysis.Token, how query.Words) (parts []clause, err error) {
	parts = make([]clause, 0, len(tokens))
	for len(tokens) > 0 {
		n := analysis.AtOnePlace(tokens)
		part := clause(nil)
		if n > 1 {
			part = c.alternatives(f, tokens[:n])
		} else if part, err = c.matchTerm(path, quote(string(tokens[0].Term)), how); err != nil {
			return nil, err
		}
		parts, tokens = append(parts, part), tokens[n:]
	}
	return parts, nil
}

// matchWords finds the field and the words of a text; nil, and not an empty list, when the text is one term of it.
func (c compiler) matchWords(path string, q *query.Full) (*mapping.Field, []analysis.Token, error) {
	if path == idField {
		return nil, nil, nil
	}
	f, err := c.field(path)
	if f == nil {
		return nil, nil, err
	}
	if f.Type == mapping.GeoPoint {
		return nil, nil, refuse("failed to create query: Field [%s] of type [geo_point] does not support match queries", path)
	}
	tokens, whole, err := c.words(f, q)
	if !whole && tokens == nil {
		tokens = []analysis.Token{}
	}
	return f, tokens, err
}

// matchTerm compiles the search for one word of a text.
func (c compiler) matchTerm(path string, word jsontext.Value, how query.Words) (clause, error) {
	if how.Fuzziness.Set {
		return c.fuzzy(path, word, how.Fuzzing)
	}
	return c.term(path, word)
}

// combine puts the words of a text together.
func (c compiler) combine(parts []clause, how query.Words) clause {
	if len(parts) == 1 {
		return parts[0]
	}
	combined := &boolean{space: c.space}
	if how.All {
		if how.MinimumShouldMatch.Of(0) > 0 { // of no optional words, as Elasticsearch has it
			return nothing{}
		}
		combined.must = parts
		return combined.simplify(c.scores)
	}
	combined.should, combined.needed = parts, 1
	if how.MinimumShouldMatch.Set {
		combined.needed = max(1, how.MinimumShouldMatch.Of(len(parts)))
	}
	if combined.needed > len(parts) {
		return nothing{}
	}
	return combined.simplify(c.scores)
}

// boolPrefix compiles the search for words of a text of which the last one is the beginning of a word.
func (c compiler) boolPrefix(path string, q query.Full, how query.Words) (clause, error) {
	f, tokens, err := c.matchWords(path, &q)
	switch {
	case err != nil:
		return nothing{}, err
	case f != nil && tokens == nil && f.Type == mapping.Keyword:
		return c.begun(f, c.keywordOf(f, query.Text(q.Value))), nil
	case tokens == nil:
		return c.matchStrictly(path, q, how)
	case len(tokens) == 0:
		return c.empty(&q), nil
	}
	last := len(tokens) - 1
	if last > 0 && tokens[last-1].Position == tokens[last].Position {
		return c.matchStrictly(path, q, how)
	}
	parts, err := c.matchPlaces(f, path, tokens[:last], how)
	if err != nil {
		return nil, err
	}
	part := c.begun(f, tokens[last].Term)
	if int(tokens[last].End) < len(query.Text(q.Value)) { // the word has ended
		if part, err = c.term(path, quote(string(tokens[last].Term))); err != nil {
			return nil, err
		}
	}
	parts = append(parts, part)
	return c.combine(parts, how), nil
}

// begun is the search for the terms that begin with a text.
func (c compiler) begun(f *mapping.Field, text []byte) clause {
	return c.steady(between{field: f, from: text, to: behind(text)})
}
