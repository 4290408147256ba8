package koncorde

import (
	"cmp"
	"math/bits"
	"slices"
)

// minimise gives the smallest disjunctive normal form of a clause over at most maxExact conditions: fewest conjunctions,
// then fewest literals, then the first in a fixed order. It is the method of Quine and McCluskey, with the combinations
// that cannot occur (two different equals on one path, say) left free to be true or false.
//
// The result depends on what the clause means only, not on how it is written.
func minimise(c *clause, b *budget) terms {
	literals := c.literals(nil)
	slices.SortFunc(literals, compareLiterals)
	t := newTruth(conditionsOf(literals))
	on := t.of(c)
	free := t.impossible(b)
	on = on.without(free)
	primes := t.primes(on.with(free), on)
	chosen := cover(primes, on, b)
	result := make(terms, len(chosen))
	for i, p := range chosen {
		result[i] = t.literals(primes[p])
	}
	return result
}

// table is a set of combinations: bit i stands for the combination in which exactly the conditions whose bits are set
// in i are true.
type table []uint64

func (t table) with(other table) table {
	return t.each(other, func(a, b uint64) uint64 { return a | b })
}

func (t table) both(other table) table {
	return t.each(other, func(a, b uint64) uint64 { return a & b })
}

func (t table) without(other table) table {
	return t.each(other, func(a, b uint64) uint64 { return a &^ b })
}

func (t table) each(other table, f func(a, b uint64) uint64) table {
	result := make(table, len(t))
	for i := range t {
		result[i] = f(t[i], other[i])
	}
	return result
}

func (t table) empty() bool { return !slices.ContainsFunc(t, func(w uint64) bool { return w != 0 }) }

func (t table) has(i int) bool { return t[i/64]>>(i%64)&1 == 1 }

// truth makes tables over some conditions.
type truth struct {
	conditions []*condition
	// all holds every combination; where[i] those in which condition i is true.
	all   table
	where []table
}

func newTruth(conditions []*condition) *truth {
	size := 1 << len(conditions)
	t := &truth{conditions: conditions, all: make(table, (size+63)/64), where: make([]table, len(conditions))}
	for i := range t.where {
		t.where[i] = make(table, len(t.all))
	}
	for combination := range size {
		t.all[combination/64] |= 1 << (combination % 64)
		for i := range t.where {
			if combination>>i&1 == 1 {
				t.where[i][combination/64] |= 1 << (combination % 64)
			}
		}
	}
	return t
}

// of gives the combinations in which c is true.
func (t *truth) of(c *clause) table {
	switch c.op {
	case opTest:
		return t.literal(slices.Index(t.conditions, c.literal.condition), c.literal.negative)
	case opAnd:
		result := t.all
		for _, operand := range c.operands {
			result = result.both(t.of(operand))
		}
		return result
	}
	result := make(table, len(t.all))
	for _, operand := range c.operands {
		result = result.with(t.of(operand))
	}
	return result
}

func (t *truth) literal(i int, negative bool) table {
	if negative {
		return t.all.without(t.where[i])
	}
	return t.where[i]
}

// impossible gives the combinations that no document has.
func (t *truth) impossible(w *budget) table {
	result := make(table, len(t.all))
	for i, a := range t.conditions {
		for k, b := range t.conditions {
			if i != k && within(a, b, w) {
				result = result.with(t.where[i].without(t.where[k]))
			}
			if i < k && apart(a, b, w) {
				result = result.with(t.where[i].both(t.where[k]))
			}
		}
	}
	return result
}

// implicant is a conjunction: care are the conditions in it, value those of them that are true.
type implicant struct {
	care, value int
	covered     table
}

// primes gives the conjunctions that are true only within upper, of which no literal can be left out, and which are true
// somewhere in on; in a fixed order, those with few literals first.
func (t *truth) primes(upper, on table) []implicant {
	n := len(t.conditions)
	places := make([]int, n+1) // powers of three
	for i, p := 0, 1; i <= n; i, p = i+1, 3*p {
		places[i] = p
	}
	// Conjunctions are numbers of base 3, a digit per condition: false, true, or not in it.
	inside := make([]bool, places[n])
	digits := make([]int, n+1)
	var primes []implicant
	for c := range inside {
		inside[c] = t.isInside(inside, upper, c, digits, places)
		increment(digits)
	}
	clear(digits)
	for c := range inside {
		if inside[c] && isPrime(inside, c, digits[:n], places) {
			p := t.implicant(digits[:n])
			if !p.covered.both(on).empty() {
				p.covered = p.covered.both(on)
				primes = append(primes, p)
			}
		}
		increment(digits)
	}
	slices.SortStableFunc(primes, func(p, q implicant) int {
		return cmp.Compare(bits.OnesCount(uint(p.care)), bits.OnesCount(uint(q.care)))
	})
	return primes
}

func increment(digits []int) {
	for i := range digits {
		if digits[i]++; digits[i] < 3 {
			return
		}
		digits[i] = 0
	}
}

// isInside reports whether conjunction c is within upper; it is when both halves are, and those have smaller numbers.
func (t *truth) isInside(inside []bool, upper table, c int, digits, places []int) bool {
	combination := 0
	for i := range t.conditions {
		if digits[i] == 2 {
			return inside[c-places[i]] && inside[c-2*places[i]]
		}
		combination |= digits[i] << i
	}
	return upper.has(combination)
}

func isPrime(inside []bool, c int, digits, places []int) bool {
	for i, d := range digits {
		if d != 2 && inside[c+(2-d)*places[i]] {
			return false
		}
	}
	return true
}

func (t *truth) implicant(digits []int) implicant {
	p := implicant{covered: t.all}
	for i, d := range digits {
		if d == 2 {
			continue
		}
		p.care |= 1 << i
		p.value |= d << i
		p.covered = p.covered.both(t.literal(i, d == 0))
	}
	return p
}

func (t *truth) literals(p implicant) []literal {
	var result []literal
	for i, c := range t.conditions {
		if p.care>>i&1 == 1 {
			result = append(result, literal{c, p.value>>i&1 == 0})
		}
	}
	return result
}
