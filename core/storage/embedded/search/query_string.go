package search

import (
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// maxParts is how many clauses the text of one query may become, in all fields together.
const maxParts = 1 << 16

// phrased compiles a query in words.
func (c compiler) phrased(q query.Query) (clause, error) {
	found, err := c.clausesOf(q)
	if err != nil {
		return nil, err
	}
	return c.called("query_string").compile(found)
}

func (c compiler) clausesOf(q query.Query) (query.Query, error) {
	switch q := q.(type) {
	case *query.QueryString:
		return newPhrasing(c, q).clauses()
	case *query.SimpleQueryString:
		return newSimplePhrasing(c, q).clauses()
	}
	return nil, fmt.Errorf("search: no query in words, but a %T", q)
}

// forgiving compiles a clause that matches nothing when it does not suit the mapping.
func (c compiler) forgiving(q *query.Forgiving) (clause, error) {
	found, err := c.compile(q.Query)
	if forgiven(query.Words{Lenient: true}, err) {
		return nothing{}, nil
	}
	return found, err
}

// phrasing makes clauses of the text of a query.
type phrasing struct {
	compiler
	*query.Phrasing
	// fields are those in which is looked for what names none.
	fields []query.WeightedField
	// own is the field that everything names which names none, empty when there are several.
	own  string
	kind query.MultiMatchType
	// tie is how much the fields count that are not the best one, quotedTie the same for phrases.
	tie, quotedTie float64
	quoteAnalyzer  string
	slop           int
	zone           string
	states         int
	// simple is the smaller language, in which a text before * that is taken apart is looked for only where there is an index.
	simple bool
	// combine gives the clause of the members of a text or a group, nil when nothing is left of them.
	combine func([]query.Member) (query.Query, error)
	parts   int
}

func newPhrasing(c compiler, q *query.QueryString) *phrasing {
	p := &phrasing{
		compiler: c, Phrasing: &q.Phrasing, kind: q.Type, tie: q.TieBreaker, quotedTie: q.TieBreaker, quoteAnalyzer: q.QuoteAnalyzer,
		slop: q.Slop, zone: q.TimeZone, states: q.MaxStates,
	}
	if q.Named {
		p.own = q.Fields[0].Pattern
	}
	p.combine = p.members
	return p
}

// plain is what a clause has that the text says nothing of.
func plain() query.Common { return query.Common{Boost: 1} }

// clauses gives the query for the whole text.
func (p *phrasing) clauses() (query.Query, error) {
	if p.quoteAnalyzer == "" {
		p.quoteAnalyzer = p.Analyzer
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	found, err := p.combine(p.Members)
	switch b, ok := found.(*query.Bool); {
	case err != nil:
		return nil, err
	case found == nil:
		return &query.MatchNone{Common: plain()}, nil
	case ok && p.MinimumShouldMatch.Set:
		b.MinimumShouldMatch = p.MinimumShouldMatch
	}
	return found, nil
}

// begin checks the analyzers and finds the fields.
func (p *phrasing) begin() error {
	for _, name := range []string{p.Analyzer, p.quoteAnalyzer} {
		if _, ok := p.Mapping.Analyzer(name); name != "" && !ok {
			return refuse("failed to create query: analyzer [%s] not found", name)
		}
	}
	p.fields = p.mapped(p.Fields)
	return nil
}

// mapped replaces patterns by fields, and leaves out those that are not mapped.
func (p *phrasing) mapped(patterns []query.WeightedField) []query.WeightedField {
	var list []query.WeightedField
	for _, f := range p.weightedFields(patterns) {
		found := p.Mapping.Resolve(f.Pattern)
		if f.Pattern == idField || found != nil && found.Type != mapping.Object && found.Type != mapping.Nested {
			list = append(list, f)
		}
	}
	return list
}

// in gives the fields of a piece.
func (p *phrasing) in(path string, quoted bool) []query.WeightedField {
	list := p.fields
	if path != p.own {
		list = p.mapped([]query.WeightedField{{Pattern: path, Boost: 1}})
	}
	if !quoted || p.QuoteSuffix == "" {
		return list
	}
	suffixed := slices.Clone(list)
	for i, f := range list {
		if p.Mapping.Resolve(f.Pattern+p.QuoteSuffix) != nil {
			suffixed[i].Pattern += p.QuoteSuffix
		}
	}
	return suffixed
}

// members gives the clause of the members of a text or a group, nil when nothing is left of them.
func (p *phrasing) members(members []query.Member) (query.Query, error) {
	s := &sequence{all: p.All}
	var first query.Query
	for i, m := range members {
		found, err := p.piece(m.Piece)
		if err != nil {
			return nil, err
		}
		if i == 0 && m.Sign == query.NoSign {
			first = found
		}
		if m.Run {
			s.run(found)
		} else {
			s.add(m, found)
		}
	}
	switch {
	case len(s.list) == 0:
		return nil, nil //nolint:nilnil // as in the original the clause around it is as if nothing were written
	case len(s.list) == 1 && first != nil:
		return first, nil
	}
	return s.query(), nil
}
