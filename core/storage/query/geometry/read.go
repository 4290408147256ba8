package geometry

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// MaxPositions is how many positions a shape may have.
	MaxPositions = 16_384
	// maxDepth is how deep collections may stand in each other.
	maxDepth = 20
)

// Options say how a shape is read.
type Options struct {
	// Left says that outer rings go round with the clock, so that the area is on their left-hand side on a map of the poles; it matters
	// only where a polygon could cross the date line. The member orientation of a shape counts before it.
	Left bool
	// Coerce closes rings that are open.
	Coerce bool
	// Flat refuses heights; otherwise they are passed over.
	Flat bool
}

var (
	errShape  = errors.New("shape must be an object consisting of type and coordinates, or a text in WKT")
	errCircle = errors.New("circles are not supported: use a polygon")
	errMany   = fmt.Errorf("the shape has more than %d positions", MaxPositions)
	errDeep   = fmt.Errorf("collections stand in each other more than %d deep", maxDepth)
	errNone   = errors.New("the shape is empty")
	// errNumbers is found before all of them are read.
	errNumbers = errors.New("a position has two numbers, or three with a height")
)

// Read reads a shape: an object in GeoJSON or a text in WKT. The names of types may be written as one likes. Members that GeoJSON
// does not know are passed over.
func Read(raw jsontext.Value, o Options) (*Shape, error) {
	b := builder{Options: o}
	var err error
	switch raw.Kind() {
	case '{':
		err = b.object(raw, 0)
	case '"':
		var text []byte
		if text, err = jsontext.AppendUnquote(nil, raw); err == nil {
			err = b.wkt(string(text))
		}
	default:
		err = errShape
	}
	switch {
	case err != nil:
		return nil, err
	case len(b.parts) == 0:
		return nil, errNone
	}
	return newShape(b.parts), nil
}

// builder makes a shape of what is read.
type builder struct {
	Options
	parts []*part
	count int // of positions
}

// object reads an object of GeoJSON. What its members mean depends on its type, which may be the last of them.
func (b *builder) object(raw jsontext.Value, depth int) error {
	if depth == maxDepth {
		return errDeep
	}
	members, err := membersOf(raw)
	if err != nil {
		return err
	}
	if raw, ok := members["orientation"]; ok {
		word, err := textOf(raw)
		if err == nil {
			b.Left, err = Orientation(word)
		}
		if err != nil {
			return err
		}
	}
	name, err := textOf(members["type"])
	if err != nil {
		return err
	}
	name = strings.ToLower(name)
	if name == "geometrycollection" {
		return b.collection(members["geometries"], depth)
	}
	switch {
	case name == "circle":
		return errCircle
	case members["coordinates"] == nil:
		return errors.New("no coordinates found")
	}
	return b.coordinates(name, newArrays(members["coordinates"]))
}

// collection reads the members of a collection. What it says about its orientation holds for them.
func (b *builder) collection(raw jsontext.Value, depth int) error {
	if raw == nil {
		return errors.New("no geometries found")
	}
	left := b.Left
	a := newArrays(raw)
	return a.each(func() error {
		one, err := a.d.ReadValue()
		if err != nil || one.Kind() != '{' {
			return errShape
		}
		b.Left = left
		return b.object(one.Clone(), depth+1)
	})
}

// membersOf gives the members of an object.
func membersOf(raw jsontext.Value) (map[string]jsontext.Value, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return nil, errShape
	}
	members := map[string]jsontext.Value{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		switch key {
		case "type", "coordinates", "geometries", "orientation":
			members[key] = value.Clone()
		}
	}
	return members, nil
}

// Orientation reads the word for the way in which outer rings go round, and reports whether that is with the clock.
func Orientation(word string) (left bool, err error) {
	switch strings.ToLower(word) {
	case "right", "ccw", "counterclockwise":
		return false, nil
	case "left", "cw", "clockwise":
		return true, nil
	}
	return false, fmt.Errorf("unknown orientation [%s]: it can be right, ccw, counterclockwise, left, cw or clockwise", shorten(word))
}

func textOf(raw jsontext.Value) (string, error) {
	if raw.Kind() != '"' {
		return "", errShape
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return string(text), err
}

func shorten(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// source is a text with lists of lists of positions.
type source interface {
	// each goes through a list.
	each(item func() error) error
	// numbers reads the coordinates of a position.
	numbers() ([]float64, error)
}

// arrays are the lists of GeoJSON.
type arrays struct{ d *jsontext.Decoder }

func newArrays(raw jsontext.Value) arrays { return arrays{jsontext.NewDecoder(bytes.NewBuffer(raw))} }

func (a arrays) each(item func() error) error {
	if t, err := a.d.ReadToken(); err != nil || t.Kind() != '[' {
		return errors.New("expected a list")
	}
	for a.d.PeekKind() != ']' {
		if err := item(); err != nil {
			return err
		}
	}
	_, err := a.d.ReadToken()
	return err
}

func (a arrays) numbers() ([]float64, error) {
	var list []float64
	err := a.each(func() error {
		t, err := a.d.ReadToken()
		if err != nil || t.Kind() != '0' {
			return errors.New("geo coordinates must be numbers")
		}
		x, err := t.Float()
		if list = append(list, x); len(list) > 3 {
			return errNumbers
		}
		return err
	})
	return list, err
}
