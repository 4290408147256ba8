package query

// DistanceSort says from where a key of a sort measures.
type DistanceSort struct {
	// Points holds one point or more. Of the distances between each of them and each point of a document, Mode chooses.
	Points []Point
	// Unit is what distances are given in, in metres.
	Unit float64
	// Plane says that they are measured on a plane.
	Plane          bool
	IgnoreUnmapped bool
}

// maxOrigins is from how many points one key measures.
const maxOrigins = 1024

// parseDistanceSort reads {"_geo_distance": {"field": points, …}}.
func parseDistanceSort(n *node) (Sort, error) {
	s := Sort{Distance: &DistanceSort{Unit: 1}}
	if err := n.wantObject(); err != nil {
		return s, err
	}
	var field *node
	for _, m := range n.children {
		var err error
		switch m.name {
		case "order":
			err = s.setOrder(m)
		case "mode":
			err = m.setWord(&s.Mode, "min", "max", "avg", "median")
		default:
			var taken bool
			if taken, err = s.Distance.option(m); !taken {
				err = geoField(&field, m)
			}
		}
		if err != nil {
			return s, err
		}
	}
	if field == nil {
		return s, n.fail("expected a field with one point or more")
	}
	s.Field = field.name
	return s, s.Distance.setPoints(field)
}

func (d *DistanceSort) option(m *node) (taken bool, err error) {
	switch m.name {
	case "unit":
		d.Unit, err = m.unit()
		return true, err
	case "distance_type":
		var word string
		err = m.setWord(&word, "arc", "plane")
		d.Plane = word == "plane"
		return true, err
	case "nested", "nested_path", "nested_filter":
		return true, m.unsupported()
	case "_name", "boost": // which clauses have
		return true, m.unknownOption()
	}
	return new(Common).geoOption(m, &d.IgnoreUnmapped)
}

// setPoints takes a point, or a list of points. A list that begins with a number is one point.
func (d *DistanceSort) setPoints(n *node) error {
	list := n.list()
	if len(list) > 0 && list[0].kind() == '0' {
		list = []*node{n}
	}
	if len(list) == 0 || len(list) > maxOrigins {
		return n.fail("expected 1 to %d points", maxOrigins)
	}
	d.Points = make([]Point, len(list))
	for i, item := range list {
		if err := item.setPoint(&d.Points[i], bottomLeft); err != nil {
			return err
		}
	}
	return nil
}
