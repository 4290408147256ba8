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

// deinterleave takes out every second bit.
func deinterleave(x uint64) uint64 {
	x &= 0x5555555555555555
	x = (x | x>>1) & 0x3333333333333333
	x = (x | x>>2) & 0x0f0f0f0f0f0f0f0f
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return (x | x>>16) & 0x00000000ffffffff
}

// near implements Points.Near.
func (g *grid) near(a Area) (inside, edge *roaring.Bitmap) {
	found := foundPlaces.Get().(*places) // nothing else is put in
	defer foundPlaces.Put(found)
	found.inside, found.edge = found.inside[:0], found.edge[:0]
	w := walk{grid: g, area: a, places: found}
	b := a.Box().widened()
	if b.West <= b.East {
		w.in(b)
	} else {
		w.in(Box{b.South, b.North, b.West, 180})
		w.in(Box{b.South, b.North, -180, b.East})
	}
	return g.set(found.inside), g.set(found.edge)
}

// places are documents in any order, some more than once.
type places struct{ inside, edge []uint32 }

// foundPlaces has room for the places that near finds.
var foundPlaces = sync.Pool{New: func() any { return new(places) }}

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

// walk looks for the places of an area in a box.
type walk struct {
	*grid
	area Area
	box  square
	*places
}

// square is a box in numbers of cells, which count from the southern and the western end.
type square struct{ south, north, west, east uint64 }

func (w *walk) in(b Box) {
	if b.South > b.North || b.West > b.East {
		return
	}
	cell := func(v, limit, step float64) uint64 {
		return uint64(axis(quantise(math.Min(math.Max(v, -limit), limit), limit, step)))
	}
	w.box = square{
		cell(b.South, 90, latitudeStep), cell(b.North, 90, latitudeStep), cell(b.West, 180, longitudeStep), cell(b.East, 180, longitudeStep),
	}
	w.look(0, len(w.cells), 0, 0, 32)
}

// look looks at the places from from to to, which are those of a cell: the one with this southern and western edge and 1<<bits
// units long and wide.
func (w *walk) look(from, to int, south, west uint64, bits uint) {
	north, east := south+1<<bits-1, west+1<<bits-1
	if from == to || south > w.box.north || north < w.box.south || west > w.box.east || east < w.box.west {
		return
	}
	switch w.area.Share(Box{degrees(south, latitudeStep), degrees(north, latitudeStep), degrees(west, longitudeStep), degrees(east, longitudeStep)}) {
	case Wholly:
		w.inside = append(w.inside, w.docs[from:to]...)
		return
	case Nothing:
		return
	case Partly:
	}
	if to-from <= few || bits == 0 {
		w.decide(from, to)
		return
	}
	bits--
	for quarter := range uint64(4) {
		south, west := south|quarter>>1<<bits, west|quarter&1<<bits
		next := to
		if quarter < 3 {
			// The cells of the quarter have these upper bits, and anything below.
			last := interleave(uint32(south))<<1 | interleave(uint32(west)) | (1<<(2*bits) - 1) //nolint:gosec // 32 bits
			next = from + sort.Search(to-from, func(i int) bool { return w.cells[from+i] > last })
		}
		w.look(from, next, south, west, bits)
		from = next
	}
}

// decide looks at each place from from to to.
func (w *walk) decide(from, to int) {
	for i := from; i < to; i++ {
		cell := w.cells[i]
		switch w.area.At(degrees(deinterleave(cell>>1), latitudeStep), degrees(deinterleave(cell), longitudeStep)) {
		case Wholly:
			w.inside = append(w.inside, w.docs[i])
		case Partly:
			w.edge = append(w.edge, w.docs[i])
		case Nothing:
		}
	}
}

// degrees is the coordinate that stands for those of a cell.
func degrees(cell uint64, step float64) float64 {
	return float64(int64(cell)-1<<31) * step //nolint:gosec // 32 bits
}
