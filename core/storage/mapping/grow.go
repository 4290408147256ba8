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
	if err := g.object(m.root, g.fresh, doc); err != nil {
		return nil, err
	}
	for i := 0; i < len(g.copies); i++ {
		c := g.copies[i]
		if err := g.member(m.root, g.fresh, c.name, c.raw); err != nil {
			return nil, err
		}
	}
	added, err := build(g.fresh, nil)
	if err != nil {
		return nil, err
	}
	return m.Merge(added)
}

// grower collects new fields below fresh, a tree beside that of the mapping. It is not on the usual way of a document.
type grower struct {
	mapping *Mapping
	fresh   *Field
	added   int
	copies  []member // values for paths that are not mapped
}

// object looks through an object. old is nil for one that is new; fresh is its counterpart.
func (g *grower) object(old, fresh *Field, raw jsontext.Value) error {
	list, err := members(raw)
	if err != nil {
		return badJSON(err)
	}
	for _, m := range list {
		if old == g.mapping.root && isMetadata(m.name) {
			continue
		}
		if err := g.member(old, fresh, m.name, m.raw); err != nil {
			return err
		}
	}
	return nil
}

func (g *grower) member(old, fresh *Field, name string, raw jsontext.Value) error {
	names, err := parts(name)
	if err != nil {
		return refused("the name of the field %q: %v", shortenText(name), err)
	}
	for _, between := range names[:len(names)-1] {
		if old, fresh, err = g.enter(old, fresh, between, Object); err != nil || fresh == nil {
			return err
		}
	}
	return g.value(old, fresh, names[len(names)-1], raw)
}

// enter gives the member of an object that is an object, nil when it is not to be looked at.
func (g *grower) enter(old, fresh *Field, name string, t Type) (*Field, *Field, error) {
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

func (g *grower) value(old, fresh *Field, name string, raw jsontext.Value) error {
	switch raw.Kind() {
	case 'n':
		return nil
	case '[':
		list, err := elements(raw)
		for i := 0; err == nil && i < len(list); i++ {
			err = g.value(old, fresh, name, list[i])
		}
		return err
	case '{':
		oldChild, freshChild, err := g.enter(old, fresh, name, Object)
		if err != nil || freshChild == nil {
			return err
		}
		return g.object(oldChild, freshChild, raw)
	}
	if old != nil {
		if f := old.children.byName[name]; f != nil {
			return g.copy(f, raw)
		}
		if old.dynamic != Grow {
			return nil
		}
	}
	return g.infer(fresh, name, raw)
}

// copy notes the paths that a value is copied to.
func (g *grower) copy(f *Field, raw jsontext.Value) error {
	for _, path := range f.CopyTo {
		if g.mapping.fields[path] == nil {
			g.copies = append(g.copies, member{path, raw})
		}
	}
	return nil
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
	plain, err := text(raw)
	if err != nil {
		return err
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

// dateFormat finds the format of a text that is a date. Numbers are not taken for dates.
func dateFormat(plain string) (spec string, ok bool) {
	if plain == "" || len(plain) > 64 {
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
