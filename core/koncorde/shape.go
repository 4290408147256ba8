package koncorde

import (
	"math"
	"slices"
)

// shape is an area on earth.
type shape interface {
	// contains reports whether p is in it or on its edge.
	contains(p point) bool
	// corners is how many points are looked at to decide that.
	corners() int
	// bounds gives one or two boxes, none of which crosses the 180th meridian, that hold all its points.
	bounds() []box
	// append writes its canonical form: members of a JSON array.
	append(dst []byte) []byte
}

// box lies between two latitudes and two longitudes, all included. When left is east of right it crosses the 180th
// meridian.
type box struct{ top, left, bottom, right float64 }

func (b box) contains(p point) bool {
	if p.lat > b.top || p.lat < b.bottom {
		return false
	}
	if b.left > b.right {
		return p.lon >= b.left || p.lon <= b.right
	}
	return p.lon >= b.left && p.lon <= b.right
}

func (b box) corners() int { return 2 }

func (b box) bounds() []box {
	if b.left > b.right {
		return []box{{b.top, b.left, b.bottom, 180}, {b.top, -180, b.bottom, b.right}}
	}
	return []box{b}
}

func (b box) append(dst []byte) []byte {
	dst = append(dst, `"box",`...)
	dst = append(point{b.top, b.left}.append(dst), ',')
	return point{b.bottom, b.right}.append(dst)
}

// ring holds the points whose distance from the centre is between two distances in metres, both included. A circle starts
// at 0.
type ring struct {
	centre   point
	from, to float64
}

func (r ring) contains(p point) bool {
	d := r.centre.distance(p)
	return d >= r.from && d <= r.to
}

func (r ring) corners() int { return 1 }

// bounds are a little too large, so that rounding never leaves a point out.
func (r ring) bounds() []box {
	const margin = 1e-5 // degrees: about a metre
	angle := r.to / earthRadius
	dLat := degrees(angle)*(1+1e-9) + margin
	b := box{top: math.Min(90, r.centre.lat+dLat), left: -180, bottom: math.Max(-90, r.centre.lat-dLat), right: 180}
	if b.top == 90 || b.bottom == -90 { // a pole is inside, and every longitude with it
		return []box{b}
	}
	dLon := degrees(math.Asin(math.Min(1, math.Sin(angle)/math.Cos(radians(r.centre.lat)))))*(1+1e-9) + 2*margin
	if dLon >= 180 {
		return []box{b}
	}
	b.left, b.right = wrapLongitude(r.centre.lon-dLon), wrapLongitude(r.centre.lon+dLon)
	return b.bounds()
}

func wrapLongitude(lon float64) float64 {
	switch {
	case lon > 180:
		return lon - 360
	case lon < -180:
		return lon + 360
	}
	return lon
}

func (r ring) append(dst []byte) []byte {
	dst = append(dst, `"ring",`...)
	dst = append(r.centre.append(dst), ',')
	dst = append(appendFloat(dst, r.from), ',')
	return appendFloat(dst, r.to)
}

// polygon has straight sides on the map of latitudes and longitudes, and does not cross the 180th meridian. The last point
// is joined to the first.
type polygon struct {
	points []point
	around box
}

// newPolygon brings points into one order: a polygon may be written from any of its points and in both directions. It
// reports false when fewer than three remain without repetitions. points belongs to it.
func newPolygon(points []point) (polygon, bool) {
	points = slices.Compact(points)
	if last := len(points) - 1; last > 0 && points[0] == points[last] {
		points = points[:last]
	}
	if len(points) < 3 {
		return polygon{}, false
	}
	points = leastRotation(points)
	slices.Reverse(points)
	reversed := leastRotation(points)
	slices.Reverse(points)
	if slices.CompareFunc(reversed, points, comparePoints) < 0 {
		points = reversed
	}
	p := polygon{points: points, around: box{top: -90, left: 180, bottom: 90, right: -180}}
	for _, q := range points {
		p.around.top, p.around.bottom = math.Max(p.around.top, q.lat), math.Min(p.around.bottom, q.lat)
		p.around.left, p.around.right = math.Min(p.around.left, q.lon), math.Max(p.around.right, q.lon)
	}
	return p, true
}

// leastRotation gives a copy that starts where the sequence is smallest.
func leastRotation(points []point) []point {
	n := len(points)
	i, j := 0, 1 // the candidates; what lies behind them is worse
	for k := 0; i < n && j < n && k < n; {
		switch c := comparePoints(points[(i+k)%n], points[(j+k)%n]); {
		case c == 0:
			k++
			continue
		case c > 0:
			i += k + 1
		default:
			j += k + 1
		}
		if i == j {
			j++
		}
		k = 0
	}
	best := min(i, j)
	return append(slices.Clone(points[best:]), points[:best]...)
}

func comparePoints(p, q point) int {
	switch {
	case p.lat != q.lat:
		return sign(p.lat - q.lat)
	default:
		return sign(p.lon - q.lon)
	}
}

func sign(f float64) int {
	switch {
	case f < 0:
		return -1
	case f > 0:
		return 1
	}
	return 0
}

func (p polygon) contains(q point) bool {
	if !p.around.contains(q) {
		return false
	}
	inside := false
	a := p.points[len(p.points)-1]
	for _, b := range p.points {
		cross := (b.lon-a.lon)*(q.lat-a.lat) - (b.lat-a.lat)*(q.lon-a.lon)
		if cross == 0 && between(q.lat, a.lat, b.lat) && between(q.lon, a.lon, b.lon) {
			return true
		}
		// A ray to the east crosses the side when one end is above it and the other is not.
		if (a.lat > q.lat) != (b.lat > q.lat) && (cross > 0) == (b.lat > a.lat) {
			inside = !inside
		}
		a = b
	}
	return inside
}

func between(x, a, b float64) bool { return x >= math.Min(a, b) && x <= math.Max(a, b) }

func (p polygon) corners() int { return len(p.points) }

func (p polygon) bounds() []box { return []box{p.around} }

func (p polygon) append(dst []byte) []byte {
	dst = append(dst, `"polygon"`...)
	for _, q := range p.points {
		dst = q.append(append(dst, ','))
	}
	return dst
}
