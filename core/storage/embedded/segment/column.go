package segment

import "github.com/RoaringBitmap/roaring/v2"

// push gives a document, which comes after all that have values, its values. present has the documents that have some so far.
func (c *Column[T]) push(doc uint32, values []T, present *roaring.Bitmap) {
	if c.Offsets == nil && len(values) > 1 {
		c.spread(present)
	}
	c.pad(doc)
	c.Values = append(c.Values, values...)
	if c.Offsets != nil {
		c.Offsets = append(c.Offsets, uint32(len(c.Values))) //nolint:gosec // a segment in memory is small
	}
}

// pad gives n documents a place.
func (c *Column[T]) pad(n uint32) {
	if c.Offsets == nil {
		for missing := int(n) - len(c.Values); missing > 0; missing-- {
			var none T
			c.Values = append(c.Values, none)
		}
		return
	}
	for missing := int(n) + 1 - len(c.Offsets); missing > 0; missing-- {
		c.Offsets = append(c.Offsets, uint32(len(c.Values))) //nolint:gosec // a segment in memory is small
	}
}

// spread makes a column of one value for each document one of any number.
func (c *Column[T]) spread(present *roaring.Bitmap) {
	c.Offsets = append(make([]uint32, 0, cap(c.Values)+1), 0)
	n := uint32(0)
	for doc := range c.Values {
		if present.Contains(uint32(doc)) {
			c.Values[n] = c.Values[doc]
			n++
		}
		c.Offsets = append(c.Offsets, n)
	}
	c.Values = c.Values[:n]
}

// Of gives the values of a document that is present.
func (c *Column[T]) Of(doc uint32) []T {
	if c.Offsets == nil {
		return c.Values[doc : doc+1]
	}
	return c.Values[c.Offsets[doc]:c.Offsets[doc+1]]
}

// Uninvert makes the column of ordinals that Field.Ords is of the terms of a field that has none, for a text whose mapping
// got fielddata later. n is how many documents the space has.
func Uninvert(terms Terms, n uint32) *Column[uint32] {
	c := &Column[uint32]{Offsets: make([]uint32, n+1)}
	for ord := range terms.Len() {
		for doc := range roaring.Values(terms.Documents(uint32(ord))) {
			c.Offsets[doc+1]++
		}
	}
	for doc := range n {
		c.Offsets[doc+1] += c.Offsets[doc]
	}
	c.Values = make([]uint32, c.Offsets[n])
	next := make([]uint32, n)
	copy(next, c.Offsets)
	for ord := range terms.Between(nil, nil, nil) {
		for doc := range roaring.Values(terms.Documents(ord)) {
			c.Values[next[doc]] = ord
			next[doc]++
		}
	}
	return c
}
