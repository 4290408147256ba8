package segment

import (
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
)

func TestPlacesAreThoseOfElasticsearch(t *testing.T) {
	// What Elasticsearch 8.14 gives from doc values.
	for in, want := range map[[2]float64][2]float64{
		{48.8566, 2.3522}:    {48.8565999828279, 2.3521999921649694},
		{-33.8688, 151.2093}: {-33.86880002450198, 151.20929994620383},
		{90, 180}:            {89.99999995809048, 179.99999991618097},
		{-90, -180}:          {-90, -180},
		{1e-8, -1e-8}:        {0, -8.381903171539307e-8},
	} {
		lat, lon := place(in[0], in[1])
		if lat != want[0] || lon != want[1] {
			t.Errorf("place(%v) = %v, %v, want %v", in, lat, lon, want)
		}
		if lat2, lon2 := place(lat, lon); lat2 != lat || lon2 != lon {
			t.Errorf("the place of %v is not its own", in)
		}
	}
}

// somewhere is a field with n places anywhere on earth.
func somewhere(t testing.TB, n int) *memoryField {
	r := rand.New(rand.NewPCG(3, 4))
	f := newMemoryField(parse(t, `{"place":{"type":"geo_point"}}`).Field("place"), &Space{Len: uint32(n)})
	for doc := range uint32(n) {
		lat, lon := place(r.Float64()*180-90, r.Float64()*360-180)
		f.addPoints([]float64{lat, lon}, doc)
		f.Present.Add(doc)
	}
	f.settle()
	return f
}

func gridOf(f *memoryField) *grid {
	c := &Column[uint64]{}
	for i := range f.Points.Lat {
		c.Values = append(c.Values, cellOf(f.Points.Lat[i], f.Points.Lon[i]))
	}
	var r sortedRun[uint64]
	r.sort(columnSource[uint64]{fieldSource: fieldSource{Field: &f.Field, numbers: make([]uint32, f.settled)}, column: c})
	return &grid{cells: r.ranks, docs: r.docs, n: f.settled}
}

func TestGridTouchesFewDocuments(t *testing.T) {
	f := somewhere(t, 100_000)
	g := gridOf(f)
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		south, west := r.Float64()*170-90, r.Float64()*360-180
		north, east := south+r.Float64()*10, west+r.Float64()*10
		if east > 180 {
			east -= 360
		}
		box := Box{south, north, west, east}
		exact := roaring.New()
		for doc := range f.settled {
			if box.Has(f.Points.Lat[doc], f.Points.Lon[doc]) {
				exact.Add(doc)
			}
		}
		inside, edge := g.near(box)
		if missing := roaring.AndNot(exact, roaring.Or(inside, edge)); !missing.IsEmpty() {
			t.Fatalf("%v are in the box and not near it", missing)
		}
		if others := roaring.AndNot(inside, exact); !others.IsEmpty() {
			t.Fatalf("%v are not in the box", others)
		}
		// The cells at the edge have few places each.
		if most := exact.GetCardinality() + 20*few; edge.GetCardinality() > most {
			t.Errorf("%d are at the edge of a box that has %d", edge.GetCardinality(), exact.GetCardinality())
		}
		if _, edge := f.near(box); !edge.Equals(exact) {
			t.Errorf("a memory finds %d in a box that has %d", edge.GetCardinality(), exact.GetCardinality())
		}
	}
}

func BenchmarkNear200km(b *testing.B) {
	f := somewhere(b, 1_000_000)
	g := gridOf(f)
	b.Run("file", func(b *testing.B) {
		for b.Loop() {
			g.near(Box{48, 49.8, 1, 3.7})
		}
	})
	b.Run("memory of 25k", func(b *testing.B) {
		f := somewhere(b, 25_000)
		for b.Loop() {
			f.near(Box{48, 49.8, 1, 3.7})
		}
	})
}
