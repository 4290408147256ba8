package search

import "math/bits"

// windowDocs is how many documents are scored together.
const windowDocs = 2048

// windowScorer adds up the scores of the parts that have a document, for a window of documents after the other: each part
// goes through the window by itself.
type windowScorer struct {
	v      *view
	parts  []scorer
	needed int
	begun  bool
	at     uint32
	base   uint32 // the first document of the window
	sums   [windowDocs]float64
	counts [windowDocs]uint32
	filled [windowDocs / 64]uint64
}

func (s *windowScorer) next() uint32 {
	if s.begun {
		return s.seek(s.at + 1)
	}
	return s.seek(0)
}

func (s *windowScorer) seek(doc uint32) uint32 {
	switch {
	case s.begun && s.at >= doc:
		return s.at
	case !s.begun || doc-s.base >= windowDocs:
		s.fill(doc)
		s.begun = true
	}
	for {
		if found, ok := s.scan(doc); ok {
			s.at = found
			return found
		}
		// The parts stand behind the window.
		doc = noDoc
		for _, part := range s.parts {
			doc = min(doc, part.doc())
		}
		if doc == noDoc || s.v.ended(len(s.parts)) {
			s.at = noDoc
			return noDoc
		}
		s.fill(doc)
	}
}

// fill scores the window that begins with a document.
func (s *windowScorer) fill(base uint32) {
	s.base = base
	clear(s.sums[:])
	clear(s.counts[:])
	clear(s.filled[:])
	for _, part := range s.parts {
		if s.v.ended(windowDocs / 8) { // about what a part has of the window
			return
		}
		if s.begun && part.doc() >= base {
			s.addFrom(part, part.doc())
		} else {
			s.addFrom(part, part.seek(base))
		}
	}
}

func (s *windowScorer) addFrom(part scorer, doc uint32) {
	for ; doc-s.base < windowDocs && doc != noDoc; doc = part.next() {
		i := doc - s.base
		s.sums[i] += float64(part.score())
		s.counts[i]++
		s.filled[i/64] |= 1 << (i % 64)
	}
}

// scan finds the first document in the window, not before doc, that enough parts have.
func (s *windowScorer) scan(doc uint32) (uint32, bool) {
	i := doc - s.base
	for word := i / 64; word < windowDocs/64; word++ {
		set := s.filled[word]
		if word == i/64 {
			set &= ^uint64(0) << (i % 64)
		}
		for ; set != 0; set &= set - 1 {
			at := word*64 + uint32(bits.TrailingZeros64(set)) //nolint:gosec // at most 63
			if int(s.counts[at]) >= s.needed {
				return s.base + at, true
			}
		}
	}
	return 0, false
}

func (s *windowScorer) doc() uint32    { return s.at }
func (s *windowScorer) score() float32 { return float32(s.sums[s.at-s.base]) }

func (s *windowScorer) cost() int {
	sum := 0
	for _, part := range s.parts {
		sum += part.cost()
	}
	return sum
}
