package segment

import (
	"bytes"
	"iter"
	"slices"
	"sync"
	"unsafe"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"
)

// memoryTerms is the dictionary of a field that grows.
type memoryTerms struct {
	text bool // whether the terms are words
	// ords finds terms by their bytes, which are those of list.
	ords  map[string]uint32
	list  []memoryTerm
	bytes int64

	free  []byte   // room for the bytes of terms
	block int      // the size of the block that free is the rest of
	last  []uint32 // the ordinals of the document that was added last

	// order has the ordinals of the first terms in the order of the terms. Readers bring it up to date, under ordering; what
	// they made of it before stays as it is.
	ordering sync.Mutex
	order    []uint32
}

// memoryTerm is a term and the documents that hold it. Most terms are in one document only, so that one is kept by itself.
type memoryTerm struct {
	text []byte
	// count is how many documents there are. The last one is doc and has the term freq times. The others are in set, or coded
	// in docs from the first one on: how often each has the term, and how far the next one is.
	count, first, doc, freq uint32
	docs                    []byte
	set                     *roaring.Bitmap
	// positions are those of all documents one after the other, each as in an Entry.
	positions []byte
}

const (
	// manyDocuments is from how many documents on those of a keyword are kept as a set.
	manyDocuments = 32
	// termSize is about what a term needs beside its bytes: its entry in the list and in the map, with the room that both keep.
	termSize = int64(unsafe.Sizeof(memoryTerm{}))*5/4 + 40
	// setSize is about what an empty set needs.
	setSize = 200
	// firstBlock is how much room is made for terms at first, since a node may have thousands of memories with a few documents
	// each; the room doubles up to blockSize.
	firstBlock = 256
	blockSize  = 16 << 10
)

func newMemoryTerms(text bool) *memoryTerms {
	return &memoryTerms{text: text, ords: map[string]uint32{}}
}

// add adds the terms of a run and gives their ordinals, which are valid until the next call.
func (m *memoryTerms) add(e *Entry, r *run, doc uint32) []uint32 {
	m.last = m.last[:0]
	for i := r.from; i < r.to; i++ {
		t := &e.terms[i]
		ord, ok := m.ords[string(e.bytes[t.from:t.to])]
		if !ok {
			ord = m.insert(e.bytes[t.from:t.to])
		}
		m.last = append(m.last, ord)
		if m.text {
			m.addWord(&m.list[ord], doc, t.freq, e.bytes[t.positions:t.end])
		} else {
			m.addKeyword(&m.list[ord], doc)
		}
	}
	return m.last
}

func (m *memoryTerms) insert(text []byte) uint32 {
	text = m.keep(text)
	ord := uint32(len(m.list))                                     //nolint:gosec // a segment in memory is small
	m.ords[unsafe.String(unsafe.SliceData(text), len(text))] = ord //nolint:gosec // text does not change
	m.list = append(m.list, memoryTerm{text: text})
	m.bytes += termSize
	return ord
}

// keep copies b to where it can stay.
func (m *memoryTerms) keep(b []byte) []byte {
	if len(b) > len(m.free) {
		if len(b) > blockSize/8 {
			m.bytes += int64(len(b))
			return bytes.Clone(b)
		}
		m.block = min(max(2*m.block, firstBlock, len(b)), blockSize)
		m.free = make([]byte, m.block)
		m.bytes += int64(m.block)
	}
	n := copy(m.free, b)
	kept := m.free[:n:n]
	m.free = m.free[n:]
	return kept
}

func (m *memoryTerms) addKeyword(t *memoryTerm, doc uint32) {
	switch {
	case t.count == 0:
		t.first = doc
	case t.set != nil:
		t.set.Add(doc)
		m.bytes += 2
	case t.count == manyDocuments:
		t.set = t.documents()
		t.set.Add(doc)
		m.bytes += setSize - int64(cap(t.docs))
		t.docs = nil
	default:
		m.push(t, doc)
	}
	t.count, t.doc, t.freq = t.count+1, doc, 1
}

func (m *memoryTerms) addWord(t *memoryTerm, doc, freq uint32, positions []byte) {
	if t.count == 0 {
		t.first, t.positions = doc, m.keep(positions)
	} else {
		before := cap(t.positions)
		t.positions = append(t.positions, positions...)
		m.bytes += int64(cap(t.positions) - before)
		m.push(t, doc)
	}
	t.count, t.doc, t.freq = t.count+1, doc, freq
}

// push codes the last document, which doc comes after.
func (m *memoryTerms) push(t *memoryTerm, doc uint32) {
	before := cap(t.docs)
	t.docs = appendPair(t.docs, doc-t.doc, t.freq)
	m.bytes += int64(cap(t.docs) - before)
}

// documents makes the set of the documents that hold the term.
func (t *memoryTerm) documents() *roaring.Bitmap {
	if t.set != nil {
		return t.set
	}
	set := roaring.New()
	for o := (memoryOccurrences{term: t}); o.Next(); {
		set.Add(o.doc)
	}
	return set
}

// Len implements Terms.
func (m *memoryTerms) Len() int { return len(m.list) }

// Find implements Terms.
func (m *memoryTerms) Find(term []byte) (uint32, bool) {
	ord, ok := m.ords[string(term)]
	return ord, ok
}

// Term implements Terms.
func (m *memoryTerms) Term(ord uint32) []byte { return m.list[ord].text }

// Sorted implements Terms.
func (m *memoryTerms) Sorted() bool { return false }

// Between implements Terms.
func (m *memoryTerms) Between(from, to []byte, a vellum.Automaton) iter.Seq[uint32] {
	order := m.ordered()
	d := dictionary{n: len(order), at: func(i int) []byte { return m.list[order[i]].text }}
	return func(yield func(uint32) bool) {
		d.between(from, to, a, func(i int) bool { return yield(order[i]) })
	}
}

// ordered gives all ordinals in the order of the terms.
func (m *memoryTerms) ordered() []uint32 {
	m.ordering.Lock()
	defer m.ordering.Unlock()
	old := m.order
	if len(old) == len(m.list) {
		return old
	}
	compare := func(a, b uint32) int { return bytes.Compare(m.list[a].text, m.list[b].text) }
	added := make([]uint32, 0, len(m.list)-len(old))
	for ord := len(old); ord < len(m.list); ord++ {
		added = append(added, uint32(ord)) //nolint:gosec // a segment in memory is small
	}
	slices.SortFunc(added, compare)
	m.order = make([]uint32, 0, len(m.list)*5/4)
	for len(old) > 0 && len(added) > 0 {
		if compare(old[0], added[0]) < 0 {
			m.order, old = append(m.order, old[0]), old[1:]
		} else {
			m.order, added = append(m.order, added[0]), added[1:]
		}
	}
	m.order = append(append(m.order, old...), added...)
	return m.order
}

// DocFreq implements Terms.
func (m *memoryTerms) DocFreq(ord uint32) int { return int(m.list[ord].count) }

// Documents implements Terms.
func (m *memoryTerms) Documents(ord uint32) *roaring.Bitmap { return m.list[ord].documents() }

// Occurrences implements Terms.
func (m *memoryTerms) Occurrences(ord uint32) Occurrences {
	t := &m.list[ord]
	if !m.text {
		return &keywordOccurrences{docs: t.documents().Iterator()}
	}
	return &memoryOccurrences{term: t}
}

// memoryOccurrences reads a memoryTerm.
type memoryOccurrences struct {
	term      *memoryTerm
	passed    uint32 // documents, the one it stands on included
	doc, freq uint32
	docs      []byte // after doc
	positions []byte // from those of doc on, but for skip of them
	skip      uint32
}

// Next implements Occurrences.
func (o *memoryOccurrences) Next() bool {
	t := o.term
	if o.passed == t.count {
		return false
	}
	if o.passed == 0 {
		o.docs, o.positions, o.doc = t.docs, t.positions, t.first
	} else {
		o.skip += o.freq
		o.doc += o.distance()
	}
	o.passed++
	o.freq = t.freq
	if o.passed < t.count {
		_, o.freq, _ = pair(o.docs)
	}
	return true
}

// distance is how far the next document is; it goes on to what is known of that.
func (o *memoryOccurrences) distance() uint32 {
	distance, _, n := pair(o.docs)
	o.docs = o.docs[n:]
	return distance
}

// Seek implements Occurrences.
func (o *memoryOccurrences) Seek(doc uint32) bool {
	for o.passed == 0 || o.doc < doc {
		if !o.Next() {
			return false
		}
	}
	return true
}

// Doc implements Occurrences.
func (o *memoryOccurrences) Doc() uint32 { return o.doc }

// Freq implements Occurrences.
func (o *memoryOccurrences) Freq() uint32 { return o.freq }

// Positions implements Occurrences.
func (o *memoryOccurrences) Positions(dst []uint32) []uint32 {
	return appendPositions(dst, o.coded(), o.freq)
}

// coded gives the positions in the document as they are coded.
func (o *memoryOccurrences) coded() []byte {
	o.positions, o.skip = o.positions[skipNumbers(o.positions, o.skip):], 0
	return o.positions[:skipNumbers(o.positions, o.freq)]
}

// each implements source.
func (m *memoryTerms) each(ord uint32, visit func(doc, freq uint32, positions []byte)) {
	t := &m.list[ord]
	if !m.text {
		for doc := range roaring.Values(t.documents()) {
			visit(doc, 1, nil)
		}
		return
	}
	for o := (memoryOccurrences{term: t}); o.Next(); {
		visit(o.doc, o.freq, o.coded())
	}
}
