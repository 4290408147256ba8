package segment

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

// readTerms is a dictionary that gives what is to be written. The positions are coded as in an Entry; keywords have none.
type readTerms interface {
	Terms
	each(ord uint32, visit func(doc, freq uint32, positions []byte))
}

var (
	_ readTerms = (*memoryTerms)(nil)
	_ readTerms = (*fileTerms)(nil)
)

// termCursor goes through the terms of one of the segments in their order.
type termCursor struct {
	terms   readTerms
	order   []uint32 // nil when that is the order of the ordinals
	i       int
	numbers []uint32
	ords    []uint32 // gets the new ordinals; nil when nobody needs them
}

func (c *termCursor) done() bool { return c.i == c.terms.Len() }

func (c *termCursor) ord() uint32 {
	if c.order != nil {
		return c.order[c.i]
	}
	return uint32(c.i) //nolint:gosec // an ordinal
}

func (c *termCursor) term() []byte { return c.terms.Term(c.ord()) }

// terms writes the dictionary with the documents of each term, then the column of ordinals and the lengths.
func (f *fieldMerger) terms() error {
	ordinals := slices.ContainsFunc(f.sources, func(s fieldSource) bool { return s.Ords != nil })
	cursors := make([]*termCursor, 0, len(f.sources))
	for i := range f.sources {
		s := &f.sources[i]
		c := &termCursor{terms: s.Terms.(readTerms), numbers: s.numbers}
		if !s.Terms.Sorted() {
			c.order = slices.Collect(s.Terms.Between(nil, nil, nil))
		}
		if ordinals {
			s.ords = make([]uint32, s.Terms.Len())
			c.ords = s.ords
		}
		cursors = append(cursors, c)
	}
	if err := f.dictionary(cursors); err != nil {
		return err
	}
	if f.e.Type == mapping.Text {
		f.lengths()
	}
	if !ordinals {
		return nil
	}
	return f.ordinals()
}

// dictionary writes each term that a document which is written holds.
func (f *fieldMerger) dictionary(cursors []*termCursor) error {
	l := list{w: f.w, numbered: true}
	p := postingWriter{text: f.e.Type == mapping.Text, worded: make([]uint64, (f.n+63)/64)}
	var same []*termCursor
	for {
		same = least(cursors, same[:0])
		if len(same) == 0 {
			break
		}
		p.reset()
		for _, c := range same {
			c.terms.each(c.ord(), func(doc, freq uint32, positions []byte) {
				if number := c.numbers[doc]; number != gone {
					p.add(number, freq, positions)
				}
			})
		}
		if p.count > 0 {
			for _, c := range same {
				if c.ords != nil {
					c.ords[c.ord()] = l.n
				}
			}
			l.add(same[0].term(), p.write(f.w))
		}
		for _, c := range same {
			c.i++
		}
		if f.w.err != nil {
			return f.w.err
		}
	}
	e := l.end()
	f.e.Terms = &e
	if p.text {
		f.e.TotalLength = p.total
		for _, word := range p.worded {
			f.e.Worded += uint32(bits.OnesCount64(word)) //nolint:gosec // 64 at most
		}
	}
	return f.w.err
}

// least appends the cursors that stand on the first of all terms.
func least(cursors, to []*termCursor) []*termCursor {
	var first []byte
	for _, c := range cursors {
		if c.done() {
			continue
		}
		term, order := c.term(), -1
		if len(to) > 0 {
			order = bytes.Compare(term, first)
		}
		if order < 0 {
			to, first = to[:0], term
		}
		if order <= 0 {
			to = append(to, c)
		}
	}
	return to
}

// lengths writes those of each document, when the text has norms.
func (f *fieldMerger) lengths() {
	if !slices.ContainsFunc(f.sources, func(s fieldSource) bool { return s.Lengths != nil }) {
		return
	}
	b := begin[byte](f.w)
	for _, s := range f.sources {
		if s.Lengths != nil {
			s.all(func(doc, number uint32) {
				b.pad(number, 0)
				b.put(s.Lengths[doc])
			})
		}
	}
	b.pad(f.n, 0)
	f.e.Lengths = b.end()
}

// ordinals writes the column of ordinals. A text may have got fielddata after some of the segments were written.
func (f *fieldMerger) ordinals() error {
	parts := make([]columnSource[uint32], 0, len(f.sources))
	for _, s := range f.sources {
		old := s.Ords
		if old == nil {
			old = Uninvert(s.Terms, uint32(len(s.numbers))) //nolint:gosec // the number of documents
		}
		parts = append(parts, columnSource[uint32]{fieldSource: s, column: old, convert: func(ord uint32) uint32 { return s.ords[ord] }})
	}
	var err error
	f.e.Ords, err = column(f.w, f.n, parts)
	return err
}

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
	p.total += uint64(freq)
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
