package search

import (
	"math"
	"slices"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// resolveDistance finds the field of a key that is a distance. A document without a point is infinitely far away.
func (k *key) resolveDistance(m *mapping.Mapping) error {
	k.kind, k.typ = byFloat, mapping.Double
	k.missing.number = orderedBits(math.Inf(1))
	f := m.Resolve(k.Field)
	switch {
	case f == nil && k.Distance.IgnoreUnmapped:
		return nil
	case f == nil:
		return refuse("failed to find mapper for [%s] for geo distance based sort", k.Field)
	case f.Type != mapping.GeoPoint:
		return refuse("the field [%s] is of type [%s]: only a geo_point can be sorted by distance", k.Field, f.Type)
	case f.Nested != "":
		return refuse("it is mandatory to set the [nested] context on the nested sort field: [%s].", k.Field)
	case !f.DocValues:
		return refuse("Can't load fielddata on [%s] because fielddata is unsupported on fields of type [%s]. Use doc values instead.", k.Field, f.Type)
	}
	k.field = f
	return nil
}

// distances sorts by how far the points of documents are away.
type distances struct {
	*key
	v       *view
	points  *segment.Points
	present absentees
	flip    int64
	// cosines are those of the latitudes of the origins.
	cosines []float64
	list    []float64 // room for the distances of one document
}

func newDistances(k *key, v *view, f *segment.Field, flip int64) reader {
	if f.Points == nil {
		return same{k, flip}
	}
	r := &distances{key: k, v: v, points: f.Points, present: v.absentees(f), flip: flip}
	for _, p := range k.Distance.Points {
		r.cosines = append(r.cosines, math.Cos(p.Lat*radians))
	}
	return r
}

func (r *distances) fill(docs []uint32, _ []float32, to []int64) {
	for i, doc := range docs {
		to[i] = 0
		if !r.v.ended(len(r.cosines) * pointCost) {
			to[i] = r.number(doc) ^ r.flip
		}
	}
}

func (r *distances) bound(v value) int64 { return v.number ^ r.flip }

func (r *distances) value(doc uint32, _ float32) (value, error) {
	return value{number: r.number(doc)}, nil
}

func (r *distances) number(doc uint32) int64 {
	if r.present.lacks(doc) {
		return r.missing.number
	}
	from, to := doc, doc+1
	if r.points.Offsets != nil {
		from, to = r.points.Offsets[doc], r.points.Offsets[doc+1]
	}
	r.list = r.list[:0]
	for i := from; i < to; i++ {
		for origin := range r.cosines {
			r.list = append(r.list, r.metres(origin, r.points.Lat[i], r.points.Lon[i])/r.Distance.Unit)
		}
	}
	return orderedBits(r.chosen())
}

// metres gives how far a point is away from one of the origins.
func (r *distances) metres(origin int, lat, lon float64) float64 {
	from := r.Distance.Points[origin]
	if r.Distance.Plane {
		y, x := (lat-from.Lat)*radians, (lon-from.Lon)*radians
		return math.Hypot(x*math.Cos((lat+from.Lat)/2*radians), y) * earthRadius
	}
	return arc(from, r.cosines[origin], lat, lon)
}

// arc is how far a point is away from another one, whose latitude has the cosine, in metres.
func arc(from query.Point, cosine, lat, lon float64) float64 {
	sinY, sinX := math.Sin((lat-from.Lat)*radians/2), math.Sin((lon-from.Lon)*radians/2)
	h := sinY*sinY + cosine*math.Cos(lat*radians)*sinX*sinX
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}

// chosen makes one of the distances in the list.
func (r *distances) chosen() float64 {
	mode := r.Mode
	switch {
	case len(r.list) == 1:
		return r.list[0]
	case mode == "max", mode == "" && r.Desc:
		return slices.Max(r.list)
	case mode == "", mode == "min":
		return slices.Min(r.list)
	}
	slices.Sort(r.list)
	return r.pickFloats(mode, r.list)
}
