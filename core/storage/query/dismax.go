package query

// DisMax matches what any of Queries does. The best score counts, and the others by TieBreaker.
type DisMax struct {
	Common
	Queries    []Query
	TieBreaker float64 // 0 to 1
}

// Boosting matches what Positive does. The score of what Negative matches too is multiplied by NegativeBoost.
type Boosting struct {
	Common
	Positive, Negative Query
	NegativeBoost      float64
}

func (p *parser) parseDisMax(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &DisMax{Common: plain}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "queries":
			q.Queries, err = p.queries(m)
		case "tie_breaker":
			err = m.setTieBreaker(&q.TieBreaker)
		default:
			err = q.other(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(q.Queries) == 0 {
		return nil, n.fail("expected queries")
	}
	return q, nil
}

// setTieBreaker takes a part of a score.
func (n *node) setTieBreaker(to *float64) error {
	if err := n.setFloat(to); err != nil {
		return err
	}
	if *to < 0 || *to > 1 {
		return n.fail("expected a number from 0 to 1")
	}
	return nil
}

func (p *parser) parseBoosting(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &Boosting{Common: plain, NegativeBoost: -1}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "positive":
			q.Positive, err = p.query(m)
		case "negative":
			q.Negative, err = p.query(m)
		case "negative_boost":
			err = m.setFloat(&q.NegativeBoost)
		default:
			err = q.other(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if q.Positive == nil || q.Negative == nil || q.NegativeBoost < 0 {
		return nil, n.fail("expected positive, negative and a negative_boost that is not negative")
	}
	return q, nil
}
