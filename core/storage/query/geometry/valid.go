package geometry

import (
	"errors"
	"fmt"

	"github.com/peterstace/simplefeatures/geom"
)

// half is how many degrees are half around the earth.
const half = 180

// newPolygon makes the parts of a polygon: two or more when it crosses the date line.
func newPolygon(rings [][]Position, left bool) ([]*part, error) {
	p := newPart(polygon, rings...)
	width := p.box.East - p.box.West
	if clockwise(rings[0]) == left || width <= half || width == 2*half {
		return []*part{p}, p.check()
	}
	for _, ring := range rings {
		for i := range ring {
			if ring[i].Lon < 0 {
				ring[i].Lon += 2 * half
			}
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return cut(rings)
}

// check refuses rings that no area is between: those that cross themselves or each other, or are not inside the outer one.
func (p *part) check() error {
	if err := polygonOf(p.rings).Validate(); err != nil {
		return fmt.Errorf("Invalid shape: %w", err) //nolint:staticcheck // Elasticsearch's words
	}
	return nil
}

// clockwise reports which way a ring goes round.
func clockwise(ring []Position) bool {
	sum := 0.0
	for i, at := range ring[1:] {
		from := ring[i]
		sum += (from.Lon-ring[0].Lon)*(at.Lat-ring[0].Lat) - (at.Lon-ring[0].Lon)*(from.Lat-ring[0].Lat)
	}
	return sum < 0
}

// cut makes of a polygon whose longitudes are from 0 to 360 its parts on both sides of the date line.
func cut(rings [][]Position) ([]*part, error) {
	whole := polygonOf(rings).AsGeometry()
	var parts []*part
	for _, west := range []float64{0, half} {
		side := polygonOf([][]Position{boxRing(Box{South: -90, North: 90, West: west, East: west + half})}).AsGeometry()
		found, err := geom.Intersection(whole, side)
		if err != nil {
			return nil, fmt.Errorf("Invalid shape: it cannot be cut at the date line: %w", err) //nolint:staticcheck // as above
		}
		for _, one := range found.Dump() {
			if one.IsPolygon() {
				parts = append(parts, moved(one.MustAsPolygon(), -2*west))
			}
		}
	}
	if len(parts) == 0 {
		return nil, errors.New("Invalid shape: it is too narrow") //nolint:staticcheck // as above
	}
	return parts, nil
}

// moved makes a part of a polygon by degrees further east.
func moved(p geom.Polygon, by float64) *part {
	var rings [][]Position
	for _, from := range p.DumpRings() {
		all := from.Coordinates()
		ring := make([]Position, all.Length())
		for i := range ring {
			at := all.GetXY(i)
			ring[i] = Position{Lon: at.X + by, Lat: at.Y}
		}
		rings = append(rings, ring)
	}
	return newPart(polygon, rings...)
}

func polygonOf(rings [][]Position) geom.Polygon {
	list := make([]geom.LineString, len(rings))
	for i, ring := range rings {
		numbers := make([]float64, 0, 2*len(ring))
		for _, at := range ring {
			numbers = append(numbers, at.Lon, at.Lat)
		}
		list[i] = geom.NewLineString(geom.NewSequence(numbers, geom.DimXY))
	}
	return geom.NewPolygon(list)
}

// boxRing is the ring around a box, against the clock.
func boxRing(b Box) []Position {
	return []Position{{b.West, b.South}, {b.East, b.South}, {b.East, b.North}, {b.West, b.North}, {b.West, b.South}}
}

// inside gives a place inside of a ring.
func inside(ring []Position) (Position, bool) {
	at, ok := polygonOf([][]Position{ring}).PointOnSurface().XY()
	return Position{Lon: at.X, Lat: at.Y}, ok
}
