package search

import (
	"iter"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
)

// between matches the documents with a term from from (nil: the first) up to and without to (nil: past the last) that the
// automaton accepts (nil: every one).
type between struct {
	field     *mapping.Field
	from, to  []byte
	automaton vellum.Automaton
}

func (c between) matches(v *view) (set, error) {
	f, err := v.field(c.field)
	if f == nil || f.Terms == nil || err != nil || before(c.from, c.to) {
		return none, err
	}
	n, err := v.space(c.field.Nested)
	if err != nil {
		return nil, err
	}
	if c.automaton == nil && f.Terms.Sorted() && f.Ords != nil {
		return c.ordinals(v, f, n), nil
	}
	return expand(v, f, n, f.Terms.Between(c.from, c.to, c.automaton))
}

// ordinals is the same as a range of ordinals, which is looked up in their column.
func (c between) ordinals(v *view, f *segment.Field, n uint32) set {
	least, most := uint32(0), uint32(f.Terms.Len())-1 //nolint:gosec // ordinals
	if c.from != nil {
		ord, ok := first(f.Terms, c.from)
		if !ok {
			return none
		}
		least = ord
	}
	if c.to != nil {
		if ord, ok := first(f.Terms, c.to); ok {
			if ord == 0 {
				return none
			}
			most = ord - 1
		}
	}
	if least == most {
		return docs{f.Terms.Documents(least)}
	}
	return newInterval(v, n, f.Ords, f.Present, least, most)
}

// first is the first term that is not before from.
func first(t segment.Terms, from []byte) (uint32, bool) {
	for ord := range t.Between(from, nil, nil) {
		return ord, true
	}
	return 0, false
}

const (
	// fewTerms is up to how many terms the sets of their documents are put together.
	fewTerms = 64
	// checkTerms is how often a walk along terms looks whether it is still wanted.
	checkTerms = 4096
)

// expand puts together the documents of terms. What it needs of memory depends on how many terms and documents the field has.
func expand(v *view, f *segment.Field, n uint32, terms iter.Seq[uint32]) (set, error) {
	var few []uint32
	var many dense
	found := 0
	for ord := range terms {
		if found++; found%checkTerms == 0 && v.ctx.Err() != nil {
			return nil, v.ctx.Err()
		}
		if found <= fewTerms {
			few = append(few, ord)
			continue
		}
		if many == nil {
			many = newDense(uint32(f.Terms.Len())) //nolint:gosec // ordinals
		}
		many.add(ord)
	}
	if many == nil {
		list := make([]*roaring.Bitmap, len(few))
		for i, ord := range few {
			list[i] = f.Terms.Documents(ord)
		}
		return docs{roaring.FastOr(list...)}, nil
	}
	for _, ord := range few {
		many.add(ord)
	}
	if f.Ords != nil {
		return holders(v, f, n, many), nil
	}
	return union(v, f, n, many)
}

// holders finds the documents with one of many ordinals by their column.
func holders(v *view, f *segment.Field, n uint32, ords dense) set {
	d := newDense(n)
	_ = docs{f.Present}.each(func(batch []uint32) error { // the error is that of ctx, which ends the view
		for _, doc := range batch {
			for _, ord := range f.Ords.Of(doc) {
				if ords.has(ord) {
					d.add(doc)
					break
				}
			}
		}
		return v.stop(len(batch))
	})
	return docs{d.bitmap()}
}

// union goes through the documents of every term of a field without a column.
func union(v *view, f *segment.Field, n uint32, ords dense) (set, error) {
	d := newDense(n)
	for i := range uint32(f.Terms.Len()) { //nolint:gosec // ordinals
		if !ords.has(i) {
			continue
		}
		if err := v.ctx.Err(); err != nil {
			return nil, err
		}
		_ = docs{f.Terms.Documents(i)}.each(func(batch []uint32) error { // visit gives no error
			for _, doc := range batch {
				d.add(doc)
			}
			return nil
		})
	}
	return docs{d.bitmap()}, nil
}

func (d dense) has(doc uint32) bool { return d[doc/64]>>(doc%64)&1 == 1 }
