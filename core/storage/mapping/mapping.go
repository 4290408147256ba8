package mapping

import (
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

// The bounds of a mapping, which are Elasticsearch's defaults.
const (
	maxFields = 1000 // objects, sub-fields and aliases count too
	maxDepth  = 20   // of objects, the root being the first
	maxNested = 50   // nested objects
)

// Mapping is what the fields of a collection are. It is immutable and may be used by any number of goroutines.
type Mapping struct {
	root   *Field
	meta   jsontext.Value // compact, or nil
	fields map[string]*Field
	nested int
	set    *analysis.Set
	// index and collection stand in errors.
	index, collection string
}

// For gives the mapping with the names of its collection, which some errors show. Mappings made from it keep them.
func (m *Mapping) For(index, collection string) *Mapping {
	c := *m
	c.index, c.collection = index, collection
	return &c
}

// With gives the mapping of a collection whose settings define other analyzers and normalizers. Fails with
// services.storage.invalid_mapping_argument when a field uses one that they do not define.
func (m *Mapping) With(set *analysis.Set) (*Mapping, error) {
	changed, err := build(m.root.clone(), m.meta, set)
	if err != nil {
		return nil, err
	}
	changed.index, changed.collection = m.index, m.collection
	return changed, nil
}

// Analyzer finds an analyzer by its name, as the settings of the collection and this package know it.
func (m *Mapping) Analyzer(name string) (*analysis.Analyzer, bool) { return m.set.Analyzer(name) }

// Root is the object around all fields.
func (m *Mapping) Root() *Field { return m.root }

// Meta is what the user wrote to the mapping, a JSON object, nil when there is none.
func (m *Mapping) Meta() jsontext.Value { return m.meta.Clone() }

// Field finds a field, a sub-field or an object by its path, nil when there is none. An alias is found as itself. For a path
// into a Flattened it gives a field that stands for the key.
func (m *Mapping) Field(path string) *Field {
	if f := m.fields[path]; f != nil {
		return f
	}
	return m.key(path)
}

// Resolve is Field, but for an alias it gives the field that the alias stands for.
func (m *Mapping) Resolve(path string) *Field {
	f := m.Field(path)
	if f != nil && f.Type == Alias {
		return m.fields[f.Target]
	}
	return f
}

// Len is how many fields there are; objects, sub-fields and aliases count.
func (m *Mapping) Len() int { return len(m.fields) }

// All gives every field, object, sub-field and alias, a field before its sub-fields, else in the order of the paths.
func (m *Mapping) All() iter.Seq[*Field] {
	return func(yield func(*Field) bool) { m.root.walk(yield) }
}

// walk gives everything below f.
func (f *Field) walk(yield func(*Field) bool) bool {
	for _, set := range []*fieldSet{&f.subs, &f.children} {
		for _, child := range set.list {
			if !yield(child) || !child.walk(yield) {
				return false
			}
		}
	}
	return true
}

// build makes a mapping of a tree that nobody else uses. It sets what follows from the places of the fields.
func build(root *Field, meta jsontext.Value, set *analysis.Set) (*Mapping, error) {
	m := &Mapping{root: root, meta: meta, fields: map[string]*Field{}, set: set}
	root.dynamic = root.Dynamic
	if root.dynamic == Inherit {
		root.dynamic = Ignore
	}
	if err := m.place(root, 1); err != nil {
		return nil, err
	}
	return m, nil
}

// place sets what follows from the place of everything below f, an object at the given depth.
func (m *Mapping) place(f *Field, depth int) error {
	if depth > maxDepth {
		return tooDeep(f.Path)
	}
	f.children.sort()
	for _, child := range f.children.list {
		child.Path = join(f.Path, child.Name)
		child.Nested = f.Nested
		if f.Type == Nested {
			child.Nested = f.Path
		}
		if err := m.count(child); err != nil {
			return err
		}
		if child.Type.object() {
			if child.dynamic = child.Dynamic; child.dynamic == Inherit {
				child.dynamic = f.dynamic
			}
			if err := m.place(child, depth+1); err != nil {
				return err
			}
			continue
		}
		if child.Type == Flattened {
			child.setKeyed()
		}
		if err := child.setAnalysis(m.set); err != nil {
			return err
		}
		child.subs.sort()
		for _, sub := range child.subs.list {
			sub.Path, sub.Nested = join(child.Path, sub.Name), child.Nested
			if err := m.count(sub); err != nil {
				return err
			}
			if err := sub.setAnalysis(m.set); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Mapping) count(f *Field) error {
	if m.fields[f.Path] = f; len(m.fields) > maxFields {
		return tooMany("fields", maxFields)
	}
	if f.Type == Nested {
		if m.nested++; m.nested > maxNested {
			return tooMany("nested objects", maxNested)
		}
	}
	return nil
}

// checkReferences looks at what fields say about other fields.
func (m *Mapping) checkReferences() error {
	for f := range m.All() {
		if f.Type == Alias {
			if err := m.checkAlias(f); err != nil {
				return err
			}
		}
		for _, path := range f.CopyTo {
			if err := m.checkCopy(f, path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Mapping) checkAlias(f *Field) error {
	target := m.fields[f.Target]
	switch {
	case target == f:
		return badOption(f.Path, "path", "an alias cannot stand for itself")
	case target == nil || target.Type.object():
		return badOption(f.Path, "path", "there is no field "+f.Target)
	case target.Type == Alias:
		return badOption(f.Path, "path", f.Target+" is an alias too")
	case target.Nested != f.Nested:
		return badOption(f.Path, "path", f.Target+" is not in the same nested object")
	}
	return nil
}

func (m *Mapping) checkCopy(f *Field, path string) error {
	target := m.fields[path]
	above := ""
	switch {
	case target == nil:
		above = m.around(path)
	case target.Type.object():
		return badOption(f.Path, "copy_to", path+" is an object")
	case m.isSub(target):
		return badOption(f.Path, "copy_to", path+" is a sub-field")
	default:
		above = target.Nested
	}
	if above != "" && above != f.Nested && !strings.HasPrefix(f.Nested, above+".") {
		return badOption(f.Path, "copy_to", path+" is in another nested object")
	}
	return nil
}

// around is the path of the nearest nested object around a path that is not mapped.
func (m *Mapping) around(path string) string {
	for {
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return ""
		}
		path = path[:i]
		if f := m.fields[path]; f != nil && f.Type == Nested {
			return path
		} else if f != nil {
			return f.Nested
		}
	}
}

func (m *Mapping) isSub(f *Field) bool {
	i := strings.LastIndexByte(f.Path, '.')
	return i >= 0 && !m.fields[f.Path[:i]].Type.object()
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// parts takes a name apart at its dots, as Elasticsearch does: dots at the end do not count.
func parts(name string) ([]string, error) {
	list := strings.Split(strings.TrimRight(name, "."), ".")
	if slices.ContainsFunc(list, func(part string) bool { return strings.TrimSpace(part) == "" }) {
		return nil, errNoName
	}
	return list, nil
}
