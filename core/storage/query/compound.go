package query

// Bool combines clauses: every one of Must and Filter, none of MustNot, and as many of Should as MinimumShouldMatch says.
// Must and Should make the score.
type Bool struct {
	Common
	Must, Filter, Should, MustNot []Query
	// MinimumShouldMatch says nothing when the query does not: then one of Should must match when there is neither Must nor
	// Filter, and none otherwise. Needed applies that rule.
	MinimumShouldMatch MinimumShouldMatch
}

// Needed is how many of Should must match. It may be more than there are: then nothing matches.
func (q *Bool) Needed() int {
	switch {
	case q.MinimumShouldMatch.Set:
		return q.MinimumShouldMatch.Of(len(q.Should))
	case len(q.Should) > 0 && len(q.Must) == 0 && len(q.Filter) == 0:
		return 1
	}
	return 0
}

// ConstantScore matches what Filter matches, with the boost for a score.
type ConstantScore struct {
	Common
	Filter Query
}

// ScoreMode is how the scores of several nested objects make one.
type ScoreMode string

// The score modes.
const (
	ScoreAvg  ScoreMode = "avg"
	ScoreSum  ScoreMode = "sum"
	ScoreMin  ScoreMode = "min"
	ScoreMax  ScoreMode = "max"
	ScoreNone ScoreMode = "none"
)

// Nested matches documents with an object under Path, which is of type nested, that Query matches.
type Nested struct {
	Common
	Path      string
	Query     Query
	ScoreMode ScoreMode
	// IgnoreUnmapped lets an unknown Path match nothing, and not fail.
	IgnoreUnmapped bool
}

func (p *parser) parseBool(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &Bool{Common: plain}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "must":
			q.Must, err = p.queries(m)
		case "filter":
			q.Filter, err = p.queries(m)
		case "should":
			q.Should, err = p.queries(m)
		case "must_not":
			q.MustNot, err = p.queries(m)
		case "minimum_should_match":
			err = m.setMinimum(&q.MinimumShouldMatch)
		case "adjust_pure_negative":
			adjust := true
			if err = m.setBool(&adjust); err == nil && !adjust {
				err = m.unsupported()
			}
		default:
			err = q.other(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

// queries reads a clause or a list of clauses.
func (p *parser) queries(n *node) ([]Query, error) {
	list := n.list()
	queries := make([]Query, len(list))
	for i, item := range list {
		var err error
		if queries[i], err = p.query(item); err != nil {
			return nil, err
		}
	}
	return queries, nil
}

func (p *parser) parseConstantScore(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &ConstantScore{Common: plain}
	for _, m := range n.children {
		var err error
		if m.name == "filter" {
			q.Filter, err = p.query(m)
		} else {
			err = q.other(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if q.Filter == nil {
		return nil, n.fail("expected a filter")
	}
	return q, nil
}

func (p *parser) parseNested(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &Nested{Common: plain, ScoreMode: ScoreAvg}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "path":
			err = m.setText(&q.Path)
		case "query":
			q.Query, err = p.query(m)
		case "score_mode":
			err = m.setWord((*string)(&q.ScoreMode), "avg", "sum", "min", "max", "none")
		case "ignore_unmapped":
			err = m.setBool(&q.IgnoreUnmapped)
		case "inner_hits":
			if err = refuseScripts(m); err == nil {
				err = m.unsupported()
			}
		default:
			err = q.other(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if q.Path == "" || q.Query == nil {
		return nil, n.fail("expected a path and a query")
	}
	return q, nil
}
