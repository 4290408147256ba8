package koncorde

import (
	"errors"
	"fmt"
)

const pointFormats = `[lat, lon], "lat, lon", a geohash, or an object with lat and lon`

// fieldBeside reads an object that has exactly the members named and one more, whose name is a path.
func fieldBeside(v *value, names ...string) (path string, content *value, err error) {
	if v.kind != '{' || len(v.members) != len(names)+1 {
		return "", nil, fmt.Errorf("must be an object with %q and one field", names)
	}
	for _, name := range names {
		if v.member(name) == nil {
			return "", nil, fmt.Errorf("%q is missing", name)
		}
	}
	for i := range v.members {
		m := &v.members[i]
		if m.name == names[0] || m.name == names[len(names)-1] {
			continue
		}
		path, content = m.name, &m.value
	}
	if path == "" {
		return "", nil, errors.New("the name of the field is empty")
	}
	return path, content, nil
}

// distanceMember reads a distance in metres.
func distanceMember(v *value, name string) (float64, error) {
	m := v.member(name)
	if m.kind != '"' || m.text == "" {
		return 0, fmt.Errorf("%s must be a text such as \"10km\"", name)
	}
	metres, err := parseDistance(m.text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return metres, nil
}

func (p *parsing) geoDistance(v *value) (*expression, error) {
	path, centre, err := fieldBeside(v, "distance")
	if err != nil {
		return nil, err
	}
	to, err := distanceMember(v, "distance")
	if err != nil {
		return nil, err
	}
	return p.ring(path, centre, 0, to)
}

func (p *parsing) geoDistanceRange(v *value) (*expression, error) {
	path, centre, err := fieldBeside(v, "from", "to")
	if err != nil {
		return nil, err
	}
	from, err := distanceMember(v, "from")
	if err != nil {
		return nil, err
	}
	to, err := distanceMember(v, "to")
	if err != nil {
		return nil, err
	}
	if from >= to {
		return nil, errors.New("from must be less than to")
	}
	return p.ring(path, centre, from, to)
}

func (p *parsing) ring(path string, centre *value, from, to float64) (*expression, error) {
	at, ok := parsePoint(centre)
	if !ok {
		return nil, fmt.Errorf("%q must be a point: %s", path, pointFormats)
	}
	return test(path, place{shape: ring{at, from, to}}), p.count(1)
}

func (p *parsing) geoBoundingBox(v *value) (*expression, error) {
	path, content, err := field(v)
	if err != nil {
		return nil, err
	}
	b, err := parseBox(content)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return test(path, place{shape: b}), p.count(1)
}

func parseBox(v *value) (box, error) {
	if v.kind != '{' {
		return box{}, fmt.Errorf("must be an object, not %s", v.kindName())
	}
	var topLeft, bottomRight point
	var ok1, ok2 bool
	switch {
	case hasOnly(v, "top", "left", "bottom", "right"):
		topLeft, ok1 = numericPoint(v.member("top"), v.member("left"))
		bottomRight, ok2 = numericPoint(v.member("bottom"), v.member("right"))
	case hasOnly(v, "topLeft", "bottomRight"):
		topLeft, ok1 = parsePoint(v.member("topLeft"))
		bottomRight, ok2 = parsePoint(v.member("bottomRight"))
	case hasOnly(v, "top_left", "bottom_right"):
		topLeft, ok1 = parsePoint(v.member("top_left"))
		bottomRight, ok2 = parsePoint(v.member("bottom_right"))
	default:
		return box{}, errors.New("must have top, left, bottom and right, or topLeft and bottomRight")
	}
	if !ok1 || !ok2 {
		return box{}, fmt.Errorf("the corners must be degrees on earth: numbers, or %s", pointFormats)
	}
	if topLeft.lat < bottomRight.lat {
		return box{}, errors.New("the top must not be below the bottom")
	}
	return box{topLeft.lat, topLeft.lon, bottomRight.lat, bottomRight.lon}, nil
}

func hasOnly(v *value, names ...string) bool {
	for _, name := range names {
		if v.member(name) == nil {
			return false
		}
	}
	return len(v.members) == len(names)
}

func (p *parsing) geoPolygon(v *value) (*expression, error) {
	path, content, err := field(v)
	if err != nil {
		return nil, err
	}
	if !hasOnly(content, "points") || content.member("points").kind != '[' {
		return nil, fmt.Errorf(`%q must be an object with "points", an array, alone`, path)
	}
	list := content.member("points").items
	points := make([]point, len(list))
	for i := range list {
		var ok bool
		if points[i], ok = parsePoint(&list[i]); !ok {
			return nil, fmt.Errorf("%q: points[%d] must be a point: %s", path, i, pointFormats)
		}
	}
	shape, ok := newPolygon(points)
	if !ok {
		return nil, fmt.Errorf("%q must have at least three different points", path)
	}
	return test(path, place{shape: shape}), p.count(1)
}
