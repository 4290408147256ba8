package search

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/query/geometry"
)

func (c compiler) geoShape(q *query.GeoShape) (clause, error) {
	f := c.Mapping.Resolve(q.Field)
	switch {
	case f == nil && q.IgnoreUnmapped:
		return nothing{}, nil
	case f == nil:
		return nil, refuse("failed to find type for field [%s]", q.Field)
	case f.Type != mapping.GeoShape && f.Type != mapping.GeoPoint:
		return nil, refuse("Field [%s] is of unsupported type [%s] for [geo_shape] query", q.Field, f.Type)
	case !f.Index && !f.DocValues:
		return nil, notSearchable(q.Field)
	case f.Type == mapping.GeoPoint:
		return c.steady(c.pointsTo(f, q)), nil
	}
	return c.steady(shaped{f, q}), nil
}

// pointsTo matches the documents whose points in the field stand in a relation to a shape.
func (c compiler) pointsTo(f *mapping.Field, q *query.GeoShape) clause {
	a := covered{q.Shape}
	switch q.Relation {
	case query.Disjoint:
		return &boolean{space: c.space, filter: []clause{present{f}}, not: []clause{located{f, a}}}
	case query.Within:
		return &boolean{space: c.space, filter: []clause{present{f}}, not: []clause{located{f, outside{a}}}}
	case query.Contains:
		return c.pointsAt(f, q.Shape)
	case query.Intersects:
	}
	return located{f, a}
}

// pointsAt matches the documents with a point in the field at each place of a shape. If that is more than points there is none.
func (c compiler) pointsAt(f *mapping.Field, s *geometry.Shape) clause {
	places, ok := s.Points()
	if !ok {
		return nothing{}
	}
	all := &boolean{space: c.space}
	for _, at := range places {
		all.filter = append(all.filter, located{f, snapped(&query.GeoBoundingBox{Top: at.Lat, Bottom: at.Lat, Left: at.Lon, Right: at.Lon})})
	}
	return all
}

// covered is a shape as an area. Segments keep a point as the south-western corner of a cell; one whose cell touches the shape
// is in it.
type covered struct{ *geometry.Shape }

// cellReach is how far the corners of a cell are from its middle.
const cellReach = 4.7e-8

func (a covered) Box() segment.Box {
	b := a.Shape.Box()
	return segment.Box{South: b.South - latitudeStep, North: b.North, West: b.West - longitudeStep, East: b.East}
}

func (a covered) Share(b segment.Box) segment.Share {
	share := a.Box().Share(b)
	if share == segment.Wholly && !a.Rectangle() {
		return segment.Partly
	}
	return share
}

func (a covered) At(lat, lon float64) segment.Share { return at(a, lat, lon) }

func (a covered) Has(lat, lon float64) bool {
	return a.Shape.Has(geometry.Position{Lon: lon + longitudeStep/2, Lat: lat + latitudeStep/2}, cellReach)
}

// outside is what does not belong to an area.
type outside struct{ area }

func (a outside) Box() segment.Box { return segment.Box{South: -90, North: 90, West: -180, East: 180} }

func (a outside) Share(b segment.Box) segment.Share {
	switch a.area.Share(b) {
	case segment.Wholly:
		return segment.Nothing
	case segment.Nothing:
		return segment.Wholly
	case segment.Partly:
	}
	return segment.Partly
}

func (a outside) At(lat, lon float64) segment.Share { return at(a, lat, lon) }
func (a outside) Has(lat, lon float64) bool         { return !a.area.Has(lat, lon) }

// shaped matches the documents whose shapes in a field stand in the relation of a query to its shape.
type shaped struct {
	field *mapping.Field
	*query.GeoShape
}

// matches compares boxes; what they do not tell is found out when the document is asked for.
func (c shaped) matches(v *view) (set, error) {
	f, err := v.field(c.field)
	if f == nil || f.Shapes == nil || err != nil {
		return none, err
	}
	n, err := v.space(c.field.Nested)
	if err != nil {
		return nil, err
	}
	inside, edge := roaring.New(), roaring.New()
	box, rectangle := c.Shape.Box(), c.Shape.Rectangle()
	for i, it := 0, f.Present.Iterator(); it.HasNext() && !v.ended(1); i++ {
		switch doc := it.Next(); c.share(f.Shapes.Boxes[i], box, rectangle) {
		case segment.Wholly:
			inside.Add(doc)
		case segment.Partly:
			edge.Add(doc)
		case segment.Nothing:
		}
	}
	if edge.IsEmpty() {
		return docs{inside}, nil
	}
	return &undecided{v: v, n: n, inside: inside, edge: edge, test: shapes{v, f, c}, work: shapeCost}, nil
}

// share tells from the box of a shape whether it stands in the relation.
func (c shaped) share(of, box geometry.Box, rectangle bool) segment.Share {
	met, apart := segment.Wholly, segment.Nothing
	switch c.Relation {
	case query.Disjoint:
		met, apart = segment.Nothing, segment.Wholly
	case query.Contains:
		if !box.Within(of) {
			return segment.Nothing
		}
		return segment.Partly
	case query.Within:
		if !of.Within(box) {
			return segment.Nothing
		}
	case query.Intersects:
	}
	switch {
	case !of.Touches(box):
		return apart
	case rectangle && of.Within(box):
		return met
	}
	return segment.Partly
}

// shapes decides by the shapes of a segment themselves.
type shapes struct {
	v *view
	f *segment.Field
	shaped
}

// shapeCost is the work to read a shape and compare it, in documents.
const shapeCost = 64

func (s shapes) has(doc uint32) bool {
	if s.v.ended(shapeCost) {
		return false
	}
	of, err := s.f.Shapes.At(int(s.f.Present.Rank(doc)) - 1) //nolint:gosec // fewer than 1<<32
	if err != nil {
		s.v.fail(err)
		return false
	}
	switch s.Relation {
	case query.Disjoint:
		return !of.Intersects(s.Shape, s.v.ended)
	case query.Within:
		return of.Within(s.Shape, s.v.ended)
	case query.Contains:
		return s.Shape.Within(of, s.v.ended)
	case query.Intersects:
	}
	return of.Intersects(s.Shape, s.v.ended)
}
