package aggregation

import (
	"cmp"
	"slices"
	"sort"

	"github.com/sluicehq/sluice/core/storage/query"
)

// spans finds the ranges that a value is in. T is a number, or an address as a text.
type spans[T cmp.Ordered] struct {
	// from and to are ascending by from, then by to.
	from, to []T
	// most has the greatest to up to each range.
	most []T
	// taken has for each range the last document that was found in it, one more than its place in the batch.
	taken []int
}

func newSpans[T cmp.Ordered](from, to []T) *spans[T] {
	s := &spans[T]{from: from, to: to, most: slices.Clone(to), taken: make([]int, len(from))}
	for i := 1; i < len(to); i++ {
		s.most[i] = max(s.most[i], s.most[i-1])
	}
	return s
}

// each calls visit for the ranges of a value of the document at a place of the batch, which no other of its values was in.
func (s *spans[T]) each(place int, x T, visit func(i int)) {
	first := sort.Search(len(s.from), func(i int) bool { return s.from[i] > x })
	for i := first - 1; i >= 0 && s.most[i] > x; i-- {
		if s.to[i] > x && s.taken[i] != place+1 {
			s.taken[i] = place + 1
			visit(i)
		}
	}
}

// rangeBuckets makes a bucket for each range. A key is the place of the range among those of the scheme.
type rangeBuckets struct {
	buckets
	of     *query.RangeAggregation
	scheme scheme
	// mapped says that a collection has the field, or something stands in for it.
	mapped bool
}

// scheme knows the ranges of values of one kind.
type scheme interface {
	open(t *target) error
	// collect calls hit for each range that a document is in.
	collect(docs []uint32, l *limits, hit func(i, number int))
	// name is the key of a range, and bounds writes its bounds.
	name(number int) string
	bounds(w *writer, number int)
}

func newRanges(of *query.RangeAggregation, a query.Aggregation, l *limits) (*rangeBuckets, error) {
	b, err := newBuckets(a, l)
	r := &rangeBuckets{buckets: b, of: of}
	switch of.Kind {
	case query.AddressRanges:
		r.scheme = newAddressRanges(of)
	case query.DistanceRanges:
		r.scheme = &distanceRanges{numberRanges{of: of}}
	default:
		r.scheme = &numberRanges{of: of}
	}
	return r, err
}

func (r *rangeBuckets) open(t *target) error {
	if err := r.scheme.open(t); err != nil {
		return err
	}
	r.mapped = r.mapped || r.of.Missing != nil || t.mapping.Resolve(r.of.Field) != nil
	return r.subs.open(t)
}

func (r *rangeBuckets) collect(docs, owners []uint32) {
	r.scheme.collect(docs, r.limits, func(i, number int) {
		r.hit(docs[i], r.bucket(owners[i], uint64(number))) //nolint:gosec // a place in a list
	})
	r.flush()
}

func (r *rangeBuckets) write(w *writer, owner uint32) {
	n := len(r.of.Ranges)
	if !w.add(n) {
		return
	}
	list := make([]candidate, n)
	for i := range list {
		list[i] = r.known(owner, uint64(i))
		if !r.mapped {
			list[i].bucket = gap
		}
	}
	var name func(candidate) string
	if r.of.Keyed {
		name = func(c candidate) string { return r.scheme.name(int(c.key)) } //nolint:gosec // a place in a list
	}
	r.writeBuckets(w, list, name, func(c candidate) {
		number := int(c.key) //nolint:gosec // a place in a list
		if name == nil {
			w.name("key")
			w.text(r.scheme.name(number))
		}
		r.scheme.bounds(w, number)
	})
}
