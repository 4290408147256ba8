package search

import (
	"math"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/query/geometry"
)

// earthRadius is the one Lucene measures with, in metres.
const earthRadius = 6371008.7714

// area is a part of the surface of the earth.
type area interface {
	segment.Area
	Has(lat, lon float64) bool
}

// geoField finds the field of a clause about places.
func (c compiler) geoField(path, clause string, ignoreUnmapped bool) (*mapping.Field, error) {
	f := c.Mapping.Resolve(path)
	switch {
	case f == nil && ignoreUnmapped:
		return nil, nil //nolint:nilnil // nothing matches
	case f == nil:
		return nil, refuse("failed to find geo field [%s]", path)
	case f.Type == mapping.GeoShape:
		return nil, refuse("Field [%s] is of unsupported type [geo_shape] for [%s] query: use geo_shape or geo_bounding_box", path, clause)
	case f.Type != mapping.GeoPoint:
		return nil, refuse("Field [%s] is of unsupported type [%s] for [%s] query", path, f.Type, clause)
	}
	return c.field(path)
}

func (c compiler) geoDistance(q *query.GeoDistance) (clause, error) {
	f, err := c.geoField(q.Field, "geo_distance", q.IgnoreUnmapped)
	return c.inArea(f, newCircle(q.Center, q.Metres), err)
}

func (c compiler) geoBox(q *query.GeoBoundingBox) (clause, error) {
	if f := c.Mapping.Resolve(q.Field); f != nil && f.Type == mapping.GeoShape {
		return c.shapesIn(f, q)
	}
	f, err := c.geoField(q.Field, "geo_bounding_box", q.IgnoreUnmapped)
	return c.inArea(f, snapped(q), err)
}

// shapesIn matches the documents whose shapes meet a box.
func (c compiler) shapesIn(f *mapping.Field, q *query.GeoBoundingBox) (clause, error) {
	if !f.Index && !f.DocValues {
		return nil, notSearchable(q.Field)
	}
	box, err := geometry.Rectangle(geometry.Box{South: q.Bottom, North: q.Top, West: q.Left, East: q.Right})
	if err != nil {
		return nil, refuse("failed to create query: %v", err)
	}
	box.Prepare()
	return c.steady(shaped{f, &query.GeoShape{Field: q.Field, Shape: box, Relation: query.Intersects}}), nil
}

func (c compiler) geoPolygon(q *query.GeoPolygon) (clause, error) {
	f, err := c.geoField(q.Field, "geo_polygon", q.IgnoreUnmapped)
	return c.inArea(f, polygon(q.Points), err)
}

func (c compiler) inArea(f *mapping.Field, a area, err error) (clause, error) {
	if f == nil || err != nil {
		return nothing{}, err
	}
	return c.steady(located{f, a}), nil
}

// located matches the documents with a point in an area.
type located struct {
	field *mapping.Field
	area  area
}

func (c located) matches(v *view) (set, error) {
	f, err := v.field(c.field)
	if f == nil || f.Points == nil || err != nil {
		return none, err
	}
	n, err := v.space(c.field.Nested)
	if err != nil {
		return nil, err
	}
	inside, edge := f.Points.Near(c.area)
	if edge.IsEmpty() {
		return docs{inside}, nil
	}
	return &undecided{v: v, n: n, inside: inside, edge: edge, test: points{c.area, f.Points}, work: pointCost}, nil
}

// undecided is the documents of inside, and those of edge that have what is asked for.
type undecided struct {
	v            *view
	n            uint32
	inside, edge *roaring.Bitmap
	test         tester
	// work is that to decide about a document, in documents.
	work int
}

// tester looks at a document.
type tester interface{ has(doc uint32) bool }

func (s *undecided) cost() int { return docs{s.inside}.cost() + docs{s.edge}.cost()*s.work }

func (s *undecided) keep(list []uint32) []uint32 {
	kept := list[:0]
	for _, doc := range list {
		if s.inside.Contains(doc) || s.edge.Contains(doc) && s.test.has(doc) {
			kept = append(kept, doc)
		}
	}
	return kept
}

// settle finds out which documents at the edge belong to the set.
func (s *undecided) settle() error {
	found := newDense(s.n)
	err := docs{s.edge}.each(func(batch []uint32) error {
		for _, doc := range batch {
			if s.test.has(doc) {
				found.add(doc)
			}
		}
		return s.v.stop(len(batch) * s.work)
	})
	s.inside.Or(found.bitmap())
	s.edge = roaring.New()
	return err
}

func (s *undecided) bitmap() *roaring.Bitmap {
	_ = s.settle() // the error is that of ctx, which ends the view
	return s.inside
}

func (s *undecided) each(visit func([]uint32) error) error {
	if err := s.settle(); err != nil {
		return err
	}
	return docs{s.inside}.each(visit)
}

// points decides by the points of documents: whether one is in an area.
type points struct {
	area   area
	points *segment.Points
}

// pointCost is the work to look at a point, in documents.
const pointCost = 4

func (s points) has(doc uint32) bool {
	p := s.points
	if p.Offsets == nil {
		return s.area.Has(p.Lat[doc], p.Lon[doc])
	}
	for i := p.Offsets[doc]; i < p.Offsets[doc+1]; i++ {
		if s.area.Has(p.Lat[i], p.Lon[i]) {
			return true
		}
	}
	return false
}

// The steps in which segments keep coordinates, which are Lucene's.
const (
	latitudeStep  = 180.0 / (1 << 32)
	longitudeStep = 360.0 / (1 << 32)
)

// snapped gives a box whose edges stand where a segment keeps points on them.
func snapped(q *query.GeoBoundingBox) segment.Box {
	return segment.Box{
		South: snap(q.Bottom, 90, latitudeStep), North: snap(q.Top, 90, latitudeStep),
		West: snap(q.Left, 180, longitudeStep), East: snap(q.Right, 180, longitudeStep),
	}
}

func snap(degrees, limit, step float64) float64 {
	if degrees == limit {
		degrees = math.Nextafter(limit, 0)
	}
	return math.Floor(degrees/step) * step
}

// circle is what is at most some metres away from a point.
type circle struct {
	box                segment.Box
	lat, lon, sin, cos float64 // of the centre, in radians
	most               float64 // of the haversine
}

const radians = math.Pi / 180

func newCircle(center query.Point, metres float64) *circle {
	c := &circle{lat: center.Lat * radians, lon: center.Lon * radians, sin: math.Sin(center.Lat * radians), cos: math.Cos(center.Lat * radians)}
	angle := metres / earthRadius
	if angle >= math.Pi {
		c.box, c.most = segment.Box{South: -90, North: 90, West: -180, East: 180}, 1
		return c
	}
	half := math.Sin(angle / 2)
	c.most = half * half
	c.box = around(center, angle)
	return c
}

// around gives a box with a little more than what is at most an angle away from a point.
func around(center query.Point, angle float64) segment.Box {
	const slack = 1e-6
	reach := angle/radians + slack
	b := segment.Box{South: center.Lat - reach, North: center.Lat + reach, West: -180, East: 180}
	if b.South <= -90 || b.North >= 90 { // a pole is inside, and with it every longitude
		b.South, b.North = max(b.South, -90), min(b.North, 90)
		return b
	}
	width := math.Asin(math.Min(1, math.Sin(angle)/math.Cos(center.Lat*radians)))/radians + slack
	if width < 180 {
		if b.West = center.Lon - width; b.West < -180 {
			b.West += 360
		}
		if b.East = center.Lon + width; b.East > 180 {
			b.East -= 360
		}
	}
	return b
}

func (c *circle) Box() segment.Box { return c.box }

// Share compares the circle with what the haversine of any place of the box is between: its difference of latitude and of
// longitude, and the cosine of its latitude, each at its least and at its most.
func (c *circle) Share(b segment.Box) segment.Share {
	south, north := b.South*radians, b.North*radians
	nearY, farY := extremes(square(math.Sin((south-c.lat)/2)), square(math.Sin((north-c.lat)/2)), south <= c.lat && c.lat <= north, false)
	west, east := b.West*radians-c.lon, b.East*radians-c.lon
	nearX, farX := extremes(square(math.Sin(west/2)), square(math.Sin(east/2)),
		west <= 0 && east >= 0 || west <= -2*math.Pi || east >= 2*math.Pi,
		west <= -math.Pi && east >= -math.Pi || west <= math.Pi && east >= math.Pi)
	narrow, wide := extremes(math.Cos(south), math.Cos(north), false, south <= 0 && north >= 0)
	const rounding = 1e-9
	switch {
	case farY+c.cos*wide*farX <= c.most*(1-rounding):
		return segment.Wholly
	case nearY+c.cos*narrow*nearX > c.most*(1+rounding):
		return segment.Nothing
	}
	return segment.Partly
}

func (c *circle) At(lat, lon float64) segment.Share { return at(c, lat, lon) }

// at is the share of a place for which it is known.
func at(a area, lat, lon float64) segment.Share {
	if a.Has(lat, lon) {
		return segment.Wholly
	}
	return segment.Nothing
}

func square(x float64) float64 { return x * x }

// extremes gives the least and the most of a function between two ends, where it has these values, and may be 0 or 1 in between.
func extremes(a, b float64, zero, one bool) (least, most float64) {
	least, most = min(a, b), max(a, b)
	if zero {
		least = 0
	}
	if one {
		most = 1
	}
	return least, most
}

func (c *circle) Has(lat, lon float64) bool {
	if !c.box.Has(lat, lon) {
		return false
	}
	lat *= radians
	y, x := (lat-c.lat)/2, (lon*radians-c.lon)/2
	if least, most := c.between(y, x); most < c.most {
		return true
	} else if least > c.most {
		return false
	}
	sinLat, sinLon := math.Sin(y), math.Sin(x)
	return sinLat*sinLat+c.cos*math.Cos(lat)*sinLon*sinLon <= c.most
}

// between gives what the haversine of a point is between, without the work of sines: y and x are half of how far away it is
// by latitude and by longitude. It is of use for points that are near, but not near the edge.
//
// The square of the sine of x is at most x² and at least x²-x⁴/3. The cosine of the latitude differs from what its tangent at
// the centre says by half of the square of the distance at most, which is 2y².
func (c *circle) between(y, x float64) (least, most float64) {
	const rounding = 1e-9
	y2, x2 := y*y, x*x
	tangent := c.cos - 2*c.sin*y
	most = y2 + c.cos*(tangent+2*y2)*x2
	least = y2 - y2*y2/3 + c.cos*max(tangent-2*y2, 0)*max(x2-x2*x2/3, 0)
	return least * (1 - rounding), most * (1 + rounding)
}

// polygon is a plane polygon of degrees. Its edges belong to it.
type polygon []query.Point

func (p polygon) Box() segment.Box {
	b := segment.Box{South: 90, North: -90, West: 180, East: -180}
	for _, corner := range p {
		b.South, b.North = min(b.South, corner.Lat), max(b.North, corner.Lat)
		b.West, b.East = min(b.West, corner.Lon), max(b.East, corner.Lon)
	}
	return b
}

// manyCorners is how many corners a polygon may have for which much of the earth is compared with it.
const manyCorners = 128

// Share looks whether an edge comes near the box. If none does, the box is inside or outside as any place of it.
func (p polygon) Share(b segment.Box) segment.Share {
	if len(p) > manyCorners {
		return segment.Partly
	}
	from := p[len(p)-1]
	for _, to := range p {
		if max(from.Lat, to.Lat) >= b.South && min(from.Lat, to.Lat) <= b.North && max(from.Lon, to.Lon) >= b.West && min(from.Lon, to.Lon) <= b.East {
			return segment.Partly
		}
		from = to
	}
	if p.Has(b.South, b.West) {
		return segment.Wholly
	}
	return segment.Nothing
}

func (p polygon) At(lat, lon float64) segment.Share {
	if len(p) > manyCorners {
		return segment.Partly
	}
	return at(p, lat, lon)
}

func (p polygon) Has(lat, lon float64) bool {
	inside := false
	from := p[len(p)-1]
	for _, to := range p {
		cross := (to.Lon-from.Lon)*(lat-from.Lat) - (to.Lat-from.Lat)*(lon-from.Lon)
		if cross == 0 && lat >= min(from.Lat, to.Lat) && lat <= max(from.Lat, to.Lat) && lon >= min(from.Lon, to.Lon) && lon <= max(from.Lon, to.Lon) {
			return true
		}
		if (from.Lat > lat) != (to.Lat > lat) && (cross > 0) == (to.Lat > from.Lat) {
			inside = !inside
		}
		from = to
	}
	return inside
}
