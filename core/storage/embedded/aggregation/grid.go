package aggregation

import (
	"cmp"

	"github.com/sluicehq/sluice/core/storage/query"
)

// grid makes a bucket for each cell that has places. A key is the number of a cell.
type grid struct {
	buckets
	of   *query.GeohashGrid
	last []uint32 // by bucket, one more than the place in the batch of the document that was counted last

	column column // of the segment that is open
}

func newGrid(of *query.GeohashGrid, a query.Aggregation, l *limits) (*grid, error) {
	b, err := newBuckets(a, l)
	return &grid{buckets: b, of: of}, err
}

func (g *grid) open(t *target) error {
	var err error
	if g.column, err = openColumn(t, g.of.Field, "geohash_grid"); err != nil {
		return err
	}
	return g.subs.open(t)
}

func (g *grid) collect(docs, owners []uint32) {
	c := &g.column
	clear(g.last)
	for i, doc := range docs {
		if !c.has(doc) {
			continue
		}
		from, to := c.span(doc)
		if g.limits.spend(int(to - from)) {
			return
		}
		for ; from < to; from++ {
			p := query.Point{Lat: c.lat[from], Lon: c.lon[from]}
			if cell := p.Geohash(g.of.Precision); g.inside(cell) {
				g.place(doc, uint32(i), g.bucket(owners[i], cell))
			}
		}
	}
	g.flush()
}

// place counts a document once in a bucket.
func (g *grid) place(doc, i, bucket uint32) {
	if more := len(g.keys) - len(g.last); more > 0 {
		g.limits.charge(4 * more)
		g.last = append(g.last, make([]uint32, more)...)
	}
	if g.last[bucket] != i+1 {
		g.last[bucket] = i + 1
		g.hit(doc, bucket)
	}
}

// inside reports whether a cell touches the bounds.
func (g *grid) inside(cell uint64) bool {
	b := g.of.Bounds
	if b == nil {
		return true
	}
	south, north, west, east := query.GeohashBox(cell, g.of.Precision)
	if south >= b.Top || north <= b.Bottom {
		return false
	}
	if b.Left > b.Right { // it crosses the date line
		return east > b.Left || west < b.Right
	}
	return east > b.Left && west < b.Right
}

func (g *grid) write(w *writer, owner uint32) {
	list := g.candidates(owner, 1, 0)
	bytes := cap(list) * candidateBytes
	defer func() { g.limits.charge(-bytes) }()
	if !w.add(min(len(list), g.of.Size)) {
		return
	}
	list = best(list, g.of.Size, compareCells, g.limits)
	g.writeBuckets(w, list, nil, func(c candidate) {
		w.name("key")
		w.text(query.GeohashText(c.key, g.of.Precision))
	})
}

// compareCells puts those with most documents first, and of these those with the greatest numbers.
func compareCells(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(b.key, a.key))
}
