package aggregation

import (
	"cmp"
	"math"
	"slices"

	"github.com/sluicehq/sluice/core/storage/query"
)

// candidate is a bucket of an owner that may be in the answer.
type candidate struct {
	key    uint64
	count  int64
	bucket uint32 // none when no document is in it
}

// candidateBytes is what a candidate needs.
const candidateBytes = 24

// valued gives a number that buckets can be ordered by.
type valued interface {
	// value gives the number of a bucket, which of several is the one named.
	value(owner uint32, of string) float64
}

// ordering puts buckets in order.
type ordering struct {
	rules []rule
	keys  func(a, b uint64) int
}

type rule func(a, b candidate) int

// newOrdering reads rules. Buckets that are equal by all of them are in the order of the keys.
func newOrdering(rules []query.BucketOrder, subs nodes, keys func(a, b uint64) int) ordering {
	o := ordering{keys: keys}
	for _, r := range rules {
		compare := newRule(r, subs, keys)
		if r.Desc {
			ascending := compare
			compare = func(a, b candidate) int { return -ascending(a, b) }
		}
		o.rules = append(o.rules, compare)
	}
	return o
}

func newRule(r query.BucketOrder, subs nodes, keys func(a, b uint64) int) rule {
	switch r.By {
	case "_count":
		return func(a, b candidate) int { return cmp.Compare(a.count, b.count) }
	case "_key":
		return func(a, b candidate) int { return keys(a.key, b.key) }
	}
	number := subs.number(r.By, r.Of)
	return func(a, b candidate) int { return compareFloats(number(a.bucket), number(b.bucket)) }
}

func (o *ordering) compare(a, b candidate) int {
	for _, r := range o.rules {
		if c := r(a, b); c != 0 {
			return c
		}
	}
	return o.keys(a.key, b.key)
}

// compareFloats orders as Java does: -0 before 0, and what is no number last.
func compareFloats(a, b float64) int {
	switch {
	case math.IsNaN(a) || math.IsNaN(b):
		return -cmp.Compare(a, b) // cmp has what is no number first
	case a == 0 && b == 0:
		return cmp.Compare(math.Copysign(1, a), math.Copysign(1, b))
	}
	return cmp.Compare(a, b)
}

// best gives the first n of a list in their order, nothing when the limits end it. It may change the list.
func best(list []candidate, n int, compare func(a, b candidate) int, l *limits) []candidate {
	if n >= len(list) {
		slices.SortFunc(list, compare)
		return list
	}
	top := make([]candidate, 0, min(2*n+64, len(list)))
	cut := false // top[:n] are the best so far, in order
	for _, c := range list {
		if cut && compare(c, top[n-1]) >= 0 {
			continue
		}
		if top = append(top, c); len(top) == 2*n+64 {
			slices.SortFunc(top, compare)
			top, cut = top[:n], true
			if l.spend(cap(top)) {
				return nil
			}
		}
	}
	slices.SortFunc(top, compare)
	return top[:n]
}

// sortCandidates sorts a list, of which nothing is used when the limits end it.
func sortCandidates(list []candidate, compare func(a, b candidate) int, l *limits) {
	if !l.spend(len(list)) {
		slices.SortFunc(list, compare)
	}
}
