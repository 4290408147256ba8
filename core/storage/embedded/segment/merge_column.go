package segment

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// columnSource is the column of one of the segments.
type columnSource[T cmp.Ordered] struct {
	fieldSource
	column *Column[T]
	// convert gives the value to write; nil when it is the value that was read.
	convert func(T) T
}

// column writes the values by document, and where those of each begin unless all documents have one.
func column[T cmp.Ordered](w *writer, n uint32, sources []columnSource[T]) (*columnEntry, error) {
	e := new(columnEntry)
	if !single(sources) {
		offsets := begin[uint32](w)
		total := uint64(0)
		for _, s := range sources {
			s.all(func(doc, number uint32) {
				offsets.pad(number+1, uint32(total)) //nolint:gosec // looked at below
				total += uint64(len(s.column.Of(doc)))
			})
		}
		if total > math.MaxUint32 {
			return nil, errors.New("too many values for one segment")
		}
		offsets.pad(n+1, uint32(total))
		e.Offsets = offsets.end()
	}
	written, err := values(w, n, sources)
	if err == nil {
		e.Values = written.Values
	}
	return e, err
}

// values writes the values by document.
func values[T cmp.Ordered](w *writer, n uint32, sources []columnSource[T]) (*columnEntry, error) {
	var none T
	one := single(sources)
	b := begin[T](w)
	for _, s := range sources {
		s.all(func(doc, number uint32) {
			if one {
				b.pad(number, none)
			}
			for _, v := range s.column.Of(doc) {
				if s.convert != nil {
					v = s.convert(v)
				}
				b.put(v)
			}
		})
	}
	if one {
		b.pad(n, none)
	}
	return &columnEntry{Values: b.end()}, w.err
}

// single reports whether every document that is written has one value.
func single[T cmp.Ordered](sources []columnSource[T]) bool {
	one := true
	for _, s := range sources {
		if s.column.Offsets != nil {
			s.all(func(doc, _ uint32) { one = one && len(s.column.Of(doc)) == 1 })
		}
	}
	return one
}

// order writes the documents by their values, then the values in that order.
func order[T cmp.Ordered](w *writer, sources []columnSource[T]) (sorted, ranks section) {
	runs := make([]sortedRun[T], 0, len(sources))
	for _, s := range sources {
		r := sortedRun[T]{docs: s.column.Sorted, ranks: s.column.Ranks, numbers: s.numbers}
		if r.docs == nil {
			r.sort(s)
		}
		runs = append(runs, r)
	}
	docs := begin[uint32](w)
	mergeRuns(runs, func(number uint32, _ T) { docs.put(number) })
	sorted = docs.end()
	b := begin[T](w)
	mergeRuns(runs, func(_ uint32, rank T) { b.put(rank) })
	return sorted, b.end()
}

// sortedRun has the documents of one of the segments by their values.
type sortedRun[T cmp.Ordered] struct {
	docs    []uint32
	ranks   []T
	numbers []uint32
}

// sort makes the order that a segment in memory has not.
func (r *sortedRun[T]) sort(s columnSource[T]) {
	type pair struct {
		rank T
		doc  uint32
	}
	var pairs []pair
	s.all(func(doc, _ uint32) {
		for _, v := range s.column.Of(doc) {
			pairs = append(pairs, pair{v, doc})
		}
	})
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.doc, b.doc)) })
	for _, p := range pairs {
		r.docs, r.ranks = append(r.docs, p.doc), append(r.ranks, p.rank)
	}
}

// next passes over documents that are not written, and reports whether there is one that is.
func (r *sortedRun[T]) next() bool {
	for len(r.docs) > 0 && r.numbers[r.docs[0]] == gone {
		r.docs, r.ranks = r.docs[1:], r.ranks[1:]
	}
	return len(r.docs) > 0
}

func mergeRuns[T cmp.Ordered](sources []sortedRun[T], visit func(number uint32, rank T)) {
	runs := slices.Clone(sources)
	for least := 0; least >= 0; {
		least = -1
		for i := range runs {
			// Of equal values, those of the first segment have the lower numbers.
			if runs[i].next() && (least < 0 || runs[i].ranks[0] < runs[least].ranks[0]) {
				least = i
			}
		}
		if least >= 0 {
			r := &runs[least]
			visit(r.numbers[r.docs[0]], r.ranks[0])
			r.docs, r.ranks = r.docs[1:], r.ranks[1:]
		}
	}
}
