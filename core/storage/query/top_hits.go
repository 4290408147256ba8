package query

// TopHits shows the best documents of a bucket.
type TopHits struct {
	Shown
	// TrackScores gives scores to hits that are sorted by something else.
	TrackScores bool
}

// maxTopHits is how many hits of a bucket are looked at, as in Elasticsearch.
const maxTopHits = 100

func parseTopHits(p *parser, n *node, of *Aggregation) (any, error) {
	if err := of.single(n); err != nil {
		return nil, err
	}
	a := &TopHits{Shown: Shown{Size: 3}}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "track_scores":
			err = m.setBool(&a.TrackScores)
		default:
			if err = refuseScripts(m); err == nil {
				err = a.option(p, m)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if a.From+a.Size == 0 {
		return nil, n.fail("size must be 1 or more")
	}
	return a, a.check(n, maxTopHits)
}

// Plainly says that the best score comes first, and that nothing else counts.
func (s *Shown) Plainly() bool {
	return len(s.Sort) == 0 || len(s.Sort) == 1 && s.Sort[0].Field == ByScore && s.Sort[0].Desc
}

// TopHitsOf calls visit for the top_hits in aggregations.
func TopHitsOf(list []Aggregation, visit func(*TopHits)) {
	for i := range list {
		if of, ok := list[i].Of.(*TopHits); ok {
			visit(of)
		}
		TopHitsOf(list[i].Subs, visit)
	}
}
