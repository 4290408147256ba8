package koncorde

import (
	"math"
	"math/bits"
	"slices"
)

// maxCoverWork bounds the search for the smallest cover, in primes looked at. Counting these and not time keeps the result
// the same everywhere.
const maxCoverWork = 20_000

// cover chooses some of primes that cover all of on together: as few as can be, with as few literals as can be, the first
// of these that the search meets. When the search takes too long it is the best found so far.
func cover(primes []implicant, on table, b *budget) []int {
	s := coverSearch{primes: primes, best: math.MaxInt}
	s.search(on, nil, 0)
	b.comparisons -= s.work
	slices.Sort(s.chosen)
	return s.chosen
}

type coverSearch struct {
	primes []implicant
	work   int
	chosen []int
	// best is the cost of chosen.
	best int
}

// cost puts the number of conjunctions before that of their literals.
func (p implicant) cost() int { return 1000 + bits.OnesCount(uint(p.care)) }

// search covers what is left in every way that may be cheaper than the best one so far.
func (s *coverSearch) search(left table, chosen []int, cost int) {
	if cost >= s.best {
		return
	}
	if left.empty() {
		s.best, s.chosen = cost, slices.Clone(chosen)
		return
	}
	if s.work += len(s.primes); s.work > maxCoverWork && s.chosen != nil {
		return
	}
	for _, i := range s.candidates(left) {
		p := s.primes[i]
		s.search(left.without(p.covered), append(chosen, i), cost+p.cost())
	}
}

// candidates gives the primes for the combination that fewest primes cover: one of them must be chosen. Those that cover
// most of what is left come first.
func (s *coverSearch) candidates(left table) []int {
	counts := make([]int, 64*len(left))
	for _, p := range s.primes {
		for w, word := range p.covered {
			for word &= left[w]; word != 0; word &= word - 1 {
				counts[64*w+bits.TrailingZeros64(word)]++
			}
		}
	}
	rarest := -1
	for i, count := range counts {
		if count > 0 && (rarest < 0 || count < counts[rarest]) {
			rarest = i
		}
	}
	var result []int
	for i, p := range s.primes {
		if p.covered.has(rarest) {
			result = append(result, i)
		}
	}
	slices.SortStableFunc(result, func(a, b int) int { return s.gain(b, left) - s.gain(a, left) })
	return result
}

func (s *coverSearch) gain(i int, left table) int {
	gain := 0
	for w, word := range s.primes[i].covered {
		gain += bits.OnesCount64(word & left[w])
	}
	return gain
}
