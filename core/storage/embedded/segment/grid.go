package segment

import (
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// grid finds places by cells that halve again and again: the number of a cell has, from its highest bit on, which half of the
// earth by latitude, which by longitude, which half of that, and so on to the last bit of the coordinates. So the places of
// any such cell stand together in the order of the numbers, and cells are as fine as places are dense.
type grid struct {
	cells []uint64 // ascending
	docs  []uint32 // of each cell, ascending
	n     uint32   // documents in the space
}

// few is how many places of a cell are not worth looking closer at.
const few = 64

// cellOf gives the number of the smallest cell of a place.
func cellOf(lat, lon float64) uint64 {
	return interleave(axis(quantise(lat, 90, latitudeStep)))<<1 | interleave(axis(quantise(lon, 180, longitudeStep)))
}

// axis counts the cells of a coordinate from 0.
func axis(cell int32) uint32 { return uint32(cell) ^ 1<<31 } //nolint:gosec // the bits of it

// interleave puts a 0 before each bit.
func interleave(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}

// near implements Points.Near.
func (g *grid) near(south, north, west, east float64) *roaring.Bitmap {
	b := widened(south, north, west, east)
	scratch := foundPlaces.Get().(*[]uint32) // nothing else is put in
	defer foundPlaces.Put(scratch)
	found := (*scratch)[:0]
	if b.west <= b.east {
		found = g.in(b, found)
	} else {
		found = g.in(box{b.south, b.north, b.west, 180}, found)
		found = g.in(box{b.south, b.north, -180, b.east}, found)
	}
	*scratch = found
	return g.set(found)
}

// foundPlaces has room for the places that near finds.
var foundPlaces = sync.Pool{New: func() any { return new([]uint32) }}

// set makes a set of documents, in any order and some more than once.
func (g *grid) set(docs []uint32) *roaring.Bitmap {
	if len(docs) < int(g.n)/512 {
		slices.Sort(docs)
		return roaring.BitmapOf(docs...)
	}
	words := make([]uint64, (g.n+63)/64)
	for _, doc := range docs {
		words[doc/64] |= 1 << (doc % 64)
	}
	return roaring.FromDense(words, false)
}

// square is a cell with its place in the order of the cells, or the box that is looked for.
type square struct{ south, north, west, east uint64 }

func (g *grid) in(b box, found []uint32) []uint32 {
	if b.south > b.north || b.west > b.east {
		return found
	}
	cell := func(v, limit, step float64) uint64 {
		return uint64(axis(quantise(math.Min(math.Max(v, -limit), limit), limit, step)))
	}
	s := square{
		cell(b.south, 90, latitudeStep), cell(b.north, 90, latitudeStep), cell(b.west, 180, longitudeStep), cell(b.east, 180, longitudeStep),
	}
	return g.walk(s, 0, len(g.cells), 0, 0, 32, found)
}

// walk looks at the places from from to to, which are those of a cell: the one with this southern and western edge and
// 1<<bits units long and wide.
func (g *grid) walk(s square, from, to int, south, west uint64, bits uint, found []uint32) []uint32 {
	north, east := south+1<<bits-1, west+1<<bits-1
	if from == to || south > s.north || north < s.south || west > s.east || east < s.west {
		return found
	}
	if to-from <= few || south >= s.south && north <= s.north && west >= s.west && east <= s.east {
		return append(found, g.docs[from:to]...)
	}
	bits--
	for quarter := range uint64(4) {
		south, west := south|quarter>>1<<bits, west|quarter&1<<bits
		next := to
		if quarter < 3 {
			// The cells of the quarter have these upper bits, and anything below.
			last := interleave(uint32(south))<<1 | interleave(uint32(west)) | (1<<(2*bits) - 1) //nolint:gosec // 32 bits
			next = from + sort.Search(to-from, func(i int) bool { return g.cells[from+i] > last })
		}
		found = g.walk(s, from, next, south, west, bits, found)
		from = next
	}
	return found
}
