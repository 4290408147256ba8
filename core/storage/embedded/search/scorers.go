package search

import (
	"cmp"
	"slices"
)

// join gives the documents of every scorer that are in filter too, with the sum of their scores and bonus. nil when there
// are none.
func join(v *view, scorers []scorer, filter set, bonus float32) scorer {
	if len(scorers) == 0 {
		return newSteady(filter.bitmap(), bonus)
	}
	if _, ok := filter.(all); ok {
		if len(scorers) == 1 && bonus == 0 {
			return scorers[0]
		}
		filter = nil
	}
	slices.SortFunc(scorers, func(a, b scorer) int { return cmp.Compare(a.cost(), b.cost()) })
	s := &joined{v: v, scored: slices.Clone(scorers), filter: filter, bonus: float64(bonus)}
	s.lead, s.others = scorers[0], scorers[1:]
	if filter != nil && filter.cost() < s.lead.cost() {
		if s.lead = newSteady(filter.bitmap(), 0); s.lead == nil {
			return nil
		}
		s.filter, s.others = nil, scorers
	}
	return s
}

// joined goes along lead and looks its documents up in the others.
type joined struct {
	v      *view
	lead   scorer
	others []scorer
	scored []scorer
	filter set // nil when it is done with
	bonus  float64
	one    [1]uint32
}

func (s *joined) next() uint32           { return s.settle(s.lead.next()) }
func (s *joined) seek(doc uint32) uint32 { return s.settle(s.lead.seek(doc)) }
func (s *joined) doc() uint32            { return s.lead.doc() }
func (s *joined) cost() int              { return s.lead.cost() }

// settle goes on to the first document that all have.
func (s *joined) settle(doc uint32) uint32 {
next:
	for doc != noDoc && !s.v.ended(1+len(s.others)) {
		for _, other := range s.others {
			if found := other.seek(doc); found > doc {
				doc = s.lead.seek(found)
				continue next
			}
		}
		if s.filter != nil {
			s.one[0] = doc
			if len(s.filter.keep(s.one[:])) == 0 {
				doc = s.lead.next()
				continue
			}
		}
		return doc
	}
	return noDoc
}

func (s *joined) score() float32 {
	sum := s.bonus
	for _, part := range s.scored {
		sum += float64(part.score())
	}
	return float32(sum)
}

// optionalScorer adds the score of what may match too.
type optionalScorer struct {
	scorer
	extra scorer
}

func (s *optionalScorer) score() float32 {
	score := s.scorer.score()
	if at := s.doc(); s.extra.seek(at) == at {
		score += s.extra.score()
	}
	return score
}

// some gives the documents that at least needed of scorers have.
func some(v *view, scorers []scorer, needed int) scorer {
	if len(scorers) == 1 {
		return scorers[0]
	}
	if len(scorers) >= manyScorers {
		return &windowScorer{v: v, parts: scorers, needed: needed}
	}
	return &anyScorer{v: v, parts: scorers, needed: needed}
}

// manyScorers is from how many parts on a window of documents is less work than always finding the part that is behind.
const manyScorers = 3

// anyScorer adds up the scores of the parts that have a document.
type anyScorer struct {
	v     *view
	parts []scorer
	// stands has the document of each part, which is asked for more often than it changes.
	stands []uint32
	needed int
	begun  bool
	at     uint32
}

func (s *anyScorer) next() uint32 {
	if s.begun {
		return s.seek(s.at + 1)
	}
	return s.seek(0)
}

func (s *anyScorer) seek(doc uint32) uint32 {
	if s.begun && s.at >= doc {
		return s.at
	}
	if !s.begun {
		s.stands = make([]uint32, len(s.parts))
	}
	for {
		if doc == noDoc || s.v.ended(len(s.parts)) {
			s.begun, s.at = true, noDoc
			return noDoc
		}
		least, count := uint32(noDoc), 0
		for i, at := range s.stands {
			if !s.begun || at < doc {
				at = s.advance(s.parts[i], doc)
				s.stands[i] = at
			}
			switch {
			case at < least:
				least, count = at, 1
			case at == least:
				count++
			}
		}
		if least == noDoc || count >= s.needed {
			s.begun, s.at = true, least
			return least
		}
		s.begun, s.at = true, least
		doc = least + 1
	}
}

// advance moves a part that stands before doc. To the next document it goes by next, which is faster.
func (s *anyScorer) advance(part scorer, doc uint32) uint32 {
	if !s.begun {
		return part.seek(doc)
	}
	at := part.next()
	if at < doc {
		at = part.seek(doc)
	}
	return at
}

func (s *anyScorer) doc() uint32 { return s.at }

func (s *anyScorer) score() float32 {
	sum := float64(0)
	for i, at := range s.stands {
		if at == s.at {
			sum += float64(s.parts[i].score())
		}
	}
	return float32(sum)
}

func (s *anyScorer) cost() int {
	sum := 0
	for _, part := range s.parts {
		sum += part.cost()
	}
	return sum
}

// bestScorer takes the best score of the parts, and tie of the others.
type bestScorer struct {
	anyScorer
	tie float64
}

func (s *bestScorer) score() float32 {
	best, others := float32(0), float64(0)
	for i, at := range s.stands {
		if at != s.at {
			continue
		}
		if score := s.parts[i].score(); score >= best {
			others += float64(best)
			best = score
		} else {
			others += float64(score)
		}
	}
	return float32(float64(best) + others*s.tie)
}
