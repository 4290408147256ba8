package search

import (
	"slices"

	"github.com/sluicehq/sluice/core/storage/query"
)

// sequence is clauses with how each of them counts.
type sequence struct {
	all  bool
	list []counted
}

type counted struct {
	query query.Query
	as    query.Sign
}

// usual is how a clause counts of which the text says nothing.
func (s *sequence) usual() query.Sign {
	if s.all {
		return query.Required
	}
	return query.NoSign
}

// run adds a row of words, of which each counts when they are in one field.
func (s *sequence) run(found query.Query) {
	b, ok := found.(*query.Bool)
	switch {
	case ok && b.Boost == 1:
		for _, part := range slices.Concat(b.Should, b.Must) {
			s.list = append(s.list, counted{part, s.usual()})
		}
	case found != nil:
		s.list = append(s.list, counted{found, s.usual()})
	}
}

// add adds a clause. What is joined changes how the one before counts too, even when nothing is left of this one.
func (s *sequence) add(m query.Member, found query.Query) {
	if n := len(s.list); n > 0 && s.list[n-1].as != query.Excluded {
		switch {
		case m.Join == query.AndJoin:
			s.list[n-1].as = query.Required
		case m.Join == query.OrJoin && s.all:
			s.list[n-1].as = query.NoSign
		}
	}
	if found == nil {
		return
	}
	as := m.Sign
	if as == query.NoSign && (m.Join == query.AndJoin || s.all && m.Join != query.OrJoin) {
		as = query.Required
	}
	if s.all && m.Join == query.OrJoin && as == query.Required {
		as = query.NoSign
	}
	s.list = append(s.list, counted{found, as})
}

// query gives the clauses as one.
func (s *sequence) query() query.Query {
	b := &query.Bool{Common: plain()}
	for _, c := range s.list {
		switch c.as {
		case query.Required:
			b.Must = append(b.Must, c.query)
		case query.Excluded:
			b.MustNot = append(b.MustNot, c.query)
		case query.NoSign:
			b.Should = append(b.Should, c.query)
		}
	}
	return b
}
