package search

import (
	"cmp"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// interval is the documents with a value from least to most in a column. They count in a space of n.
type interval[T cmp.Ordered] struct {
	v           *view
	n           uint32
	column      *segment.Column[T]
	present     *roaring.Bitmap // nil when every document of the space has a value
	least, most T
	// sorted holds the documents, some perhaps several times, in the order of their values; it counts when known is true.
	sorted []uint32
	known  bool
}

func newInterval[T cmp.Ordered](v *view, n uint32, column *segment.Column[T], present *roaring.Bitmap, least, most T) set {
	if column == nil || least > most {
		return none
	}
	s := &interval[T]{v: v, n: n, column: column, least: least, most: most}
	values := present.GetCardinality()
	if values != uint64(n) {
		s.present = present
	}
	if column.Sorted != nil {
		ranks := column.Ranks
		from := sort.Search(len(ranks), func(i int) bool { return ranks[i] >= least })
		to := from + sort.Search(len(ranks)-from, func(i int) bool { return ranks[from+i] > most })
		s.sorted, s.known = column.Sorted[from:to], true
		switch {
		case from == to:
			return none
		case to-from == len(ranks):
			return docs{present}
		}
	}
	return s
}

// The work to read a document out of the order of the values, and to look at its value, in documents.
const (
	jumpCost = 4
	scanPart = 4
)

// jumps says that it is better to go along the order of the values than to look at every value.
func (s *interval[T]) jumps() bool { return s.known && len(s.sorted)*jumpCost < int(s.n) }

func (s *interval[T]) cost() int {
	if s.jumps() {
		return len(s.sorted) * jumpCost
	}
	return int(s.n)
}

func (s *interval[T]) bitmap() *roaring.Bitmap {
	if !s.jumps() {
		return collect(s.v, s, s.n)
	}
	if len(s.sorted) <= fewDocs {
		return gather(append([]uint32(nil), s.sorted...), s.n)
	}
	return gather(s.sorted, s.n)
}

func (s *interval[T]) keep(list []uint32) []uint32 {
	kept := list[:0]
	if s.column.Offsets == nil {
		kept = list[:s.keepSingle(list)]
		if s.present != nil {
			kept = docs{s.present}.keep(kept)
		}
		return kept
	}
	for _, doc := range list {
		for _, x := range s.column.Of(doc) {
			if x >= s.least && x <= s.most {
				kept = append(kept, doc)
				break
			}
		}
	}
	return kept
}

// keepSingle is keep for a column of single values, and does not care which documents have one. It gives how many it keeps,
// and has no branch that depends on values, which nothing could predict.
func (s *interval[T]) keepSingle(list []uint32) int {
	values, least, most := s.column.Values, s.least, s.most
	n := 0
	for _, doc := range list {
		x := values[doc]
		list[n] = doc
		n += one(x >= least) & one(x <= most)
	}
	return n
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *interval[T]) each(visit func([]uint32) error) error {
	switch {
	case s.jumps() && s.column.Offsets != nil: // a document may be there twice
		return docs{s.bitmap()}.each(visit)
	case s.jumps():
		buffer := make([]uint32, min(batchDocs, len(s.sorted)))
		for rest := s.sorted; len(rest) > 0; {
			n := copy(buffer, rest)
			rest = rest[n:]
			if err := visit(buffer[:n]); err != nil {
				return err
			}
		}
		return nil
	case s.present != nil && int(s.present.GetCardinality())*scanPart < int(s.n): //nolint:gosec // fewer than 1<<32
		return docs{s.present}.each(func(batch []uint32) error { return visit(s.keep(batch)) })
	}
	return all{s.n}.each(func(batch []uint32) error { return visit(s.keep(batch)) })
}
