package koncorde

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errTooComplex is what filters get whose normal form would take too long to find.
var errTooComplex = errors.New("the filter is too complex: its and and or combine to too many cases")

const (
	// maxWork bounds the comparisons of one normalisation, maxRelationSteps what regular expressions may spend on the values
	// of others: some milliseconds together.
	maxWork          = 250_000
	maxRelationSteps = 400_000
	// maxExact is for how many conditions the smallest form is searched.
	maxExact = 9
)

// Normalise gives the canonical form. limit is how many elementary conditions it may hold (see Conditions), 0 for any
// number; a filter that needs more, or whose form would take too long to find, is refused with words for a client.
//
// The order of operands, of members and of values never matters. Filters of few conditions that mean the same get the
// same form, if the conditions themselves are the same or know of each other (equals and range on one path do, two
// regular expressions do not). Ranges on one path that must all hold are one range. Beyond, only repeated and superfluous parts
// are removed, so that filters that mean the same may get different forms. Different meanings never get the same form.
func (f *Filter) Normalise(limit int) (*Normal, error) {
	normal, err := newNormaliser().run(f.root)
	if err != nil {
		return nil, err
	}
	if count := normal.Conditions(); limit > 0 && count > limit {
		return nil, fmt.Errorf("a filter may hold %d conditions after normalisation, this one has %d", limit, count)
	}
	return normal, nil
}

// normaliser is one run.
type normaliser struct {
	// conditions are all that occur, by key: equal ones are one condition.
	conditions map[string]*condition
	budget     *budget
}

func newNormaliser() *normaliser {
	return &normaliser{map[string]*condition{}, &budget{comparisons: maxWork, steps: maxRelationSteps}}
}

// run normalises a whole filter. What conditions say about each other counts for nothing when it was not all decided.
func (n *normaliser) run(e *expression) (*Normal, error) {
	normal, err := n.normalise(e)
	if err == nil && n.budget.undecided {
		return nil, errTooComplex
	}
	return normal, err
}

func (n *normaliser) spend(work int) error {
	if !n.budget.compare(work) {
		return errTooComplex
	}
	return nil
}

func (n *normaliser) normalise(e *expression) (*Normal, error) {
	c, err := n.clause(e, false)
	if err != nil {
		return nil, err
	}
	for {
		terms, err := n.smallest(c)
		if err != nil {
			return nil, err
		}
		joined, found := n.joinRanges(terms)
		if !found {
			terms.sort()
			return &Normal{terms}, nil
		}
		// The new ranges may know of other conditions. Each round leaves fewer literals, or runs out of work.
		c = joined.clause()
	}
}

// smallest gives the smallest form of c that can be found.
func (n *normaliser) smallest(c *clause) (terms, error) {
	if exact, err := n.searchable(c.literals(nil)); err != nil {
		return nil, err
	} else if exact {
		return minimise(c, n.budget), nil
	}
	terms, err := n.expand(c)
	if err != nil {
		return nil, err
	}
	if exact, err := n.searchable(slices.Concat(terms...)); err != nil {
		return nil, err
	} else if exact {
		return minimise(terms.clause(), n.budget), nil
	}
	return terms, nil
}

// searchable reports whether the smallest form is to be searched: the conditions are few, and some of them know of each
// other. Otherwise removing what is superfluous gives the smallest form already.
func (n *normaliser) searchable(literals []literal) (bool, error) {
	slices.SortFunc(literals, compareLiterals)
	literals = slices.Compact(literals)
	count := len(conditionsOf(literals))
	if len(literals) > 2*maxExact || count > maxExact {
		return false, nil
	}
	for i, l := range literals {
		for _, m := range literals[:i] {
			if l.condition == m.condition || l.implies(m, n.budget) || m.implies(l, n.budget) || l.not().implies(m, n.budget) {
				return true, n.spend(minimiseWork(count))
			}
		}
	}
	return false, nil
}

// minimiseWork is what that search costs before it chooses: each condition is true, false or left out.
func minimiseWork(conditions int) int {
	work := 2
	for range conditions {
		work *= 3
	}
	return work
}

// clause is an expression without negations: they are in its literals.
type clause struct {
	op       operator // opAnd, opOr, opTest
	operands []*clause
	literal  literal // opTest
}

var (
	always = &clause{op: opAnd}
	never  = &clause{op: opOr}
)

// clause gives e, or its negation, with negations moved inwards and constants removed.
func (n *normaliser) clause(e *expression, negative bool) (*clause, error) {
	switch e.op {
	case opNot:
		return n.clause(e.operands[0], !negative)
	case opTest:
		return n.test(e.cond, negative), nil
	case opQuery:
		// A query of its own: what its paths mean is inside the element.
		inner := &normaliser{map[string]*condition{}, n.budget}
		query, err := inner.normalise(e.query.query)
		switch {
		case err != nil:
			return nil, err
		case query.IsNothing() && negative:
			return always, nil
		case query.IsNothing():
			return never, nil
		}
		return n.test(newCondition(e.query.path, element{e.query.index, query}), negative), nil
	}
	joined := &clause{op: e.op}
	if negative {
		joined.op = opAnd + opOr - e.op
	}
	for _, operand := range e.operands {
		c, err := n.clause(operand, negative)
		if err != nil {
			return nil, err
		}
		if !joined.add(c) {
			return c, nil
		}
	}
	if len(joined.operands) == 1 {
		return joined.operands[0], nil
	}
	return joined, nil
}

// add takes an operand; it reports false when c decides alone.
func (c *clause) add(operand *clause) bool {
	switch {
	case operand.op == opTest:
		c.operands = append(c.operands, operand)
	case operand.op == c.op: // constants that change nothing have no operands
		c.operands = append(c.operands, operand.operands...)
	case len(operand.operands) == 0:
		return false
	default:
		c.operands = append(c.operands, operand)
	}
	return true
}

func (n *normaliser) test(c *condition, negative bool) *clause {
	if p, ok := c.tester.(place); ok && negative {
		p.outside, negative = !p.outside, false
		c = newCondition(c.path, p)
	}
	return &clause{op: opTest, literal: literal{n.known(c), negative}}
}

// known gives the condition that is the same as c.
func (n *normaliser) known(c *condition) *condition {
	if known := n.conditions[c.key]; known != nil {
		return known
	}
	n.conditions[c.key] = c
	return c
}

func (c *clause) literals(dst []literal) []literal {
	if c.op == opTest {
		return append(dst, c.literal)
	}
	for _, operand := range c.operands {
		dst = operand.literals(dst)
	}
	return dst
}

// conditionsOf gives the conditions of sorted literals, each once.
func conditionsOf(literals []literal) []*condition {
	var conditions []*condition
	for _, l := range literals {
		if len(conditions) == 0 || conditions[len(conditions)-1] != l.condition {
			conditions = append(conditions, l.condition)
		}
	}
	return conditions
}

func compareLiterals(l, m literal) int {
	switch {
	case l.condition != m.condition:
		return strings.Compare(l.key, m.key)
	case l.negative == m.negative:
		return 0
	case m.negative:
		return -1
	}
	return 1
}

// terms are conjunctions, of which one must be true.
type terms [][]literal

func (t terms) sort() {
	for _, term := range t {
		slices.SortFunc(term, compareLiterals)
	}
	slices.SortFunc(t, compareTerms)
}

// compareTerms puts short conjunctions first.
func compareTerms(a, b []literal) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), slices.CompareFunc(a, b, compareLiterals))
}

func (t terms) clause() *clause {
	all := &clause{op: opOr}
	for _, term := range t {
		one := &clause{op: opAnd}
		for _, l := range term {
			one.operands = append(one.operands, &clause{op: opTest, literal: l})
		}
		all.operands = append(all.operands, one)
	}
	return all
}
