package geometry

import (
	"math"
	"slices"
)

// near is how far apart places may be that are taken for one, in degrees.
const near = 1e-9

// Stop is asked by what compares shapes, with the work since it was last asked, in edges. When it says true, whoever asked gives up
// and the answer means nothing.
type Stop func(work int) bool

// Intersects reports whether two shapes have a place in common. It is faster when other is prepared.
func (s *Shape) Intersects(other *Shape, stop Stop) bool {
	for _, a := range s.parts {
		for _, b := range other.parts {
			if stop(1) {
				return false
			}
			if a.box.Touches(b.box) && a.intersects(b, stop) {
				return true
			}
		}
	}
	return false
}

// Within reports whether every part of the shape lies in one of the parts of other: no place of it is outside.
func (s *Shape) Within(other *Shape, stop Stop) bool {
	for _, a := range s.parts {
		if !slices.ContainsFunc(other.parts, func(b *part) bool {
			return !stop(1) && a.box.Within(b.box) && a.within(b, stop)
		}) {
			return false
		}
	}
	return true
}

// Has reports whether a place lies in the shape, or at most slack degrees beside an edge of it.
func (s *Shape) Has(at Position, slack float64) bool {
	for _, p := range s.parts {
		if p.has(at, slack) {
			return true
		}
	}
	return false
}

func (p *part) intersects(other *part, stop Stop) bool {
	p.index()
	for _, e := range p.edges {
		met, work := false, 1
		other.search(e.box().wider(near), func(o edge) bool {
			work++
			met = e.meets(o)
			return !met && (work%stopEdges != 0 || !stop(stopEdges))
		})
		if met {
			return true
		}
		if stop(work % stopEdges) {
			return false
		}
	}
	return other.has(p.rings[0][0], near) || p.has(other.rings[0][0], near)
}

// stopEdges is how many edges are looked at between two questions whether to go on.
const stopEdges = 1024

// within reports whether the part has no place outside of another one. An area does not when its edges have none, unless it has a
// hole of the other one inside.
func (p *part) within(other *part, stop Stop) bool {
	if p.kind == polygon && other.kind != polygon {
		return false
	}
	p.index()
	for _, e := range p.edges {
		if !e.within(other, stop) {
			return false
		}
	}
	if p.kind != polygon {
		return true
	}
	for _, hole := range other.rings[1:] {
		if stop(len(hole)) {
			return false
		}
		if at, ok := inside(hole); ok && p.has(at, near) {
			return false
		}
	}
	return true
}

// has implements Has. It counts the edges of a polygon east of the place.
func (p *part) has(at Position, slack float64) bool {
	here := Box{at.Lat, at.Lat, at.Lon, at.Lon}
	if !here.touches(p.box.wider(slack)) {
		return false
	}
	on := false
	p.search(here.wider(slack), func(e edge) bool {
		on = e.near(at, slack)
		return !on
	})
	if on || p.kind != polygon {
		return on
	}
	in := false
	here.East = p.box.East
	p.search(here, func(e edge) bool {
		if (e.from.Lat > at.Lat) != (e.to.Lat > at.Lat) && e.lonAt(at.Lat) > at.Lon {
			in = !in
		}
		return true
	})
	return in
}

// lonAt is where an edge that is not level crosses a latitude.
func (e edge) lonAt(lat float64) float64 {
	return e.from.Lon + (lat-e.from.Lat)/(e.to.Lat-e.from.Lat)*(e.to.Lon-e.from.Lon)
}

// near reports whether a place is at most slack degrees away from the edge.
func (e edge) near(at Position, slack float64) bool {
	t := e.along(at)
	return math.Hypot(e.from.Lon+t*(e.to.Lon-e.from.Lon)-at.Lon, e.from.Lat+t*(e.to.Lat-e.from.Lat)-at.Lat) <= slack
}

// along gives the place of the edge that is nearest to another one, as a part of its length.
func (e edge) along(at Position) float64 {
	x, y := e.to.Lon-e.from.Lon, e.to.Lat-e.from.Lat
	square := x*x + y*y
	if square == 0 {
		return 0
	}
	return min(1, max(0, ((at.Lon-e.from.Lon)*x+(at.Lat-e.from.Lat)*y)/square))
}

// meets reports whether two edges have a place in common.
func (e edge) meets(o edge) bool {
	if _, crosses := e.crossing(o); crosses {
		return true
	}
	return e.near(o.from, near) || e.near(o.to, near) || o.near(e.from, near) || o.near(e.to, near)
}

// crossing gives where the edge crosses another one, as a part of its length, when neither ends there.
func (e edge) crossing(o edge) (float64, bool) {
	from, to := o.side(e.from), o.side(e.to)
	if (from > 0) == (to > 0) || from == 0 || to == 0 {
		return 0, false
	}
	if a, b := e.side(o.from), e.side(o.to); (a > 0) == (b > 0) || a == 0 || b == 0 {
		return 0, false
	}
	return from / (from - to), true
}

// side is greater than 0 left of the edge and less right of it.
func (e edge) side(at Position) float64 {
	return (e.to.Lon-e.from.Lon)*(at.Lat-e.from.Lat) - (e.to.Lat-e.from.Lat)*(at.Lon-e.from.Lon)
}

// within reports whether an edge lies in a part: it is cut where it meets an edge of that, and then the middle of each piece is
// inside or the whole piece is not.
func (e edge) within(p *part, stop Stop) bool {
	if !p.has(e.from, near) || !p.has(e.to, near) {
		return false
	}
	cuts, work := []float64{0, 1}, 1
	p.search(e.box().wider(near), func(o edge) bool {
		work++
		if t, crosses := e.crossing(o); crosses {
			cuts = append(cuts, t)
		}
		for _, at := range []Position{o.from, o.to} {
			if e.near(at, near) {
				cuts = append(cuts, e.along(at))
			}
		}
		return work%stopEdges != 0 || !stop(stopEdges)
	})
	if stop(work % stopEdges) {
		return false
	}
	slices.Sort(cuts)
	length := math.Hypot(e.to.Lon-e.from.Lon, e.to.Lat-e.from.Lat)
	for i, to := range cuts[1:] {
		middle := (cuts[i] + to) / 2
		if (to-cuts[i])*length <= 4*near {
			continue
		}
		if stop(1) || !p.has(Position{e.from.Lon + middle*(e.to.Lon-e.from.Lon), e.from.Lat + middle*(e.to.Lat-e.from.Lat)}, near) {
			return false
		}
	}
	return true
}
