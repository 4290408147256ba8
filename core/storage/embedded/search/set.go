package search

import (
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// batchDocs is how many documents are looked at together.
const batchDocs = 1024

// batches are used again: most searches need one, and few of its documents.
var batches = sync.Pool{New: func() any { return new([batchDocs]uint32) }}

// set is a number of documents of one space of a view, which may not have been found yet. It is valid while the view is read.
type set interface {
	// cost is about how much work it is to go through the set by each, counted in documents, and at least how many there are.
	cost() int
	// bitmap finds all of them. It must not be changed.
	bitmap() *roaring.Bitmap
	// keep takes out of docs, in place, those that are not in the set. It keeps their order.
	keep(docs []uint32) []uint32
	// each calls visit with all of them, batch by batch, each once and in any order. visit may change what it is given. It ends
	// with the error of visit.
	each(visit func(docs []uint32) error) error
}

// docs is a set that was found.
type docs struct{ *roaring.Bitmap }

var none = docs{roaring.New()}

func (s docs) cost() int               { return int(s.GetCardinality()) } //nolint:gosec // fewer than 1<<32
func (s docs) bitmap() *roaring.Bitmap { return s.Bitmap }

func (s docs) keep(list []uint32) []uint32 {
	kept := list[:0]
	for _, doc := range list {
		if s.Contains(doc) {
			kept = append(kept, doc)
		}
	}
	return kept
}

func (s docs) each(visit func([]uint32) error) error {
	buffer := batches.Get().(*[batchDocs]uint32) //nolint:forcetypeassert // nothing else is in it
	defer batches.Put(buffer)
	for it := s.ManyIterator(); ; {
		n := it.NextMany(buffer[:])
		if n == 0 {
			return nil
		}
		if err := visit(buffer[:n]); err != nil {
			return err
		}
	}
}

// all is every document of a space of n.
type all struct{ n uint32 }

func (s all) cost() int { return int(s.n) }

func (s all) bitmap() *roaring.Bitmap {
	b := roaring.New()
	b.AddRange(0, uint64(s.n))
	return b
}

func (s all) keep(list []uint32) []uint32 { return list }

func (s all) each(visit func([]uint32) error) error {
	buffer := batches.Get().(*[batchDocs]uint32) //nolint:forcetypeassert // nothing else is in it
	defer batches.Put(buffer)
	for from := uint32(0); from < s.n; from += batchDocs {
		batch := buffer[:min(batchDocs, s.n-from)]
		for i := range batch {
			batch[i] = from + uint32(i)
		}
		if err := visit(batch); err != nil {
			return err
		}
	}
	return nil
}

// living is the live documents of a view.
type living struct {
	*segment.Live
	n uint32
}

func (s living) cost() int { return int(s.n) }

func (s living) bitmap() *roaring.Bitmap { return roaring.FromDense(s.Dense(s.n), false) }

// scarcePart is to what part of the documents of a space it is better to look each of them up than to go through all bits.
const scarcePart = 256

// of gives those of found that are live.
func (s living) of(found *roaring.Bitmap) docs {
	n := docs{found}.cost()
	if n > int(s.n)/scarcePart {
		return docs{roaring.And(found, s.bitmap())}
	}
	return docs{roaring.BitmapOf(s.keep(found.ToArray())...)}
}

func (s living) keep(list []uint32) []uint32 {
	kept := list[:0]
	for _, doc := range list {
		if s.Has(doc) {
			kept = append(kept, doc)
		}
	}
	return kept
}

func (s living) each(visit func([]uint32) error) error {
	return all{s.n}.each(func(batch []uint32) error { return visit(s.keep(batch)) })
}

// dense collects documents of a space in any order, each any number of times.
type dense []uint64

func newDense(n uint32) dense { return make(dense, (n+63)/64) }

func (d dense) add(doc uint32) { d[doc/64] |= 1 << (doc % 64) }

func (d dense) bitmap() *roaring.Bitmap { return roaring.FromDense(d, false) }

// fewDocs is up to how many documents are sorted to make a bitmap of them.
const fewDocs = 256

// gather makes a bitmap of documents of a space of n, in any order and each any number of times. It may change list.
func gather(list []uint32, n uint32) *roaring.Bitmap {
	if len(list) <= fewDocs {
		slices.Sort(list)
		return roaring.BitmapOf(list...)
	}
	d := newDense(n)
	for _, doc := range list {
		d.add(doc)
	}
	return d.bitmap()
}

// foundBy is what a scorer finds in a space, as a set: for clauses that must score a document to know whether it matches. A nil scorer
// finds nothing.
func foundBy(v *view, space string, s scorer) (set, error) {
	if s == nil {
		return none, nil
	}
	var found []uint32
	for doc := s.next(); doc != noDoc; doc = s.next() {
		found = append(found, doc)
	}
	n, err := v.space(space)
	return docs{gather(found, n)}, err
}

// collect makes a bitmap of a set of a space of n by going through it.
func collect(v *view, s set, n uint32) *roaring.Bitmap {
	d := newDense(n)
	_ = s.each(func(batch []uint32) error { // the error is that of ctx, which ends the view
		for _, doc := range batch {
			d.add(doc)
		}
		return v.stop(len(batch))
	})
	return d.bitmap()
}

// count tells how many documents are in a set when that is known without going through it.
func count(s set) (int, bool) {
	switch s := s.(type) {
	case docs:
		return s.cost(), true
	case all:
		return int(s.n), true
	case living:
		return s.Count(), true
	}
	return 0, false
}
