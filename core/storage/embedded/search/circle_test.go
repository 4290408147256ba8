package search

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

// within gives a place in a box.
func within(r *rand.Rand, b segment.Box) (lat, lon float64) {
	if b.West > b.East {
		b.East += 360
	}
	lat, lon = b.South+r.Float64()*(b.North-b.South), b.West+r.Float64()*(b.East-b.West)
	if lon > 180 {
		lon -= 360
	}
	return lat, lon
}

// What an area says of boxes holds for every place in them.
func TestShares(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	said := map[segment.Share]int{}
	const areas = 20_000
	for i := range areas {
		center := query.Point{Lat: r.Float64()*180 - 90, Lon: r.Float64()*360 - 180}
		var a area
		switch i % 3 {
		case 0:
			a = newCircle(center, math.Exp(6+r.Float64()*12)) // 400 m to 65000 km
		case 1:
			a = segment.Box{South: center.Lat, North: center.Lat + r.Float64()*(90-center.Lat), West: center.Lon, East: r.Float64()*360 - 180}
		case 2:
			p := polygon{center}
			for range 2 + r.IntN(6) {
				p = append(p, query.Point{Lat: min(90, max(-90, center.Lat+r.NormFloat64()*20)), Lon: min(180, max(-180, center.Lon+r.NormFloat64()*20))})
			}
			a = p
		}
		for range 10 {
			lat, lon := within(r, a.Box())
			size := math.Exp(r.Float64()*7 - 4)
			b := segment.Box{South: lat, North: min(90, lat+size*r.Float64()), West: lon, East: min(180, lon+size*r.Float64())}
			share := a.Share(b)
			said[share]++
			for range 10 {
				lat, lon := within(r, b)
				has := a.Has(lat, lon)
				if share == segment.Wholly && !has || share == segment.Nothing && has {
					t.Fatalf("%T %+v says %v of %+v, not so of %v %v", a, a, share, b, lat, lon)
				}
				if at := a.At(lat, lon); (at == segment.Wholly) != has {
					t.Fatalf("%T %+v says %v of %v %v, and has it: %v", a, a, at, lat, lon, has)
				}
			}
		}
	}
	if said[segment.Wholly] < areas || said[segment.Nothing] < areas/10 {
		t.Errorf("the shares were %v", said)
	}
}

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
			lat, lon := within(r, c.box)
			y, x := (lat*radians-c.lat)/2, (lon*radians-c.lon)/2
			sinLat, sinLon := math.Sin(y), math.Sin(x)
			haversine := sinLat*sinLat + c.cos*math.Cos(lat*radians)*sinLon*sinLon
			if want := haversine <= c.most && c.box.Has(lat, lon); c.Has(lat, lon) != want {
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
