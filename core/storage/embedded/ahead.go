package embedded

import (
	"maps"
	"slices"

	"github.com/sluicehq/sluice/core/storage"
)

// ahead is what a unit of many changes reads before it takes locks, so that others write meanwhile. The zero value is nothing.
type ahead struct {
	coll *collection
	// found are the documents as they were, and marks the marks of their places from before they were read. A document is still
	// as it was when its mark is.
	found map[string]current
	marks map[string]uint32
}

// maxAhead bounds the sources that readAhead keeps: it stops when it has so many bytes.
const maxAhead = 4 << 20

// readAhead reads what is stored of the documents of changes, unless there is one only. What it does not come to, or cannot
// read, is left to the unit.
func (e *Engine) readAhead(c storage.Collection, changes []change, previous bool) (a ahead, err error) {
	if len(changes) == 1 {
		return a, nil
	}
	if a.coll, err = e.catalogue.enter(c); err != nil {
		return a, err
	}
	defer a.coll.mu.RUnlock()
	whole := make(map[string]bool, len(changes))
	a.marks = make(map[string]uint32, len(changes))
	for _, ch := range changes {
		whole[ch.id] = whole[ch.id] || needsWhole(a.coll, ch, previous)
		a.marks[ch.id] = e.locks.mark(e.locks.place(a.coll.number, ch.id)).Load()
	}
	ids := slices.Sorted(maps.Keys(whole))
	a.found = make(map[string]current, len(ids))
	for i, f := range e.fetch(a.coll.number, ids, func(i int) bool { return whole[ids[i]] }, maxAhead) {
		if f.done && f.err == nil {
			a.found[ids[i]] = f.current
		}
	}
	return a, nil
}

// needsWhole reports whether a change needs the source of what is there.
func needsWhole(coll *collection, ch change, previous bool) bool {
	return previous || len(coll.keywords) > 0 || ch.merges()
}
