package search

import (
	"slices"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// placeUnion goes through the documents with any of the terms that may stand at a place. A part that is at its end is nil.
type placeUnion struct {
	parts []segment.Occurrences
	at    uint32
	n     int
}

// seek goes to the first document that is not before doc, noDoc behind the last.
func (u *placeUnion) seek(doc uint32) uint32 {
	u.at = noDoc
	for i, part := range u.parts {
		if part == nil {
			continue
		}
		if !part.Seek(doc) {
			u.parts[i] = nil
			continue
		}
		u.at = min(u.at, part.Doc())
	}
	return u.at
}

// positions appends the places of the terms in the document it stands on, ascending, each once unless all are wanted.
func (u *placeUnion) positions(dst []uint32, all bool) []uint32 {
	several := 0
	for _, part := range u.parts {
		if part != nil && part.Doc() == u.at {
			dst = part.Positions(dst)
			several++
		}
	}
	if several > 1 {
		slices.Sort(dst)
		if !all {
			dst = slices.Compact(dst)
		}
	}
	return dst
}

// phraseScorer goes through the documents with a term for every place, and stops at those where they form the phrase.
type phraseScorer struct {
	v       *view
	readers []*placeUnion
	terms   int // of all readers
	offsets []uint32
	slop    int
	moves   *moves // nil without slop
	weight  *weight
	lengths []byte

	begun     bool
	at        uint32
	freq      float32
	positions [][]uint32
}

func (s *phraseScorer) next() uint32 {
	if s.begun {
		return s.seek(s.at + 1)
	}
	return s.seek(0)
}

func (s *phraseScorer) seek(doc uint32) uint32 {
	if s.begun && s.at >= doc {
		return s.at
	}
	s.begun = true
	for {
		if s.at = s.together(doc); s.at == noDoc {
			return noDoc
		}
		if s.freq = s.count(); s.freq > 0 {
			return s.at
		}
		doc = s.at + 1
	}
}

// together finds the first document not before doc that has all places.
func (s *phraseScorer) together(doc uint32) uint32 {
next:
	for doc != noDoc && !s.v.ended(s.terms) {
		for _, r := range s.readers {
			if found := r.seek(doc); found > doc {
				doc = found
				continue next
			}
		}
		return doc
	}
	return noDoc
}

// count tells how often the phrase is in the document; matches that need moves count less.
func (s *phraseScorer) count() float32 {
	for i, r := range s.readers {
		s.positions[i] = r.positions(s.positions[i][:0], i == 0 && s.slop == 0) // alternatives at one place count each
	}
	if s.slop == 0 {
		return float32(s.exact())
	}
	return s.moves.count(s.positions, s.slop)
}

// exact counts the places where every word stands at its offset.
func (s *phraseScorer) exact() int {
	found := 0
	cursors := [8]int{}
	at := cursors[:]
	if len(s.positions) > len(at) {
		at = make([]int, len(s.positions))
	}
next:
	for _, position := range s.positions[0] {
		if s.v.ended(len(s.positions)) {
			return found
		}
		for i := 1; i < len(s.positions); i++ {
			list, want := s.positions[i], position-s.offsets[0]+s.offsets[i]
			for at[i] < len(list) && list[at[i]] < want {
				at[i]++
			}
			if at[i] == len(list) {
				return found
			}
			if list[at[i]] != want {
				continue next
			}
		}
		found++
	}
	return found
}

func (s *phraseScorer) doc() uint32 { return s.at }

func (s *phraseScorer) score() float32 {
	if s.weight == nil {
		return 0
	}
	length := byte(unweighted)
	if s.lengths != nil {
		length = s.lengths[s.at]
	}
	return s.weight.score(s.freq, length)
}

func (s *phraseScorer) cost() int {
	least := s.readers[0].n
	for _, r := range s.readers {
		least = min(least, r.n)
	}
	return least
}
