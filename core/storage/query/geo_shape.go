package query

import "github.com/sluicehq/sluice/core/storage/query/geometry"

// GeoShape matches documents whose shapes or points in the field stand in a relation to Shape.
type GeoShape struct {
	Common
	Field string
	// Shape is prepared.
	Shape          *geometry.Shape
	Relation       Relation
	IgnoreUnmapped bool
}

func parseGeoShape(n *node) (Query, error) {
	q := &GeoShape{} // without a boost the score is 0, as in Elasticsearch
	field, err := onlyField(n, func(m *node) (bool, error) {
		if m.name == "ignore_unmapped" {
			return true, m.setBool(&q.IgnoreUnmapped)
		}
		return q.option(m)
	})
	if err != nil {
		return nil, err
	}
	q.Field = field.name
	return q, q.setShape(field)
}

// setShape reads the shape and the relation to it.
func (q *GeoShape) setShape(n *node) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "shape":
			q.Shape, err = geometry.Read(m.raw, geometry.Options{Coerce: true})
			if err != nil {
				err = m.fail("%v", err)
			}
		case "relation":
			err = m.setRelation(&q.Relation, "intersects", "disjoint", "within", "contains")
		case "indexed_shape":
			err = m.fail("not supported: get the document that has the shape, and give it as shape")
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return err
		}
	}
	switch {
	case q.Shape == nil:
		return n.fail("expected a shape")
	case q.Relation == Within && q.Shape.HasLine():
		return n.fail("the relation within is not supported for shapes with lines")
	}
	q.Shape.Prepare()
	return nil
}
