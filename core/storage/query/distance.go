package query

import "math"

// earthRadius is the one Lucene measures with, in metres.
const earthRadius = 6371008.7714

// Metres is how far another point is away: on the sphere, or on a plane, which is quicker and wrong far away and at the poles.
func (p Point) Metres(q Point, plane bool) float64 {
	const radians = math.Pi / 180
	if plane {
		y, x := (q.Lat-p.Lat)*radians, (q.Lon-p.Lon)*radians*math.Cos((p.Lat+q.Lat)/2*radians)
		return earthRadius * math.Hypot(x, y)
	}
	y, x := math.Sin((q.Lat-p.Lat)*radians/2), math.Sin((q.Lon-p.Lon)*radians/2)
	h := y*y + math.Cos(p.Lat*radians)*math.Cos(q.Lat*radians)*x*x
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}
