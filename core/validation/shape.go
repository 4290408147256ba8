package validation

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// shapes are all there are, by the names that Elasticsearch has for them.
var shapes = []string{
	"point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "envelope", "circle",
}

// shapeCheck is the type geo_shape: GeoJSON, and Elasticsearch's envelope and circle. Positions are [lon, lat].
func shapeCheck(o options) check {
	allowed := o.texts("shapeTypes")
	if allowed == nil {
		allowed = shapes
	}
	var unknown []string
	for _, name := range allowed {
		if !slices.Contains(shapes, name) {
			unknown = append(unknown, shorten(name))
		}
	}
	if unknown != nil {
		o.refuse(kerror.ValidationTypesInvalidGeoshape, strings.Join(unknown, ", "))
	}
	return func(value jsontext.Value, _ func() time.Time) string {
		var g geometry
		if value.Kind() != '{' || json.Unmarshal(value, &g) != nil {
			return "must be a shape: an object with type and coordinates"
		}
		if !slices.Contains(allowed, strings.ToLower(g.Type)) {
			return "must be a shape of the type " + strings.Join(allowed, ", ")
		}
		if !g.fits(0) {
			return "is not a " + strings.ToLower(g.Type) + " with valid coordinates"
		}
		return ""
	}
}

var errNoNumber = errors.New("not a number")

// geometry is a shape as it is written.
type geometry struct {
	Type        string         `json:"type"`
	Coordinates jsontext.Value `json:"coordinates"`
	Radius      jsontext.Value `json:"radius"`
	Geometries  []geometry     `json:"geometries"`
}

// fits reports whether a shape has the coordinates of its type. Collections may hold collections, a few levels deep.
func (g geometry) fits(depth int) bool {
	const deepest = 8
	switch strings.ToLower(g.Type) {
	case "point":
		return read(g.Coordinates, isPosition)
	case "circle":
		return read(g.Coordinates, isPosition) && isRadius(g.Radius)
	case "envelope":
		return read(g.Coordinates, isEnvelope)
	case "multipoint":
		return read(g.Coordinates, each(isPosition))
	case "linestring":
		return read(g.Coordinates, isLine)
	case "multilinestring":
		return read(g.Coordinates, each(isLine))
	case "polygon":
		return read(g.Coordinates, isPolygon)
	case "multipolygon":
		return read(g.Coordinates, each(isPolygon))
	case "geometrycollection":
		return g.Geometries != nil && depth < deepest &&
			!slices.ContainsFunc(g.Geometries, func(inner geometry) bool { return !inner.fits(depth + 1) })
	}
	return false
}

// read reads coordinates as a T and asks about them.
func read[T any](raw jsontext.Value, fits func(T) bool) bool {
	var v T
	return raw.Kind() == '[' && json.Unmarshal(raw, &v) == nil && fits(v)
}

func each[T any](fits func(T) bool) func([]T) bool {
	return func(list []T) bool {
		return len(list) > 0 && !slices.ContainsFunc(list, func(v T) bool { return !fits(v) })
	}
}

// degrees are a number; null is none.
type degrees float64

// UnmarshalJSONFrom reads a JSON number.
func (g *degrees) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if raw.Kind() != '0' {
		return errNoNumber
	}
	*g = degrees(float(string(raw)))
	return nil
}

// isPosition wants [lon, lat], and perhaps a height.
func isPosition(p []degrees) bool {
	return (len(p) == 2 || len(p) == 3) && p[0] >= -180 && p[0] <= 180 && p[1] >= -90 && p[1] <= 90
}

func isLine(line [][]degrees) bool { return len(line) >= 2 && each(isPosition)(line) }

// isPolygon wants rings, an outer one and holes, each of which ends where it begins.
func isPolygon(rings [][][]degrees) bool {
	const fewest = 4 // a triangle
	return each(func(ring [][]degrees) bool {
		return len(ring) >= fewest && each(isPosition)(ring) && slices.Equal(ring[0], ring[len(ring)-1])
	})(rings)
}

// isEnvelope wants the corners top left and bottom right.
func isEnvelope(corners [][]degrees) bool {
	return len(corners) == 2 && each(isPosition)(corners) && corners[0][1] >= corners[1][1]
}

// isRadius wants a distance such as "10km", or metres.
func isRadius(raw jsontext.Value) bool {
	switch raw.Kind() {
	case '"':
		return koncorde.IsDistance(unquote(raw))
	case '0':
		return float(string(raw)) >= 0
	}
	return false
}
