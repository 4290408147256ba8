package search

import "github.com/sluicehq/sluice/core/storage/query"

func newSimplePhrasing(c compiler, q *query.SimpleQueryString) *phrasing {
	p := &phrasing{compiler: c, Phrasing: &q.Phrasing, kind: query.MostFields, tie: 1, simple: true}
	p.combine = p.simpleMembers
	if q.Everything {
		p.combine = func([]query.Member) (query.Query, error) { return &query.MatchAll{Common: plain()}, nil }
	}
	return p
}

// simpleMembers is members for a SimpleQueryString, in which operators have no precedence: another operator than the one before
// takes all before it together.
func (p *phrasing) simpleMembers(members []query.Member) (query.Query, error) {
	chain := &chain{usual: query.OrJoin}
	if p.All {
		chain.usual = query.AndJoin
	}
	for _, m := range members {
		if m.Piece == nil {
			chain.say(m.Join)
			continue
		}
		found, err := p.piece(m.Piece)
		if err != nil {
			return nil, err
		}
		if found != nil && m.Sign == query.Excluded {
			found = &query.Bool{Common: plain(), MustNot: []query.Query{found}, Should: []query.Query{&query.MatchAll{Common: plain()}}}
		}
		chain.add(found)
	}
	return chain.query, nil
}

// chain is the clauses so far, and how the last of them and the next one are joined.
type chain struct {
	query               query.Query // nil when there is none
	usual, before, next query.Join
}

// say notes an operator. The first one counts.
func (c *chain) say(j query.Join) {
	switch {
	case j == query.Unjoin:
		c.next = query.NoJoin
	case c.next == query.NoJoin && c.query != nil:
		c.next = j
	}
}

// add adds a clause, nil when nothing is left of it: then the operator is for the next one.
func (c *chain) add(found query.Query) {
	if found == nil {
		return
	}
	join := c.next
	c.next = query.NoJoin
	if c.query == nil {
		c.query = found
		return
	}
	if join == query.NoJoin {
		join = c.usual
	}
	b, ok := c.query.(*query.Bool)
	if !ok || join != c.before {
		b = &query.Bool{Common: plain()}
		c.join(b, join, c.query)
	}
	c.join(b, join, found)
	c.query, c.before = b, join
}

func (c *chain) join(b *query.Bool, j query.Join, found query.Query) {
	if j == query.AndJoin {
		b.Must = append(b.Must, found)
	} else {
		b.Should = append(b.Should, found)
	}
}
