package search

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// and gives the documents that are in every one of sets, which count in a space of n.
func and(v *view, n uint32, sets ...set) set {
	var p conjuncts
	for _, s := range sets {
		p.add(s)
	}
	rest := p.rest
	switch {
	case len(p.found) > 0:
		s := docs{intersect(p.found)}
		if p.live != nil {
			s = p.live.of(s.Bitmap)
		}
		if s.IsEmpty() {
			return none
		}
		rest = append(rest, s)
	case p.live != nil:
		rest = append(rest, *p.live)
	}
	switch len(rest) {
	case 0:
		return all{n}
	case 1:
		return rest[0]
	}
	slices.SortStableFunc(rest, func(a, b set) int { return cmp.Compare(a.cost(), b.cost()) })
	return &conjunction{v: v, n: n, lead: rest[0], rest: rest[1:]}
}

// conjuncts are the parts of a conjunction.
type conjuncts struct {
	found []*roaring.Bitmap
	live  *living
	rest  []set
}

func (p *conjuncts) add(s set) {
	switch s := s.(type) {
	case all:
	case docs:
		p.found = append(p.found, s.Bitmap)
	case living:
		p.live = &s
	case *conjunction:
		p.add(s.lead)
		for _, s := range s.rest {
			p.add(s)
		}
	default:
		p.rest = append(p.rest, s)
	}
}

func intersect(list []*roaring.Bitmap) *roaring.Bitmap {
	if len(list) == 1 {
		return list[0]
	}
	slices.SortFunc(list, func(a, b *roaring.Bitmap) int { return cmp.Compare(a.GetCardinality(), b.GetCardinality()) })
	b := roaring.And(list[0], list[1])
	for _, other := range list[2:] {
		b.And(other)
	}
	return b
}

// conjunction goes through the cheapest set and looks each document up in the others.
type conjunction struct {
	v    *view
	n    uint32
	lead set
	rest []set
}

func (s *conjunction) cost() int               { return s.lead.cost() }
func (s *conjunction) bitmap() *roaring.Bitmap { return collect(s.v, s, s.n) }

func (s *conjunction) keep(list []uint32) []uint32 {
	list = s.lead.keep(list)
	for _, other := range s.rest {
		list = other.keep(list)
	}
	return list
}

func (s *conjunction) each(visit func([]uint32) error) error {
	return s.lead.each(func(batch []uint32) error {
		for _, other := range s.rest {
			if err := s.v.stop(len(batch)); err != nil {
				return err
			}
			if batch = other.keep(batch); len(batch) == 0 {
				return nil
			}
		}
		return visit(batch)
	})
}

// or gives the documents that are in any of sets, which count in a space of n.
func or(v *view, n uint32, sets ...set) set {
	var found []*roaring.Bitmap
	var rest []set
	for _, s := range sets {
		switch s := s.(type) {
		case all:
			return s
		case docs:
			found = append(found, s.Bitmap)
		default:
			rest = append(rest, s)
		}
	}
	switch {
	case len(found) == 1:
		rest = append(rest, docs{found[0]})
	case len(found) > 1:
		rest = append(rest, docs{roaring.FastOr(found...)})
	}
	switch len(rest) {
	case 0:
		return none
	case 1:
		return rest[0]
	}
	return &disjunction{v: v, n: n, parts: rest}
}

// disjunction is what is in any of its parts. It is found as a whole when it is asked for more than a few documents.
type disjunction struct {
	v     *view
	n     uint32
	parts []set
	found *roaring.Bitmap
}

func (s *disjunction) cost() int {
	sum := 0
	for _, part := range s.parts {
		sum += part.cost()
	}
	return min(sum, int(s.n))
}

func (s *disjunction) bitmap() *roaring.Bitmap {
	if s.found == nil {
		list := make([]*roaring.Bitmap, 0, len(s.parts))
		for _, part := range s.parts {
			if s.v.ended(part.cost()) {
				break
			}
			list = append(list, part.bitmap())
		}
		s.found = roaring.FastOr(list...)
	}
	return s.found
}

func (s *disjunction) keep(list []uint32) []uint32 {
	if s.found != nil {
		return docs{s.found}.keep(list)
	}
	missing, scratch := slices.Clone(list), make([]uint32, len(list))
	for _, part := range s.parts {
		if s.v.ended(len(missing)) {
			break
		}
		missing = without(missing, part.keep(scratch[:copy(scratch, missing)]))
	}
	return without(list, missing)
}

func (s *disjunction) each(visit func([]uint32) error) error { return docs{s.bitmap()}.each(visit) }

// without takes out of list, in place, what is in other, whose documents are some of list in the same order.
func without(list, other []uint32) []uint32 {
	if len(other) == 0 {
		return list
	}
	kept := list[:0]
	for _, doc := range list {
		if len(other) > 0 && doc == other[0] {
			other = other[1:]
			continue
		}
		kept = append(kept, doc)
	}
	return kept
}

// not gives the documents of a space of n that are not in s.
func not(n uint32, s set) set {
	switch s := s.(type) {
	case all:
		return none
	case docs:
		if s.IsEmpty() {
			return all{n}
		}
	}
	return &negation{n: n, of: s}
}

type negation struct {
	n  uint32
	of set
}

func (s *negation) cost() int               { return int(s.n) }
func (s *negation) bitmap() *roaring.Bitmap { return roaring.Flip(s.of.bitmap(), 0, uint64(s.n)) }

func (s *negation) keep(list []uint32) []uint32 {
	return without(list, s.of.keep(slices.Clone(list)))
}

func (s *negation) each(visit func([]uint32) error) error {
	return all{s.n}.each(func(batch []uint32) error { return visit(s.keep(batch)) })
}

// atLeast gives the documents of a space of n that are in at least needed of sets.
func atLeast(v *view, n uint32, needed int, sets []set) set {
	switch {
	case needed <= 0:
		return all{n}
	case needed > len(sets):
		return none
	case needed == 1:
		return or(v, n, sets...)
	case needed == len(sets):
		return and(v, n, sets...)
	}
	times := make([]uint16, n)
	d := newDense(n)
	for _, s := range sets {
		_ = s.each(func(batch []uint32) error { // the error is that of ctx, which ends the view
			for _, doc := range batch {
				if times[doc]++; int(times[doc]) == needed {
					d.add(doc)
				}
			}
			return v.stop(len(batch))
		})
	}
	return docs{d.bitmap()}
}
