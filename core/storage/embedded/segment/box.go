package segment

// box is a part of the earth between two latitudes and two longitudes. West is greater than east when it crosses the date
// line.
type box struct{ south, north, west, east float64 }

// widened gives a box that holds what stands for each point of the one asked for.
func widened(south, north, west, east float64) box {
	b := box{south - latitudeStep, north + latitudeStep, west - longitudeStep, east + longitudeStep}
	if west > east && b.west <= b.east {
		b.west, b.east = -180, 180
	}
	return b
}

func (b box) has(lat, lon float64) bool {
	if lat < b.south || lat > b.north {
		return false
	}
	if b.west <= b.east {
		return lon >= b.west && lon <= b.east
	}
	return lon >= b.west || lon <= b.east
}
