package validation

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// merge gives stored with the members of changes in it: objects are merged at every depth, every other value replaces. Each
// side is read once, however deep it is nested.
func merge(stored, changes jsontext.Value) (jsontext.Value, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(changes))
	c, err := readChange(d)
	if err != nil {
		return nil, err
	}
	m := merging{in: jsontext.NewDecoder(bytes.NewBuffer(stored)), out: make([]byte, 0, len(stored)+len(changes))}
	if err := m.value(c); err != nil {
		return nil, err
	}
	return m.out, nil
}

// change is a value of changes: an object with members, or anything else as it was written.
type change struct {
	raw     jsontext.Value
	object  bool
	members []*named
	byName  map[string]*named
}

type named struct {
	name string
	to   *change
	// done says that there was such a member already.
	done bool
}

func readChange(d *jsontext.Decoder) (*change, error) {
	if d.PeekKind() != '{' {
		raw, err := d.ReadValue()
		return &change{raw: raw.Clone()}, err
	}
	c := &change{object: true, byName: map[string]*named{}}
	err := eachMember(d, func(name string) error {
		to, err := readChange(d)
		n := &named{name: name, to: to}
		c.members, c.byName[name] = append(c.members, n), n
		return err
	})
	return c, err
}

// eachMember reads the object that comes next; visit reads the value of each member.
func eachMember(d *jsontext.Decoder, visit func(name string) error) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := visit(token.String()); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// merging writes what is in, changed.
type merging struct {
	in  *jsontext.Decoder
	out []byte
}

// value writes the value that comes next, changed by c; nil leaves it as it is.
func (m *merging) value(c *change) error {
	if c != nil && c.object && m.in.PeekKind() == '{' {
		return m.object(c)
	}
	raw, err := m.in.ReadValue()
	if c == nil {
		m.out = append(m.out, raw...)
	} else {
		m.write(c)
	}
	return err
}

func (m *merging) object(c *change) error {
	m.out = append(m.out, '{')
	err := eachMember(m.in, func(name string) error {
		m.name(name)
		n := c.byName[name]
		if n == nil {
			return m.value(nil)
		}
		n.done = true
		return m.value(n.to)
	})
	for _, n := range c.members {
		if !n.done {
			m.name(n.name)
			m.write(n.to)
		}
	}
	m.out = append(m.out, '}')
	return err
}

// write writes a change where nothing was.
func (m *merging) write(c *change) {
	if !c.object {
		m.out = append(m.out, c.raw...)
		return
	}
	m.out = append(m.out, '{')
	for _, n := range c.members {
		m.name(n.name)
		m.write(n.to)
	}
	m.out = append(m.out, '}')
}

// name begins the next member.
func (m *merging) name(name string) {
	if m.out[len(m.out)-1] != '{' {
		m.out = append(m.out, ',')
	}
	m.out, _ = jsontext.AppendQuote(m.out, name) // invalid UTF-8 does not get here
	m.out = append(m.out, ':')
}
