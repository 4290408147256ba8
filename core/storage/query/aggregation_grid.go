package query

import "math"

// GeohashGrid makes a bucket for each cell of a grid that has places, named by its geohash.
type GeohashGrid struct {
	Field string
	// Precision is how many characters names have, from 1 to 12.
	Precision int
	Size      int
	// Bounds, when given, leaves out the cells that do not touch the box.
	Bounds *GeoBoundingBox
}

// Elasticsearch's defaults.
const (
	gridPrecision = 5
	gridSize      = 10_000
)

func parseGeohashGrid(_ *parser, n *node, _ *Aggregation) (any, error) {
	a := &GeohashGrid{Precision: gridPrecision, Size: gridSize}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&a.Field)
		case "precision":
			err = a.setPrecision(m)
		case "size":
			err = m.setInt(&a.Size, 1)
		case "shard_size":
			err = m.setInt(new(int), 0)
		case "bounds":
			a.Bounds = new(GeoBoundingBox)
			err = a.Bounds.setBox(m)
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return a, n.wantField(a.Field)
}

// setPrecision reads a number of characters, or how large cells may be, such as "10km".
func (a *GeohashGrid) setPrecision(m *node) error {
	var length float64
	if m.setFloat(&length) != nil {
		var metres float64
		if err := m.setDistance(&metres, 1); err != nil {
			return err
		}
		length = float64(geohashLength(metres))
	}
	if length != math.Trunc(length) || length < 1 || length > maxGeohash {
		return m.fail("expected a precision from 1 to %d", maxGeohash)
	}
	a.Precision = int(length)
	return nil
}

// geohashLength is how long geohashes are whose cells are at most so large, as Elasticsearch computes it: by the sides of a
// rectangle as high and wide as the earth, which are halved in turns.
func geohashLength(metres float64) int {
	const equator, pole = 40075016.6856, 19970326.3716
	parts := max(1, math.Ceil(equator/(metres/(1+pole/equator))))
	bits := int(math.Ceil(math.Log2(parts)))
	full, left := bits/5, bits%5
	length := 2 * full
	if left > 0 {
		length++
	}
	if left > 3 {
		length++
	}
	return length
}
