// Package geometry reads shapes on earth, in GeoJSON and in WKT, and tells how two of them stand to each other.
//
// core/storage/query reads the shapes of searches with it, core/storage/mapping those of documents, which
// core/storage/embedded keeps and compares; nobody else imports it. It knows neither mappings nor indexes. It is pure.
//
// # What a shape is
//
// A shape is points, lines and polygons. Coordinates are degrees, and lines between them are straight on the map: as in
// Elasticsearch, nothing is known of great circles. Edges belong to a polygon. What is nearer than 1e-9 degrees, a tenth of a
// millimetre, is at the same place; Elasticsearch is less exact.
//
// A polygon whose outer ring goes round the wrong way and is wider than 180 degrees crosses the date line, as does a box whose west
// is greater than its east. Such a one is cut there into two. Which way is the right one is said by Options.Left.
//
// # Bounds
//
// A shape has at most MaxPositions positions. What compares shapes says how much work it does as it goes along, and can be stopped.
package geometry
