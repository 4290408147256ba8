package geometry

import (
	"errors"
	"fmt"
	"math"
)

// coordinates reads what belongs to a type, from GeoJSON or from WKT.
func (b *builder) coordinates(name string, from source) error {
	switch name {
	case "point":
		return b.point(from)
	case "multipoint":
		return from.each(func() error { return b.point(from) })
	case "linestring":
		return b.line(from)
	case "multilinestring":
		return from.each(func() error { return b.line(from) })
	case "polygon":
		return b.polygon(from)
	case "multipolygon":
		return from.each(func() error { return b.polygon(from) })
	case "envelope":
		return b.envelope(from)
	case "circle":
		return errCircle
	}
	return fmt.Errorf("unknown geo shape type [%s]", shorten(name))
}

func (b *builder) point(from source) error {
	at, err := b.position(from)
	if err == nil {
		b.parts = append(b.parts, newPart(point, []Position{at}))
	}
	return err
}

func (b *builder) line(from source) error {
	one, err := b.positions(from)
	switch {
	case err != nil:
		return err
	case len(one) < 2:
		return errors.New("invalid number of points in LineString: at least two are needed")
	}
	b.parts = append(b.parts, newPart(line, one))
	return nil
}

func (b *builder) polygon(from source) error {
	var rings [][]Position
	err := from.each(func() error {
		ring, err := b.ring(from)
		rings = append(rings, ring)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(rings) == 0:
		return errNone
	}
	parts, err := newPolygon(rings, b.Left)
	b.parts = append(b.parts, parts...)
	return err
}

// ring reads a ring, and leaves out positions that repeat the one before.
func (b *builder) ring(from source) ([]Position, error) {
	all, err := b.positions(from)
	if err != nil || len(all) == 0 {
		return nil, errorOr(err, errNone)
	}
	if first, last := all[0], all[len(all)-1]; first != last {
		if !b.Coerce {
			return nil, fmt.Errorf("first and last points of the linear ring must be the same (it must close itself): [%v %v], [%v %v]",
				first.Lon, first.Lat, last.Lon, last.Lat)
		}
		all = append(all, first)
	}
	if len(all) < 4 {
		return nil, errors.New("at least 4 polygon points required")
	}
	ring := all[:1]
	for _, at := range all[1:] {
		if at != ring[len(ring)-1] {
			ring = append(ring, at)
		}
	}
	return ring, nil
}

func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// envelope reads the upper left and the lower right corner of a box.
func (b *builder) envelope(from source) error {
	corners, err := b.positions(from)
	switch {
	case err != nil:
		return err
	case len(corners) != 2:
		return fmt.Errorf("invalid number of points [%d] provided for an envelope: 2 are needed", len(corners))
	}
	return b.box(Box{South: corners[1].Lat, North: corners[0].Lat, West: corners[0].Lon, East: corners[1].Lon})
}

// Rectangle is the shape of a box, which may cross the date line.
func Rectangle(at Box) (*Shape, error) {
	var b builder
	if err := b.box(at); err != nil {
		return nil, err
	}
	return newShape(b.parts), nil
}

// box adds a box, which may be as narrow as a line or a point, and may cross the date line.
func (b *builder) box(at Box) error {
	switch {
	case at.South > at.North:
		return errors.New("the top of a box cannot be below its bottom")
	case at.West > at.East:
		b.upright(Box{at.South, at.North, at.West, half})
		b.upright(Box{at.South, at.North, -half, at.East})
	default:
		b.upright(at)
	}
	return nil
}

func (b *builder) upright(at Box) {
	ring := boxRing(at)
	switch {
	case at.South == at.North && at.West == at.East:
		b.parts = append(b.parts, newPart(point, ring[:1]))
	case at.South == at.North || at.West == at.East:
		b.parts = append(b.parts, newPart(line, []Position{ring[0], ring[2]}))
	default:
		b.parts = append(b.parts, newPart(polygon, ring))
	}
}

func (b *builder) positions(from source) ([]Position, error) {
	var list []Position
	err := from.each(func() error {
		at, err := b.position(from)
		list = append(list, at)
		return err
	})
	return list, err
}

func (b *builder) position(from source) (Position, error) {
	if b.count++; b.count > MaxPositions {
		return Position{}, errMany
	}
	numbers, err := from.numbers()
	switch {
	case err != nil:
		return Position{}, err
	case len(numbers) < 2:
		return Position{}, errors.New("a position has two numbers: longitude and latitude")
	case len(numbers) == 3 && b.Flat:
		return Position{}, fmt.Errorf("found Z value [%v] but [ignore_z_value] parameter is [false]", numbers[2])
	}
	return Position{Lon: numbers[0], Lat: numbers[1]}, onEarth(numbers[0], numbers[1])
}

// onEarth refuses places that are not on earth.
func onEarth(lon, lat float64) error {
	switch {
	case !(math.Abs(lon) <= half):
		return fmt.Errorf("invalid longitude %v; must be between -180.0 and 180.0", lon)
	case !(math.Abs(lat) <= half/2):
		return fmt.Errorf("invalid latitude %v; must be between -90.0 and 90.0", lat)
	}
	return nil
}
