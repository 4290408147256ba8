package search

import (
	"math"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// earthRadius is the one Lucene measures with, in metres.
const earthRadius = 6371008.7714

// area is a part of the surface of the earth, inside a box in degrees. west is greater than east when it crosses the date line.
type area interface {
	box() (south, north, west, east float64)
	has(lat, lon float64) bool
}

// geoField finds the field of a clause about places.
func (c compiler) geoField(path, clause string, ignoreUnmapped bool) (*mapping.Field, error) {
	f := c.Mapping.Resolve(path)
	switch {
	case f == nil && ignoreUnmapped:
		return nil, nil //nolint:nilnil // nothing matches
	case f == nil:
		return nil, refuse("failed to find geo field [%s]", path)
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
	f, err := c.geoField(q.Field, "geo_bounding_box", q.IgnoreUnmapped)
	return c.inArea(f, snapped(q), err)
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
	south, north, west, east := c.area.box()
	candidates := f.Points.Near(south, north, west, east)
	if candidates.IsEmpty() {
		return none, nil
	}
	return &points{v: v, n: n, area: c.area, points: f.Points, candidates: candidates}, nil
}

// points is the documents of which some candidates have a point in an area.
type points struct {
	v          *view
	n          uint32
	area       area
	points     *segment.Points
	candidates *roaring.Bitmap
}

// pointCost is the work to look at a point, in documents.
const pointCost = 4

func (s *points) cost() int { return docs{s.candidates}.cost() * pointCost }

func (s *points) bitmap() *roaring.Bitmap { return collect(s.v, s, s.n) }

func (s *points) keep(list []uint32) []uint32 {
	kept := list[:0]
	for _, doc := range list {
		if s.candidates.Contains(doc) && s.inside(doc) {
			kept = append(kept, doc)
		}
	}
	return kept
}

func (s *points) inside(doc uint32) bool {
	p := s.points
	if p.Offsets == nil {
		return s.area.has(p.Lat[doc], p.Lon[doc])
	}
	for i := p.Offsets[doc]; i < p.Offsets[doc+1]; i++ {
		if s.area.has(p.Lat[i], p.Lon[i]) {
			return true
		}
	}
	return false
}

func (s *points) each(visit func([]uint32) error) error {
	return docs{s.candidates}.each(func(batch []uint32) error {
		if err := s.v.stop(len(batch) * pointCost); err != nil {
			return err
		}
		kept := batch[:0]
		for _, doc := range batch {
			if s.inside(doc) {
				kept = append(kept, doc)
			}
		}
		return visit(kept)
	})
}

// rectangle is a bounding box. Its edges belong to it.
type rectangle struct{ south, north, west, east float64 }

// The steps in which segments keep coordinates, which are Lucene's.
const (
	latitudeStep  = 180.0 / (1 << 32)
	longitudeStep = 360.0 / (1 << 32)
)

// snapped gives a box whose edges stand where a segment keeps points on them.
func snapped(q *query.GeoBoundingBox) rectangle {
	return rectangle{
		snap(q.Bottom, 90, latitudeStep), snap(q.Top, 90, latitudeStep), snap(q.Left, 180, longitudeStep), snap(q.Right, 180, longitudeStep),
	}
}

func snap(degrees, limit, step float64) float64 {
	if degrees == limit {
		degrees = math.Nextafter(limit, 0)
	}
	return math.Floor(degrees/step) * step
}

func (b rectangle) box() (south, north, west, east float64) { return b.south, b.north, b.west, b.east }

func (b rectangle) has(lat, lon float64) bool {
	if lat < b.south || lat > b.north {
		return false
	}
	if b.west > b.east {
		return lon >= b.west || lon <= b.east
	}
	return lon >= b.west && lon <= b.east
}

// circle is what is at most some metres away from a point.
type circle struct {
	rectangle
	lat, lon, sin, cos float64 // of the centre, in radians
	most               float64 // of the haversine
}

const radians = math.Pi / 180

func newCircle(center query.Point, metres float64) *circle {
	c := &circle{lat: center.Lat * radians, lon: center.Lon * radians, sin: math.Sin(center.Lat * radians), cos: math.Cos(center.Lat * radians)}
	angle := metres / earthRadius
	if angle >= math.Pi {
		c.rectangle, c.most = rectangle{-90, 90, -180, 180}, 1
		return c
	}
	half := math.Sin(angle / 2)
	c.most = half * half
	c.rectangle = around(center, angle)
	return c
}

// around gives a box with a little more than what is at most an angle away from a point.
func around(center query.Point, angle float64) rectangle {
	const slack = 1e-6
	reach := angle/radians + slack
	b := rectangle{center.Lat - reach, center.Lat + reach, -180, 180}
	if b.south <= -90 || b.north >= 90 { // a pole is inside, and with it every longitude
		return rectangle{max(b.south, -90), min(b.north, 90), -180, 180}
	}
	width := math.Asin(math.Min(1, math.Sin(angle)/math.Cos(center.Lat*radians)))/radians + slack
	if width < 180 {
		if b.west = center.Lon - width; b.west < -180 {
			b.west += 360
		}
		if b.east = center.Lon + width; b.east > 180 {
			b.east -= 360
		}
	}
	return b
}

func (c *circle) has(lat, lon float64) bool {
	if !c.rectangle.has(lat, lon) {
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

func (p polygon) box() (south, north, west, east float64) {
	south, north, west, east = 90, -90, 180, -180
	for _, corner := range p {
		south, north = min(south, corner.Lat), max(north, corner.Lat)
		west, east = min(west, corner.Lon), max(east, corner.Lon)
	}
	return south, north, west, east
}

func (p polygon) has(lat, lon float64) bool {
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
