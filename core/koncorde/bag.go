package koncorde

import "slices"

// bag is a list without order. It must not be copied while something is in it: entries know where they are.
type bag []*entry

// spot is where an entry lies in a bag.
type spot struct {
	bag   *bag
	index int
}

func (b *bag) add(e *entry) {
	e.spots = append(e.spots, spot{b, len(*b)})
	*b = append(*b, e)
}

// remove takes e, which must be in it, away once. The last entry takes its place.
func (b *bag) remove(e *entry) {
	at := slices.IndexFunc(e.spots, func(s spot) bool { return s.bag == b })
	hole, last := e.spots[at].index, len(*b)-1
	e.spots = slices.Delete(e.spots, at, at+1)
	moved := (*b)[last]
	(*b)[hole], (*b)[last] = moved, nil
	*b = (*b)[:last]
	if hole < last {
		moved.spots[slices.Index(moved.spots, spot{b, last})].index = hole
	}
}
