package koncorde

import "slices"

// joinRanges puts one range, their intersection, in the place of all that a conjunction has on one path; found is false when
// there are none to join. Negated ranges stay: they are true of what is no number, which no range says.
func (n *normaliser) joinRanges(all terms) (joined terms, found bool) {
	joined = make(terms, len(all))
	for i, term := range all {
		joined[i] = n.joinRangesOf(term)
		found = found || len(joined[i]) < len(term)
	}
	return joined, found
}

// joinRangesOf does so for a conjunction that can be true: any two of its ranges have numbers in common, so all have.
func (n *normaliser) joinRangesOf(term []literal) []literal {
	joined := make([]literal, 0, len(term))
	for _, l := range term {
		i := slices.IndexFunc(joined, func(m literal) bool { return l.joins(m) })
		if i < 0 {
			joined = append(joined, l)
			continue
		}
		both := joined[i].tester.(span).both(l.tester.(span))
		joined[i].condition = n.known(newCondition(l.path, both.simplest()))
	}
	return joined
}

// joins reports whether l and m are ranges on one path.
func (l literal) joins(m literal) bool {
	_, one := l.tester.(span)
	_, other := m.tester.(span)
	return one && other && !l.negative && !m.negative && l.path == m.path
}
