package segment

import (
	"encoding/binary"
	"iter"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"
)

// fileTerms is the dictionary of a field of a file. The number of a term in its list says where its documents are:
//
//	inline | document << 32 | position       when there is one, and the term stands in it once
//	the offset in the file                   of what a postingWriter wrote
type fileTerms struct {
	list listReader
	text bool
	n    uint32 // documents in the space
}

const (
	inline = 1 << 63
	// postingBlock is after how many documents of a word a search can begin to read.
	postingBlock = 128
	// blockEntry is how much is said of each such block: its last document, and where its documents and their positions end.
	blockEntry = 4 + 8 + 8
	// denseDocuments is from how many documents on those of a keyword are kept as a roaring bitmap.
	denseDocuments = 128
)

// Len implements Terms.
func (t *fileTerms) Len() int { return int(t.list.n) }

func (t *fileTerms) dictionary() dictionary {
	return dictionary{n: t.Len(), at: func(i int) []byte { return t.list.at(uint32(i)) }} //nolint:gosec // an ordinal
}

// Find implements Terms.
func (t *fileTerms) Find(term []byte) (uint32, bool) {
	i := t.dictionary().search(0, term)
	if i == t.Len() || string(t.Term(uint32(i))) != string(term) { //nolint:gosec // an ordinal
		return 0, false
	}
	return uint32(i), true //nolint:gosec // an ordinal
}

// Term implements Terms.
func (t *fileTerms) Term(ord uint32) []byte { return t.list.at(ord) }

// Sorted implements Terms.
func (t *fileTerms) Sorted() bool { return true }

// Between implements Terms.
func (t *fileTerms) Between(from, to []byte, a vellum.Automaton) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		t.dictionary().between(from, to, a, func(i int) bool { return yield(uint32(i)) }) //nolint:gosec // an ordinal
	}
}

// DocFreq implements Terms.
func (t *fileTerms) DocFreq(ord uint32) int {
	number := t.list.number(ord)
	if number&inline != 0 {
		return 1
	}
	b := t.list.data[number:]
	if t.text {
		n, _ := binary.Uvarint(b)
		return int(n) //nolint:gosec // fewer than the documents
	}
	n, _, _ := keywordHeader(b)
	return n
}

// Documents implements Terms.
func (t *fileTerms) Documents(ord uint32) *roaring.Bitmap {
	number := t.list.number(ord)
	switch {
	case number&inline != 0:
		return roaring.BitmapOf(uint32(number &^ inline >> 32))
	case t.text:
		return t.withWord(t.occurrences(number))
	}
	set := roaring.New()
	if _, rest, dense := keywordHeader(t.list.data[number:]); dense {
		_, _ = set.FromBuffer(rest) // it was checked, and is as it was written
		return set
	}
	for doc := range t.documents(ord) {
		set.Add(doc)
	}
	return set
}

// withWord makes the set of the documents of a word.
func (t *fileTerms) withWord(o fileOccurrences) *roaring.Bitmap {
	var docs []uint32
	var words []uint64
	if o.count > t.n/64 {
		words = make([]uint64, (t.n+63)/64)
	} else {
		docs = make([]uint32, 0, o.count)
	}
	var doc uint32
	for range o.count {
		distance, _, n := pair(o.docs)
		o.docs = o.docs[n:]
		if doc += distance; words != nil {
			words[doc/64] |= 1 << (doc % 64)
		} else {
			docs = append(docs, doc)
		}
	}
	if words != nil {
		return roaring.FromDense(words, false)
	}
	return roaring.BitmapOf(docs...)
}

// documents gives the documents that hold a keyword.
func (t *fileTerms) documents(ord uint32) iter.Seq[uint32] {
	number := t.list.number(ord)
	if number&inline != 0 {
		return func(yield func(uint32) bool) { yield(uint32(number &^ inline >> 32)) }
	}
	n, rest, dense := keywordHeader(t.list.data[number:])
	if dense {
		return roaring.Values(t.Documents(ord))
	}
	return func(yield func(uint32) bool) {
		var doc uint32
		for range n {
			distance, size := binary.Uvarint(rest)
			rest = rest[size:]
			if doc += uint32(distance); !yield(doc) { //nolint:gosec // 31 bits
				return
			}
		}
	}
}

// keywordHeader reads how many documents hold a keyword, and how they are coded.
func keywordHeader(b []byte) (n int, rest []byte, dense bool) {
	if b[0]&1 == 1 {
		return int(binary.NativeEndian.Uint64(b) >> 1), b[8:], true
	}
	v, size := binary.Uvarint(b)
	return int(v >> 1), b[size:], false
}

// Occurrences implements Terms.
func (t *fileTerms) Occurrences(ord uint32) Occurrences {
	if !t.text {
		return &keywordOccurrences{docs: t.Documents(ord).Iterator()}
	}
	o := t.occurrences(t.list.number(ord))
	return &o
}

func (t *fileTerms) occurrences(number uint64) fileOccurrences {
	if number&inline != 0 {
		b := appendPair(make([]byte, 0, 2*binary.MaxVarintLen32), uint32(number&^inline>>32), 1)
		n := len(b)
		b = binary.AppendUvarint(b, number&(1<<32-1))
		return fileOccurrences{count: 1, docs: b[:n], positions: b[n:]}
	}
	b := t.list.data[number:]
	count, n := binary.Uvarint(b)
	b = b[n:]
	size, n := binary.Uvarint(b)
	b = b[n:]
	o := fileOccurrences{count: uint32(count)} //nolint:gosec // 31 bits
	if count > postingBlock {
		table := (count + postingBlock - 1) / postingBlock * blockEntry
		o.table, b = b[:table], b[table:]
	}
	o.docs, o.positions = b[:size], b[size:]
	o.allDocs, o.allPositions = o.docs, o.positions
	return o
}

// fileOccurrences reads what a postingWriter wrote of a word.
type fileOccurrences struct {
	count, passed uint32 // documents; the one it stands on is passed
	doc, freq     uint32
	docs          []byte // after doc
	positions     []byte // from those of doc on, but for skip of them
	skip          uint32

	table, allDocs, allPositions []byte
}

// Next implements Occurrences.
func (o *fileOccurrences) Next() bool {
	if o.passed == o.count {
		return false
	}
	o.skip += o.freq
	distance, freq, n := pair(o.docs)
	o.docs = o.docs[n:]
	o.doc, o.freq = o.doc+distance, freq
	o.passed++
	return true
}

// Seek implements Occurrences.
func (o *fileOccurrences) Seek(doc uint32) bool {
	if o.passed > 0 && o.doc >= doc {
		return true
	}
	o.jump(doc)
	for o.Next() {
		if o.doc >= doc {
			return true
		}
	}
	return false
}

// jump goes to the block that has doc, when that is not the one it stands in.
func (o *fileOccurrences) jump(doc uint32) {
	if o.table == nil {
		return
	}
	at := int(max(o.passed, 1)-1) / postingBlock
	blocks := len(o.table) / blockEntry
	if o.last(at) >= doc {
		return
	}
	step := 1
	for at+step < blocks && o.last(at+step) < doc {
		at += step
		step *= 2
	}
	most := min(step, blocks-at)
	at += 1 + sort.Search(most-1, func(i int) bool { return o.last(at+1+i) >= doc })
	if at == blocks {
		o.passed, o.freq = o.count, 0
		return
	}
	before := o.table[(at-1)*blockEntry:]
	o.passed, o.doc, o.freq, o.skip = uint32(at*postingBlock), o.last(at-1), 0, 0 //nolint:gosec // 31 bits
	o.docs = o.allDocs[binary.NativeEndian.Uint64(before[4:]):]
	o.positions = o.allPositions[binary.NativeEndian.Uint64(before[12:]):]
}

// last is the last document of a block.
func (o *fileOccurrences) last(block int) uint32 {
	return binary.NativeEndian.Uint32(o.table[block*blockEntry:])
}

// Doc implements Occurrences.
func (o *fileOccurrences) Doc() uint32 { return o.doc }

// Freq implements Occurrences.
func (o *fileOccurrences) Freq() uint32 { return o.freq }

// Positions implements Occurrences.
func (o *fileOccurrences) Positions(dst []uint32) []uint32 {
	return appendPositions(dst, o.coded(), o.freq)
}

// coded gives the positions in the document as they are coded.
func (o *fileOccurrences) coded() []byte {
	o.positions, o.skip = o.positions[skipNumbers(o.positions, o.skip):], 0
	return o.positions[:skipNumbers(o.positions, o.freq)]
}

// each implements source.
func (t *fileTerms) each(ord uint32, visit func(doc, freq uint32, positions []byte)) {
	if !t.text {
		for doc := range t.documents(ord) {
			visit(doc, 1, nil)
		}
		return
	}
	for o := t.occurrences(t.list.number(ord)); o.Next(); {
		visit(o.doc, o.freq, o.coded())
	}
}
