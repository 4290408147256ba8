package aggregation

import "math"

// maxRows is how many places rows may have in a segment, beyond what a single row needs that is in proportion to the documents.
const maxRows = 1 << 20

func (t *terms) openOrdinals(to *target) {
	clear(t.rows)
	t.rows, t.room = t.rows[:0], maxRows
	t.limits.charge(-t.rowBytes)
	t.rowBytes = 0
	if t.column.terms != nil && t.column.terms.Len() <= 16*to.docs {
		t.room += t.column.terms.Len()
	}
}

// row gives the places of an owner, nil when there are too many.
func (t *terms) row(owner uint32) []uint32 {
	if int(owner) < len(t.rows) && t.rows[owner] != nil {
		return t.rows[owner]
	}
	n := t.column.terms.Len()
	bytes := 4*n + rowBytes*max(0, int(owner)+1-len(t.rows))
	if n > t.room || t.limits.bytes+bytes > maxBytes/2 { // buckets need memory more than speed
		return nil
	}
	t.room -= n
	t.rowBytes += bytes
	t.limits.charge(bytes)
	for len(t.rows) <= int(owner) {
		t.rows = append(t.rows, nil)
	}
	t.rows[owner] = make([]uint32, n)
	return t.rows[owner]
}

// rowBytes is what an owner needs without the places.
const rowBytes = 24

// bucketOfOrd gives the bucket of an ordinal.
func (t *terms) bucketOfOrd(owner, ord uint32) uint32 {
	row := t.row(owner)
	if row != nil && row[ord] > 0 {
		return row[ord] - 1
	}
	b := t.bucketOf(owner, t.dictionary.id(t.column.terms.Term(ord)))
	if row != nil {
		row[ord] = b + 1
	}
	return b
}

func (t *terms) collect(docs, owners []uint32) {
	switch {
	case t.column.empty:
	case t.column.ords != nil:
		t.collectOrds(docs, owners)
	case t.column.ints != nil:
		t.collectInts(docs, owners)
	default:
		t.collectFloats(docs, owners)
	}
	if t.missing != nil {
		t.collectMissing(docs, owners)
	}
	t.flush()
}

func (t *terms) collectOrds(docs, owners []uint32) {
	c := &t.column
	if c.offsets == nil && same(owners) {
		if row := t.row(owners[0]); row != nil {
			t.collectRow(docs, owners[0], row)
			return
		}
	}
	for i, doc := range docs {
		if !c.has(doc) {
			continue
		}
		from, to := c.span(doc)
		if t.limits.spend(int(to - from)) {
			return
		}
		for ; from < to; from++ {
			t.hit(doc, t.bucketOfOrd(owners[i], c.ords[from]))
		}
	}
}

// same reports whether all owners are the same.
func same(owners []uint32) bool {
	differences := uint32(0)
	for _, o := range owners {
		differences |= o ^ owners[0]
	}
	return differences == 0
}

// collectRow is the case that is worth loops of its own: documents with one value at most that count in one row.
func (t *terms) collectRow(docs []uint32, owner uint32, row []uint32) {
	if t.column.present != nil {
		docs = t.present(docs)
	}
	if len(t.subs) == 0 {
		t.countRow(docs, owner, row)
		return
	}
	ords, counts := t.column.ords, t.counts
	taken, numbers := t.docs[:len(docs)], t.numbers[:len(docs)]
	n := 0
	for _, doc := range docs {
		place := row[ords[doc]]
		if place == 0 {
			place = t.bucketOfOrd(owner, ords[doc]) + 1
			counts = t.counts
		}
		counts[place-1]++
		taken[n], numbers[n] = doc, place-1
		if place-1 != rejected {
			n++
		}
	}
	t.docs, t.numbers = taken[:n], numbers[:n]
}

func (t *terms) countRow(docs []uint32, owner uint32, row []uint32) {
	ords, counts := t.column.ords, t.counts
	for _, doc := range docs {
		place := row[ords[doc]]
		if place == 0 {
			place = t.bucketOfOrd(owner, ords[doc]) + 1
			counts = t.counts
		}
		counts[place-1]++
	}
}

// present gives the documents that have a value.
func (t *terms) present(docs []uint32) []uint32 {
	t.having = t.having[:0]
	for _, doc := range docs {
		if t.column.has(doc) {
			t.having = append(t.having, doc)
		}
	}
	return t.having
}

// gather implements gatherer: each term knows how many documents hold it.
func (t *terms) gather() bool {
	c := &t.column
	if c.terms == nil || t.missing != nil || len(t.subs) > 0 || c.terms.Len() > t.total/termDocs {
		return false
	}
	for ord := range uint32(c.terms.Len()) { //nolint:gosec // ordinals
		if t.limits.spend(1) {
			return true
		}
		t.counts[t.bucketOf(0, t.dictionary.id(c.terms.Term(ord)))] += int64(c.terms.DocFreq(ord))
	}
	return true
}

// termDocs is how many documents can be counted in the time that it takes to ask for a term.
const termDocs = 16

func (t *terms) collectInts(docs, owners []uint32) {
	c := &t.column
	for i, doc := range docs {
		if !c.has(doc) {
			continue
		}
		from, to := c.span(doc)
		if t.limits.spend(int(to - from)) {
			return
		}
		for at := from; at < to; at++ {
			if at > from && c.ints[at] == c.ints[at-1] { // they are sorted
				continue
			}
			t.hit(doc, t.bucketOf(owners[i], t.wholeKey(c.ints[at])))
		}
	}
}

func (t *terms) collectFloats(docs, owners []uint32) {
	c := &t.column
	for i, doc := range docs {
		if !c.has(doc) {
			continue
		}
		from, to := c.span(doc)
		if t.limits.spend(int(to - from)) {
			return
		}
		for at := from; at < to; at++ {
			if at > from && c.floats[at] == c.floats[at-1] {
				continue
			}
			t.hit(doc, t.bucketOf(owners[i], math.Float64bits(c.floats[at])))
		}
	}
}

func (t *terms) collectMissing(docs, owners []uint32) {
	key := t.missingKey()
	for i, doc := range docs {
		if !t.column.valued(doc) {
			t.hit(doc, t.bucketOf(owners[i], key))
		}
	}
}

// addEvery notes the keys of all live documents.
func (t *terms) addEvery(to *target) error {
	c := &t.column
	var seen []bool
	if c.ords != nil {
		seen = make([]bool, c.terms.Len())
	}
	return to.live(func(doc uint32) {
		if t.limits.spend(1) {
			return
		}
		if !c.valued(doc) {
			if t.missing != nil {
				t.addKey(t.missingKey())
			}
			return
		}
		for from, end := c.span(doc); from < end; from++ {
			switch {
			case seen != nil && seen[c.ords[from]]:
			case seen != nil:
				seen[c.ords[from]] = true
				t.addKey(t.dictionary.id(c.terms.Term(c.ords[from])))
			case c.ints != nil:
				t.addKey(t.wholeKey(c.ints[from]))
			default:
				t.addKey(math.Float64bits(c.floats[from]))
			}
		}
	})
}

func (t *terms) addKey(key uint64) {
	if !t.accepts(key) {
		return
	}
	if e := t.every.find(0, key); e.number == 0 {
		t.every.set(e, uint32(len(t.everyKeys))) //nolint:gosec // bounded by memory
		t.everyKeys = append(t.everyKeys, key)
		t.limits.charge(8 + 3*entryBytes)
	}
}
