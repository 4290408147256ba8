package mapping

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// member is one member of a JSON object.
type member struct {
	name string
	raw  jsontext.Value
}

func (m member) compare(other member) int { return strings.Compare(m.name, other.name) }

// members lists the members of an object of valid JSON.
func members(raw jsontext.Value) ([]member, error) {
	if raw.Kind() != '{' {
		return nil, errors.New("expected an object")
	}
	var list []member
	err := each(raw, func(d *jsontext.Decoder) error {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		m := member{name: name.String()}
		v, err := d.ReadValue()
		if err != nil {
			return err
		}
		m.raw = v.Clone()
		list = append(list, m)
		return nil
	})
	return list, err
}

// elements lists the elements of an array of valid JSON.
func elements(raw jsontext.Value) ([]jsontext.Value, error) {
	var list []jsontext.Value
	err := each(raw, func(d *jsontext.Decoder) error {
		v, err := d.ReadValue()
		if err != nil {
			return err
		}
		list = append(list, v.Clone())
		return nil
	})
	return list, err
}

// each calls f before every member or element of raw.
func each(raw jsontext.Value, f func(*jsontext.Decoder) error) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for k := d.PeekKind(); k != '}' && k != ']'; k = d.PeekKind() {
		if err := f(d); err != nil {
			return err
		}
	}
	return nil
}
