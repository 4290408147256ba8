package mapping

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// dayFormat is the second format that texts are tried for, and the format of the fields that are made of them.
const dayFormat = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"

var days = sync.OnceValue(func() *dates.Format { return mustCompile(dayFormat) })

// grow gives the mapping with the fields that are new in doc. A new field gets the type that Elasticsearch would give it:
//
//   - a text that is a date of dates.Default or of dayFormat, and no number, a date; any other text a text with a sub-field
//     "keyword" that ignores texts above 256,
//   - a boolean boolean, a number without point and exponent long, any other number float, an object object,
//   - null and an empty array nothing; other arrays what their elements say, which must be one type.
func (m *Mapping) grow(doc jsontext.Value) (*Mapping, error) {
	g := &grower{mapping: m, fresh: &Field{Type: Object}}
	if err := g.object(m.root, g.fresh, jsontext.NewDecoder(bytes.NewBuffer(doc))); err != nil {
		return nil, err
	}
	for _, c := range g.copies {
		if err := g.member(m.root, g.fresh, c.name, jsontext.NewDecoder(bytes.NewBuffer(c.raw))); err != nil {
			return nil, err
		}
	}
	added, err := build(g.fresh, nil, nil)
	if err != nil {
		return nil, err
	}
	return m.Merge(added)
}

// grower collects new fields below fresh, a tree beside that of the mapping. It is not on the usual way of a document, but
// reads it once from front to back all the same: deep nesting costs no more than its length.
type grower struct {
	mapping *Mapping
	fresh   *Field
	added   int
	copies  []member // a value for each path that is copied to and not mapped
}

// object looks through the object that comes next. old is nil for one that is new; fresh is its counterpart.
func (g *grower) object(old, fresh *Field, d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return badJSON(err)
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return badJSON(err)
		}
		name := token.String()
		if old == g.mapping.root && isMetadata(name) {
			err = d.SkipValue()
		} else {
			err = g.member(old, fresh, name, d)
		}
		if err != nil {
			return badJSON(err)
		}
	}
	_, err := d.ReadToken()
	return badJSON(err)
}

func (g *grower) member(old, fresh *Field, name string, d *jsontext.Decoder) error {
	names, err := parts(name)
	if err != nil {
		return refused("the name of the field %q: %v", shortenText(name), err)
	}
	for _, between := range names[:len(names)-1] {
		if old, fresh, err = g.enter(old, fresh, between); err != nil {
			return err
		}
		if fresh == nil {
			return d.SkipValue()
		}
	}
	return g.value(old, fresh, names[len(names)-1], d)
}

// enter gives the member of an object that is an object, nil when it is not to be looked at.
func (g *grower) enter(old, fresh *Field, name string) (*Field, *Field, error) {
	t := Object
	var oldChild *Field
	if old != nil {
		oldChild = old.children.byName[name]
	}
	switch {
	case oldChild != nil && (!oldChild.Type.object() || oldChild.Disabled):
		return nil, nil, nil
	case oldChild != nil:
		t = oldChild.Type
	case old != nil && old.dynamic != Grow:
		return nil, nil, nil
	}
	freshChild, err := g.add(fresh, name, t)
	return oldChild, freshChild, err
}

// add gives the new field with this name, which must have this type when it exists.
func (g *grower) add(fresh *Field, name string, t Type) (*Field, error) {
	f := fresh.children.byName[name]
	if f == nil {
		f = &Field{Name: name, Path: join(fresh.Path, name), Type: t, Options: defaults(t)}
		if t.object() {
			f.Options = Options{}
		}
		if strings.Count(f.Path, ".") >= maxDepth {
			return nil, tooDeep(f.Path)
		}
		if g.added++; g.added > 2*maxFields { // objects that exist are among them
			return nil, tooMany("fields", maxFields)
		}
		fresh.children.add(f)
	}
	if f.Type != t {
		return nil, conflict(f.Path)
	}
	return f, nil
}

// value looks at the value that comes next, which is the member of an object with this name.
func (g *grower) value(old, fresh *Field, name string, d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case 'n':
		return d.SkipValue()
	case '[':
		return g.array(old, fresh, name, d)
	case '{':
		oldChild, freshChild, err := g.enter(old, fresh, name)
		switch {
		case err != nil:
			return err
		case freshChild == nil:
			return d.SkipValue()
		}
		return g.object(oldChild, freshChild, d)
	}
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if old != nil {
		if f := old.children.byName[name]; f != nil {
			g.copy(f, raw)
			return nil
		}
		if old.dynamic != Grow {
			return nil
		}
	}
	return g.infer(fresh, name, raw)
}

func (g *grower) array(old, fresh *Field, name string, d *jsontext.Decoder) error {
	if d.StackDepth() >= maxNesting {
		return tooNested()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for k := d.PeekKind(); k != ']' && k != jsontext.KindInvalid; k = d.PeekKind() {
		if err := g.value(old, fresh, name, d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// copy notes the paths that a value is copied to.
func (g *grower) copy(f *Field, raw jsontext.Value) {
	var cloned jsontext.Value // of a buffer of the decoder
	for _, path := range f.CopyTo {
		if g.mapping.fields[path] == nil && len(g.copies) < maxFields {
			if cloned == nil {
				cloned = raw.Clone()
			}
			g.copies = append(g.copies, member{path, cloned})
		}
	}
}

func (g *grower) infer(fresh *Field, name string, raw jsontext.Value) error {
	switch raw.Kind() {
	case 't', 'f':
		_, err := g.add(fresh, name, Boolean)
		return err
	case '0':
		t := Long
		if bytes.ContainsAny(raw, ".eE") {
			t = Float
		}
		_, err := g.add(fresh, name, t)
		return err
	}
	plain := ""
	if len(raw) <= maxQuotedDate {
		var err error
		if plain, err = text(raw); err != nil {
			return err
		}
	}
	if spec, ok := dateFormat(plain); ok {
		return g.addDate(fresh, name, spec)
	}
	f, err := g.add(fresh, name, Text)
	if err != nil {
		return err
	}
	if f.subs.byName == nil {
		sub := &Field{Name: "keyword", Type: Keyword, Options: defaults(Keyword)}
		sub.IgnoreAbove = 256
		f.subs.add(sub)
	}
	return nil
}

func (g *grower) addDate(fresh *Field, name, spec string) error {
	known := fresh.children.byName[name] != nil
	f, err := g.add(fresh, name, Date)
	switch {
	case err != nil:
		return err
	case !known:
		return setFormat(f, jsontext.Value(quoteOr(spec)))
	case f.format.String() != spec:
		return conflict(f.Path, "format")
	}
	return nil
}

// maxDate is how many bytes a date may have to be taken for one, and maxQuotedDate those of it in JSON.
const maxDate, maxQuotedDate = 64, 6*maxDate + 2

// dateFormat finds the format of a text that is a date. Numbers are not taken for dates.
func dateFormat(plain string) (spec string, ok bool) {
	if plain == "" || len(plain) > maxDate {
		return "", false
	}
	if _, err := strconv.ParseFloat(plain, 64); err == nil {
		return "", false
	}
	for _, f := range []*dates.Format{defaultFormat(), days()} {
		if _, err := f.Parse(plain, nil); err == nil {
			return f.String(), true
		}
	}
	return "", false
}
