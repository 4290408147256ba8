package query

// GeoDistance matches documents with a point in the field that is at most Metres away from Center.
type GeoDistance struct {
	Common
	Field  string
	Center Point
	Metres float64
	// Plane says that the distance may be measured on a plane, which is less exact.
	Plane          bool
	IgnoreUnmapped bool
}

// GeoBoundingBox matches documents with a point in the field inside the box. Its edges belong to it. A box whose Left is
// greater than its Right crosses the date line.
type GeoBoundingBox struct {
	Common
	Field                    string
	Top, Left, Bottom, Right float64
	IgnoreUnmapped           bool
}

// GeoPolygon matches documents with a point in the field inside the polygon.
type GeoPolygon struct {
	Common
	Field string
	// Points holds at least three corners; the last is not the first again.
	Points         []Point
	IgnoreUnmapped bool
}

// geoOption takes what every geo clause has. Points are always checked strictly.
func (c *Common) geoOption(m *node, ignoreUnmapped *bool) (taken bool, err error) {
	switch m.name {
	case "ignore_unmapped":
		return true, m.setBool(ignoreUnmapped)
	case "validation_method":
		var word string
		if err := m.setWord(&word, "STRICT", "COERCE", "IGNORE_MALFORMED"); err != nil {
			return true, err
		}
		if word != "STRICT" {
			return true, m.fail("%s is not supported yet", word)
		}
		return true, nil
	}
	return c.option(m)
}

// geoField remembers the member that is the field, and refuses a second one.
func geoField(field **node, m *node) error {
	if *field != nil {
		return m.parent.fail("expected one field only, found %q and %q", (*field).name, m.name)
	}
	*field = m
	return nil
}

// onlyField reads the members of a geo clause that has but a field beside its options, and gives the field.
func onlyField(n *node, option func(*node) (taken bool, err error)) (*node, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	var field *node
	for _, m := range n.children {
		taken, err := option(m)
		if !taken {
			err = geoField(&field, m)
		}
		if err != nil {
			return nil, err
		}
	}
	if field == nil {
		return nil, n.fail("expected a field")
	}
	return field, nil
}

func parseGeoDistance(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &GeoDistance{Common: plain}
	unit := 1.0
	var field, distance *node
	for _, m := range n.children {
		var err error
		switch m.name {
		case "distance":
			distance = m
		case "unit":
			unit, err = m.unit()
		case "distance_type":
			var word string
			err = m.setWord(&word, "arc", "plane")
			q.Plane = word == "plane"
		default:
			var taken bool
			if taken, err = q.geoOption(m, &q.IgnoreUnmapped); !taken {
				err = geoField(&field, m)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if field == nil || distance == nil {
		return nil, n.fail("expected a field and a distance")
	}
	q.Field = field.name
	if err := distance.setDistance(&q.Metres, unit); err != nil {
		return nil, err
	}
	return q, field.setPoint(&q.Center, bottomLeft)
}

func parseGeoBoundingBox(n *node) (Query, error) {
	q := &GeoBoundingBox{Common: plain}
	field, err := onlyField(n, func(m *node) (bool, error) { return q.geoOption(m, &q.IgnoreUnmapped) })
	if err != nil {
		return nil, err
	}
	q.Field = field.name
	return q, q.setBox(field)
}

func parseGeoPolygon(n *node) (Query, error) {
	q := &GeoPolygon{Common: plain}
	field, err := onlyField(n, func(m *node) (bool, error) { return q.geoOption(m, &q.IgnoreUnmapped) })
	if err != nil {
		return nil, err
	}
	q.Field = field.name
	points, err := field.only("points")
	if err != nil {
		return nil, err
	}
	if points.name != "points" || points.kind() != '[' {
		return nil, points.fail("expected points, a list")
	}
	return q, q.setPoints(points)
}

func (q *GeoPolygon) setPoints(n *node) error {
	if len(n.children) > maxTerms {
		return n.fail("more than %d points", maxTerms)
	}
	points := make([]Point, len(n.children))
	for i, item := range n.children {
		if err := item.setPoint(&points[i], bottomLeft); err != nil {
			return err
		}
	}
	if last := len(points) - 1; last > 0 && points[0] == points[last] {
		points = points[:last]
	}
	if len(points) < 3 {
		return n.fail("expected at least 3 points")
	}
	q.Points = points
	return nil
}

// setBox reads corners, edges or the text of a box.
func (q *GeoBoundingBox) setBox(n *node) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, m := range n.children {
		var err error
		var p Point
		edges := ""
		switch m.name {
		case "top_left":
			err = m.setPoint(&p, topLeft)
			q.Top, q.Left, edges = p.Lat, p.Lon, "tl"
		case "top_right":
			err = m.setPoint(&p, topRight)
			q.Top, q.Right, edges = p.Lat, p.Lon, "tr"
		case "bottom_left":
			err = m.setPoint(&p, bottomLeft)
			q.Bottom, q.Left, edges = p.Lat, p.Lon, "bl"
		case "bottom_right":
			err = m.setPoint(&p, bottomRight)
			q.Bottom, q.Right, edges = p.Lat, p.Lon, "br"
		case "top":
			err, edges = m.setFloat(&q.Top), "t"
		case "bottom":
			err, edges = m.setFloat(&q.Bottom), "b"
		case "left":
			err, edges = m.setFloat(&q.Left), "l"
		case "right":
			err, edges = m.setFloat(&q.Right), "r"
		case "wkt":
			err, edges = q.setWKT(m), "tlbr"
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return err
		}
		for _, edge := range edges {
			if seen[string(edge)] {
				return n.fail("an edge of the box is given twice")
			}
			seen[string(edge)] = true
		}
	}
	if len(seen) != 4 {
		return n.fail("expected two opposite corners, four edges or wkt")
	}
	for _, corner := range []Point{{q.Top, q.Left}, {q.Bottom, q.Right}} {
		if err := n.checkPoint(corner); err != nil {
			return err
		}
	}
	if q.Top < q.Bottom {
		return n.fail("the top is below the bottom")
	}
	return nil
}

// setWKT reads "BBOX (west, east, north, south)".
func (q *GeoBoundingBox) setWKT(n *node) error {
	numbers, ok := wkt(n, "BBOX", ",")
	if !ok || len(numbers) != 4 {
		return n.fail("expected a text such as \"BBOX (-74.1, -71.12, 40.73, 40.01)\"")
	}
	q.Left, q.Right, q.Top, q.Bottom = numbers[0], numbers[1], numbers[2], numbers[3]
	return nil
}
