package segment

import (
	"encoding/binary"

	"github.com/RoaringBitmap/roaring/v2"
)

// postingWriter writes which documents hold a term. Of a keyword:
//
//	uvarint(count << 1), and the distance of each document from the one before, as uvarint
//	uint64(count << 1 | 1), and a roaring bitmap              when there are many
//
// Of a word: uvarint(count), uvarint(the size of the documents), from more than postingBlock documents on the table of
// blocks, the documents, each with its distance and the frequency, and their positions.
type postingWriter struct {
	text                   bool
	count, last            uint32
	numbers                []uint32 // of a keyword
	docs, positions, table []byte
	head                   []byte
	once                   bool // whether the first document has the word once

	worded []uint64 // the documents with a word
	total  uint64   // occurrences
}

func (p *postingWriter) reset() {
	p.count, p.last = 0, 0
	p.numbers, p.docs, p.positions, p.table = p.numbers[:0], p.docs[:0], p.positions[:0], p.table[:0]
}

// add adds a document, which comes after those before.
func (p *postingWriter) add(doc, freq uint32, positions []byte) {
	p.total += uint64(freq)
	if !p.text {
		p.numbers = append(p.numbers, doc)
		p.count, p.last = p.count+1, doc
		return
	}
	if p.count == 0 {
		p.once = freq == 1
	}
	if p.count > 0 && p.count%postingBlock == 0 {
		p.block()
	}
	p.docs = appendPair(p.docs, doc-p.last, freq)
	p.positions = append(p.positions, positions...)
	p.count, p.last = p.count+1, doc
	p.worded[doc/64] |= 1 << (doc % 64)
}

// block ends a block of documents.
func (p *postingWriter) block() {
	p.table = binary.NativeEndian.AppendUint32(p.table, p.last)
	p.table = binary.NativeEndian.AppendUint64(p.table, uint64(len(p.docs)))
	p.table = binary.NativeEndian.AppendUint64(p.table, uint64(len(p.positions)))
}

// write gives the number of the term.
func (p *postingWriter) write(w *writer) uint64 {
	if p.count == 1 && !p.text {
		return inline | uint64(p.last)<<32
	}
	if p.count == 1 && p.once {
		position, _ := binary.Uvarint(p.positions)
		return inline | uint64(p.last)<<32 | position
	}
	if !p.text {
		return p.keyword(w)
	}
	begin := w.off
	p.head = binary.AppendUvarint(p.head[:0], uint64(p.count))
	p.head = binary.AppendUvarint(p.head, uint64(len(p.docs)))
	if p.count > postingBlock {
		p.block()
	}
	for _, b := range [...][]byte{p.head, p.table, p.docs, p.positions} {
		_, _ = w.Write(b) // the error stays in w
	}
	return begin
}

func (p *postingWriter) keyword(w *writer) uint64 {
	if p.count >= denseDocuments {
		begin := w.align()
		set := roaring.BitmapOf(p.numbers...)
		set.RunOptimize()
		_, _ = w.Write(binary.NativeEndian.AppendUint64(p.head[:0], uint64(p.count)<<1|1)) // the error stays in w
		_, _ = set.WriteTo(w)
		return begin
	}
	begin := w.off
	p.docs = binary.AppendUvarint(p.docs, uint64(p.count)<<1)
	var last uint32
	for _, doc := range p.numbers {
		p.docs = binary.AppendUvarint(p.docs, uint64(doc-last))
		last = doc
	}
	_, _ = w.Write(p.docs) // the error stays in w
	return begin
}
