package source

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Merge gives old with the members of partial in it: objects are merged at every depth, every other value of partial
// replaces. Members keep the order they have in old, new ones follow in the order of partial; values are copied byte by
// byte, so that no number changes. Both must be valid JSON objects; the result is one, in memory of its own.
//
// Each side is read once from front to back: deep nesting costs no more than its length.
func Merge(old, partial jsontext.Value) (jsontext.Value, error) {
	patch, err := parsePatch(partial)
	if err != nil {
		return nil, err
	}
	m := merger{in: decoder(old), out: make([]byte, 0, len(old)+len(partial))}
	if err := m.object(patch); err != nil {
		return nil, err
	}
	return m.out, nil
}

// patch is a value of partial. Members is nil unless it is an object.
type patch struct {
	raw     jsontext.Value
	members []member
	byName  map[string]int
}

type member struct {
	quoted jsontext.Value
	value  *patch
}

func parsePatch(v jsontext.Value) (*patch, error) {
	d := decoder(v)
	return readPatch(d, v)
}

// readPatch reads the next value of d, which reads from all.
func readPatch(d *jsontext.Decoder, all jsontext.Value) (*patch, error) {
	if d.PeekKind() != '{' {
		raw, err := d.ReadValue()
		return &patch{raw: raw.Clone()}, noEOF(err)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, noEOF(err)
	}
	from := d.InputOffset() - 1
	p := &patch{members: []member{}, byName: map[string]int{}}
	for d.PeekKind() != '}' {
		quoted, name, err := readName(d)
		if err != nil {
			return nil, err
		}
		value, err := readPatch(d, all)
		if err != nil {
			return nil, err
		}
		p.byName[name] = len(p.members)
		p.members = append(p.members, member{quoted, value})
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, noEOF(err)
	}
	p.raw = all[from:d.InputOffset()]
	return p, nil
}

// merger writes the values of in to out, with a patch in them.
type merger struct {
	in  *jsontext.Decoder
	out []byte
}

// object merges p into the object that comes next.
func (m *merger) object(p *patch) error {
	if _, err := m.in.ReadToken(); err != nil {
		return noEOF(err)
	}
	m.out = append(m.out, '{')
	first := len(m.out)
	seen := make([]bool, len(p.members))
	for m.in.PeekKind() != '}' {
		quoted, name, err := readName(m.in)
		if err != nil {
			return err
		}
		m.name(quoted, first)
		var with *patch
		if i, ok := p.byName[name]; ok {
			seen[i], with = true, p.members[i].value
		}
		if err := m.value(with); err != nil {
			return err
		}
	}
	if _, err := m.in.ReadToken(); err != nil {
		return noEOF(err)
	}
	for i, fresh := range p.members {
		if !seen[i] {
			m.name(fresh.quoted, first)
			m.out = append(m.out, fresh.value.raw...)
		}
	}
	m.out = append(m.out, '}')
	return nil
}

// value copies the value that comes next, merged with p or replaced by it; nil leaves it alone.
func (m *merger) value(p *patch) error {
	if p != nil && p.members != nil && m.in.PeekKind() == '{' {
		return m.object(p)
	}
	raw, err := m.in.ReadValue()
	if err != nil {
		return noEOF(err)
	}
	if p != nil {
		raw = p.raw
	}
	m.out = append(m.out, raw...)
	return nil
}

func (m *merger) name(quoted jsontext.Value, first int) {
	if len(m.out) > first {
		m.out = append(m.out, ',')
	}
	m.out = append(append(m.out, quoted...), ':')
}

func readName(d *jsontext.Decoder) (quoted jsontext.Value, name string, err error) {
	raw, err := d.ReadValue()
	if err != nil {
		return nil, "", noEOF(err)
	}
	plain, err := jsontext.AppendUnquote(nil, raw)
	return raw.Clone(), string(plain), err
}

func decoder(v jsontext.Value) *jsontext.Decoder { return jsontext.NewDecoder(bytes.NewBuffer(v)) }
