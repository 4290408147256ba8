package storagetest

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// shapesComparison has searches for points by shapes.
var shapesComparison = Comparison{
	Name: "Shapes", spec: shapesSpec,
	document: func(g generator, number int) jsontext.Value {
		return marshal(clause{"uid": fmt.Sprintf("u%03d", number), "loc": g.points()})
	},
	random: func(g generator) searchCase {
		return searchCase{Body: marshal(clause{"query": g.geoShape(), "sort": []any{"_score", "uid"}}), Size: goldenDocuments}
	},
	recorded: amount{goldenDocuments, 200}, compared: amount{goldenDocuments, 500},
}

var shapesSpec = storage.Spec{Mapping: jsontext.Value(`{"dynamic":"false","properties":{"uid":{"type":"keyword"},"loc":{"type":"geo_point"}}}`)}

// geoShape compares points with shapes: the recorded Elasticsearch has no fields of shapes, whose searches are tested beside the
// embedded engine.
func (g generator) geoShape() clause {
	field := clause{"shape": g.shape(), "relation": pick(g, "intersects", "disjoint", "within")}
	switch g.IntN(6) {
	case 0:
		delete(field, "relation")
	case 1:
		lat, lon := g.coordinates()
		field = clause{"shape": clause{"type": "Point", "coordinates": []any{lon, lat}}, "relation": "contains"}
	}
	c := clause{"loc": field}
	if g.chance(2) {
		c["boost"] = pick(g, 0.5, 2.0)
	}
	return clause{"geo_shape": c}
}

// shape is a polygon, perhaps with a hole or across the date line, a box, or some of them.
func (g generator) shape() any {
	lat, lon := g.coordinates()
	size := g.Float64()*10 + 0.1
	south, north, west, east := max(-90, lat-size), min(90, lat+size), lon-size, lon+2*size
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("BBOX (%v, %v, %v, %v)", wrapped(west), wrapped(east), north, south)
	case 1:
		middle := (south + north) / 2
		hole := ring(lon, (south+middle)/2, lon+size, middle)
		slices.Reverse(hole) // across the date line Elasticsearch misunderstands one that goes round as the outer ring does
		return clause{"type": "polygon", "coordinates": []any{ring(west, south, east, north), hole}}
	case 2:
		return clause{"type": "GeometryCollection", "geometries": []any{
			clause{"type": "Polygon", "coordinates": []any{ring(west, south, east, north)}},
			clause{"type": "envelope", "coordinates": []any{[]any{2.0, 49.0}, []any{3.0, 48.0}}},
		}}
	}
	return clause{"type": "MultiPolygon", "coordinates": []any{
		[]any{[]any{at(west, south), at(east, (south+north)/2), at(lon, north), at(west, south)}},
		[]any{ring(2, 48, 2.5, 48.5)},
	}}
}

// ring goes against the clock; across the date line it is one that Elasticsearch takes for that when it is narrow.
func ring(west, south, east, north float64) []any {
	return []any{at(west, south), at(east, south), at(east, north), at(west, north), at(west, south)}
}

func at(lon, lat float64) []any { return []any{wrapped(lon), lat} }

func wrapped(lon float64) float64 {
	switch {
	case lon > 180:
		return lon - 360
	case lon < -180:
		return lon + 360
	}
	return lon
}
