package segment

import (
	"bytes"
	"iter"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"
)

// Under gives what is known of the terms of a field that begin with a prefix, as a field whose terms lack it. The field must
// have Ords; n is how many documents its space has. It needs memory for all of them.
func (f *Field) Under(prefix []byte, n uint32) *Field {
	t := &termsUnder{Terms: f.Terms, prefix: prefix, ords: slices.Collect(f.Terms.Between(prefix, after(prefix), nil))}
	rank := make([]uint32, f.Terms.Len())
	for i := range rank {
		rank[i] = math.MaxUint32
	}
	for i, ord := range t.ords {
		rank[ord] = uint32(i)
	}
	c := &Column[uint32]{Offsets: make([]uint32, 1, n+1)}
	present := roaring.New()
	for doc := range n {
		if f.Present.Contains(doc) {
			for _, ord := range f.Ords.Of(doc) {
				if rank[ord] != math.MaxUint32 {
					c.Values = append(c.Values, rank[ord])
				}
			}
		}
		if len(c.Values) > int(c.Offsets[doc]) {
			present.Add(doc)
		}
		c.Offsets = append(c.Offsets, uint32(len(c.Values))) //nolint:gosec // as many as the ordinals of the field
	}
	return &Field{
		Type: f.Type, Space: f.Space, Present: present, Terms: t, Ords: c, TotalLength: uint64(len(c.Values)),
	}
}

// after is the first text behind all that begin with a prefix whose last byte is not the greatest.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	end[len(end)-1]++
	return end
}

// termsUnder are the terms with a prefix, without it. ords has their ordinals among all terms, in the order of the terms.
type termsUnder struct {
	Terms
	prefix []byte
	ords   []uint32
}

func (t *termsUnder) Len() int     { return len(t.ords) }
func (t *termsUnder) Sorted() bool { return true }

func (t *termsUnder) Find(term []byte) (uint32, bool) {
	i, ok := slices.BinarySearchFunc(t.ords, term, func(ord uint32, term []byte) int {
		return bytes.Compare(t.Terms.Term(ord)[len(t.prefix):], term)
	})
	return uint32(i), ok //nolint:gosec // an ordinal
}

func (t *termsUnder) Term(ord uint32) []byte { return t.Terms.Term(t.ords[ord])[len(t.prefix):] }

// Between goes through the terms one by one: an automaton does not know the prefix.
func (t *termsUnder) Between(from, to []byte, a vellum.Automaton) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		first, _ := t.Find(from)
		for ord := first; int(ord) < len(t.ords); ord++ {
			term := t.Term(ord)
			if to != nil && bytes.Compare(term, to) >= 0 {
				return
			}
			if (a == nil || takes(a, term)) && !yield(ord) {
				return
			}
		}
	}
}

func takes(a vellum.Automaton, term []byte) bool {
	state := a.Start()
	for _, b := range term {
		state = a.Accept(state, b)
	}
	return a.IsMatch(state)
}

func (t *termsUnder) DocFreq(ord uint32) int               { return t.Terms.DocFreq(t.ords[ord]) }
func (t *termsUnder) Documents(ord uint32) *roaring.Bitmap { return t.Terms.Documents(t.ords[ord]) }

func (t *termsUnder) Occurrences(ord uint32) Occurrences { return t.Terms.Occurrences(t.ords[ord]) }

var _ Terms = (*termsUnder)(nil)
