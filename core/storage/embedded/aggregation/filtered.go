package aggregation

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/query"
)

// matching has a bit for each document that a query matches.
type matching []uint64

func (m matching) has(doc uint32) bool { return m[doc>>6]>>(doc&63)&1 == 1 }

// matching asks for the documents of a query.
func (t *target) matching(q query.Query) (matching, error) {
	found, err := t.match(q)
	if err != nil {
		return nil, err
	}
	return t.dense(found)
}

func (t *target) dense(b *roaring.Bitmap) (matching, error) {
	words := max(int(t.n+63)/64, int(b.DenseSize())) //nolint:gosec // a size in memory
	t.hold(8 * words)
	if t.limits.err != nil {
		return nil, t.limits.err
	}
	bits := make([]uint64, words)
	b.WriteDenseTo(bits)
	return bits, nil
}

// filtered makes a bucket of the documents that a query matches.
type filtered struct {
	single
	of *query.FilterAggregation

	found matching // in the segment that is open
}

func newFiltered(of *query.FilterAggregation, a query.Aggregation, l *limits) (*filtered, error) {
	s, err := newSingle(a, l)
	return &filtered{single: s, of: of}, err
}

func (f *filtered) open(t *target) error {
	var err error
	if f.found, err = t.matching(f.of.Filter); err != nil {
		return err
	}
	return f.subs.open(t)
}

func (f *filtered) collect(docs, owners []uint32) {
	if !f.room(owners) {
		return
	}
	for i, doc := range docs {
		if f.found.has(doc) {
			f.hit(doc, owners[i])
		}
	}
	f.flush()
}

// filters makes a bucket for each of some queries. A key is the place of the query, that of the rest comes after them.
type filters struct {
	buckets
	of *query.FiltersAggregation

	found []matching // in the segment that is open
}

func newFilters(of *query.FiltersAggregation, a query.Aggregation, l *limits) (*filters, error) {
	b, err := newBuckets(a, l)
	return &filters{buckets: b, of: of, found: make([]matching, len(of.Filters))}, err
}

func (f *filters) open(t *target) error {
	for i, one := range f.of.Filters {
		var err error
		if f.found[i], err = t.matching(one.Filter); err != nil {
			return err
		}
	}
	return f.subs.open(t)
}

func (f *filters) collect(docs, owners []uint32) {
	for i, doc := range docs {
		if f.limits.spend(len(f.found)) {
			return
		}
		some := false
		for key, found := range f.found {
			if found.has(doc) {
				some = true
				f.hit(doc, f.bucket(owners[i], uint64(key)))
			}
		}
		if !some && f.of.Other != "" {
			f.hit(doc, f.bucket(owners[i], uint64(len(f.found))))
		}
	}
	f.flush()
}

func (f *filters) name(c candidate) string {
	if int(c.key) == len(f.of.Filters) { //nolint:gosec // a place in a list
		return f.of.Other
	}
	return f.of.Filters[c.key].Name
}

func (f *filters) write(w *writer, owner uint32) {
	n := len(f.of.Filters)
	if f.of.Other != "" {
		n++
	}
	if !w.add(n) {
		return
	}
	list := make([]candidate, n)
	for i := range list {
		list[i] = f.known(owner, uint64(i))
	}
	var name func(candidate) string
	if f.of.Keyed {
		name = f.name
	}
	f.writeBuckets(w, list, name, func(c candidate) {
		if f.of.Named && !f.of.Keyed {
			w.name("key")
			w.text(f.name(c))
		}
	})
}
