package segment

import (
	"bytes"
	"math/bits"
	"slices"

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
	f.e.TotalLength = p.total
	if p.text {
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
