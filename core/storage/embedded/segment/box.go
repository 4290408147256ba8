package segment

// Box is a part of the earth between two latitudes and two longitudes, in degrees. Its edges belong to it. West is greater
// than east when it crosses the date line.
type Box struct{ South, North, West, East float64 }

// Area is a part of the surface of the earth.
type Area interface {
	// Box gives a box that it lies in.
	Box() Box
	// Share tells how much of a box, which does not cross the date line, belongs to the area.
	Share(b Box) Share
	// At is the Share of one place.
	At(lat, lon float64) Share
}

// Share is how much of a box belongs to an area.
type Share uint8

// The shares. What is not known, or too much work to find out for places that may not be asked for, is Partly.
const (
	Partly Share = iota
	Nothing
	Wholly
)

// widened gives a box that holds what stands for each point of the one asked for.
func (b Box) widened() Box {
	w := Box{b.South - latitudeStep, b.North + latitudeStep, b.West - longitudeStep, b.East + longitudeStep}
	if b.West > b.East && w.West <= w.East {
		w.West, w.East = -180, 180
	}
	return w
}

// Box makes a box an area.
func (b Box) Box() Box { return b }

// Has reports whether a place is in the box.
func (b Box) Has(lat, lon float64) bool {
	if lat < b.South || lat > b.North {
		return false
	}
	if b.West <= b.East {
		return lon >= b.West && lon <= b.East
	}
	return lon >= b.West || lon <= b.East
}

// At is Wholly or Nothing.
func (b Box) At(lat, lon float64) Share {
	if b.Has(lat, lon) {
		return Wholly
	}
	return Nothing
}

// Share tells how much of another box belongs to the box.
func (b Box) Share(of Box) Share {
	inside, outside := of.West >= b.West && of.East <= b.East, of.East < b.West || of.West > b.East
	if b.West > b.East {
		inside, outside = of.West >= b.West || of.East <= b.East, of.East < b.West && of.West > b.East
	}
	switch {
	case outside || of.South > b.North || of.North < b.South:
		return Nothing
	case inside && of.South >= b.South && of.North <= b.North:
		return Wholly
	}
	return Partly
}
