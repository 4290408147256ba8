package koncorde

import "slices"

// expand gives the disjunctive normal form by multiplying out, without conjunctions that cannot be true or say no more
// than another one. Operands are taken in a fixed order, so that their order in the filter does not matter.
func (n *normaliser) expand(c *clause) (terms, error) {
	switch c.op {
	case opTest:
		return terms{{c.literal}}, nil
	case opOr:
		return n.expandOr(c.operands)
	}
	factors, err := n.expandEach(c.operands)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(factors, func(a, b terms) int { return slices.CompareFunc(a, b, compareTerms) })
	// Small factors first: most of what cannot be true falls away early.
	slices.SortStableFunc(factors, func(a, b terms) int { return len(a) - len(b) })
	product := terms{{}}
	for _, factor := range factors {
		if product, err = n.multiply(product, factor); err != nil {
			return nil, err
		}
	}
	return product, nil
}

func (n *normaliser) expandOr(operands []*clause) (terms, error) {
	parts, err := n.expandEach(operands)
	if err != nil {
		return nil, err
	}
	return n.absorb(slices.Concat(parts...))
}

func (n *normaliser) expandEach(operands []*clause) ([]terms, error) {
	all := make([]terms, len(operands))
	for i, operand := range operands {
		var err error
		if all[i], err = n.expand(operand); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// conjoinWork is what making a conjunction costs before anything is compared.
const conjoinWork = 10

func (n *normaliser) multiply(a, b terms) (terms, error) {
	var product terms
	for _, left := range a {
		for _, right := range b {
			if err := n.spend(conjoinWork + 3*len(left)*len(right)); err != nil {
				return nil, err
			}
			if joined, possible := conjoin(left, right, n.budget); possible {
				product = append(product, joined)
			}
		}
	}
	return n.absorb(product)
}

// conjoin gives the literals of both without those that others imply; possible is false when they contradict each other.
func conjoin(left, right []literal, b *budget) (joined []literal, possible bool) {
	joined = slices.Clone(left)
	for _, l := range right {
		for _, m := range joined {
			if m.implies(l.not(), b) {
				return nil, false
			}
		}
		if slices.ContainsFunc(joined, func(m literal) bool { return m.implies(l, b) }) {
			continue
		}
		joined = slices.DeleteFunc(joined, func(m literal) bool { return l.implies(m, b) })
		joined = append(joined, l)
	}
	slices.SortFunc(joined, compareLiterals)
	return joined, true
}

// absorb removes conjunctions that say no more than another one. When two together are always true, only the empty
// conjunction is left.
func (n *normaliser) absorb(all terms) (terms, error) {
	all.sort()
	var kept terms
	for _, term := range all {
		if err := n.spend(1 + len(kept)); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(kept, func(k []literal) bool { return covers(k, term, n.budget) }) {
			continue
		}
		kept = slices.DeleteFunc(kept, func(k []literal) bool { return covers(term, k, n.budget) })
		if len(term) == 1 && slices.ContainsFunc(kept, func(k []literal) bool { return len(k) == 1 && k[0].not().implies(term[0], n.budget) }) {
			return terms{{}}, nil
		}
		kept = append(kept, term)
	}
	return kept, nil
}

// covers reports whether wide is true whenever narrow is: each literal of wide follows from one of narrow.
func covers(wide, narrow []literal, b *budget) bool {
	for _, w := range wide {
		if !b.compare(len(narrow)) {
			return false
		}
		if !slices.ContainsFunc(narrow, func(l literal) bool { return l.implies(w, b) }) {
			return false
		}
	}
	return true
}
