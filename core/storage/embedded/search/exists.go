package search

import (
	"strings"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

// exists compiles the search for documents with a value in a field, in any of the fields of an object, or in any field whose
// path a wildcard describes.
func (c compiler) exists(pattern string) (clause, error) {
	if pattern == idField || pattern == indexField {
		return c.steady(everything{c.space}), nil
	}
	if f := c.Mapping.Field(pattern); f != nil && (f.Type == mapping.Object || f.Type == mapping.Nested) {
		pattern += ".*"
	}
	var parts []clause
	if !strings.Contains(pattern, "*") {
		parts = c.present(parts, c.Mapping.Resolve(pattern))
	} else {
		for f := range c.Mapping.All() {
			if glob(pattern, f.Path) {
				parts = c.present(parts, c.Mapping.Resolve(f.Path))
			}
		}
	}
	switch len(parts) {
	case 0:
		return nothing{}, nil
	case 1:
		return c.steady(parts[0]), nil
	}
	return c.steady(anyOf{c.space, parts}), c.charge(len(parts), valueBytes)
}

func (c compiler) present(parts []clause, f *mapping.Field) []clause {
	if f == nil || f.Nested != c.space || f.Type == mapping.Object || f.Type == mapping.Nested || !f.Index && !f.DocValues {
		return parts
	}
	return append(parts, present{f})
}

// present matches the documents with a value in a field.
type present struct{ field *mapping.Field }

func (c present) matches(v *view) (set, error) {
	if key := c.field.Key; key != nil {
		return between{field: c.field, from: key, to: behind(key)}.matches(v)
	}
	f, err := v.field(c.field)
	if f == nil || err != nil {
		return none, err
	}
	n, err := v.space(c.field.Nested)
	if f.Present.GetCardinality() == uint64(n) {
		return all{n}, err
	}
	return docs{f.Present}, err
}

// glob reports whether a pattern, in which * is any text, describes name.
func glob(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
