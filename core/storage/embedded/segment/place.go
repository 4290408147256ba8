package segment

import "math"

// Places are kept as Lucene keeps them, in 32 bits for each axis, so that distances are those that Elasticsearch finds.
const (
	latitudeStep  = 180.0 / (1 << 32)
	longitudeStep = 360.0 / (1 << 32)
)

// quantise gives the cell of a coordinate from -limit to limit.
func quantise(degrees, limit, step float64) int32 {
	if degrees == limit {
		degrees = math.Nextafter(limit, 0)
	}
	return int32(math.Floor(degrees / step))
}

// place gives the coordinates that stand for a point.
func place(lat, lon float64) (float64, float64) {
	return float64(quantise(lat, 90, latitudeStep)) * latitudeStep, float64(quantise(lon, 180, longitudeStep)) * longitudeStep
}
