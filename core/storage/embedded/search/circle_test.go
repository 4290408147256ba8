package search

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sluicehq/sluice/core/storage/query"
)

// The way without sines decides as the one with them, from points on the poles and the date line on.
func TestCircle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	quick, inside := 0, 0
	const points = 200_000
	for range points / 100 {
		center := query.Point{Lat: r.Float64()*180 - 90, Lon: r.Float64()*360 - 180}
		switch r.IntN(10) {
		case 0:
			center.Lat = 90 - r.Float64()*r.Float64()*0.1
		case 1:
			center.Lon = -180
		}
		c := newCircle(center, math.Exp(r.Float64()*18)) // 1 m to 65000 km
		for range 100 {
			south, north, west, east := c.box()
			if west > east {
				east += 360
			}
			lat, lon := south+r.Float64()*(north-south), west+r.Float64()*(east-west)
			if lon > 180 {
				lon -= 360
			}
			y, x := (lat*radians-c.lat)/2, (lon*radians-c.lon)/2
			sinLat, sinLon := math.Sin(y), math.Sin(x)
			haversine := sinLat*sinLat + c.cos*math.Cos(lat*radians)*sinLon*sinLon
			if want := haversine <= c.most && c.rectangle.has(lat, lon); c.has(lat, lon) != want {
				t.Fatalf("%v with %v in %+v: %v", lat, lon, c, !want)
			} else if want {
				inside++
			}
			if least, most := c.between(y, x); most < c.most || least > c.most {
				quick++
			}
		}
	}
	if quick < points/2 || inside < points/3 {
		t.Errorf("%d of %d points are inside, %d needed no sines", inside, points, quick)
	}
}
