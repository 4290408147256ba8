package storagetest

import (
	_ "embed" // the recorded answers
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// goldenShapes is what golden is, for points and shapes. RecordShapes writes it.
//
//go:embed testdata/shapes.jsonl.gz
var goldenShapes []byte

var shapesSpec = storage.Spec{Mapping: jsontext.Value(`{"dynamic":"false","properties":{"uid":{"type":"keyword"},"loc":{"type":"geo_point"}}}`)}

// RecordShapes writes the golden file of n searches for points by shapes from the answers of e.
func RecordShapes(t *testing.T, e storage.Engine, seed uint64, n int, to io.Writer) {
	g := newGenerator(seed)
	docs := make([]corpusDocument, goldenDocuments)
	for i := range docs {
		docs[i] = corpusDocument{Collection: mainCollection, ID: fmt.Sprint(i), Source: marshal(clause{"uid": fmt.Sprintf("u%03d", i), "loc": g.points()})}
	}
	cases := make([]searchCase, n)
	for i := range cases {
		cases[i] = searchCase{Body: marshal(clause{"query": g.geoShape(), "sort": []any{"_score", "uid"}}), Size: len(docs)}
	}
	recordSuggest(t, e, shapesSpec, docs, cases, to)
}

// testShapes asks what a real Elasticsearch was asked about points and shapes, and wants the same answers.
func testShapes(t *testing.T, open Open) {
	docs, cases := readGolden(t, goldenShapes)
	replay(t, loadInto(t, open(t), shapesSpec, docs), cases)
}

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
