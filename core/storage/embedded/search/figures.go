package search

import (
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
)

// numeric finds a field whose values count in a score or a condition, nil when it is not mapped.
func (c compiler) numeric(path string) (*mapping.Field, error) {
	f := c.Mapping.Resolve(path)
	switch {
	case f == nil:
		return nil, nil //nolint:nilnil // the clause knows what that means
	case !f.Type.Whole() && !f.Type.Floating() && f.Type != mapping.Date && f.Type != mapping.Boolean:
		return nil, refuse("failed to create query: the field [%s] is of type [%s], and its values are no numbers", path, f.Type)
	case !f.DocValues:
		return nil, refuse("Can't load fielddata on [%s] because fielddata is unsupported on fields of type [%s]. Use doc values instead.", path, f.Type)
	}
	return f, nil
}

// figures reads the values of a numeric field in a view.
type figures struct{ *segment.Field }

func (v *view) figures(f *mapping.Field) (figures, error) {
	found, err := v.field(f)
	return figures{found}, err
}

// of appends the values of a document, ascending.
func (r figures) of(doc uint32, dst []float64) []float64 {
	if r.Field == nil || !r.Present.Contains(doc) {
		return dst
	}
	if r.Floats != nil {
		return append(dst, r.Floats.Of(doc)...)
	}
	if r.Ints != nil {
		for _, n := range r.Ints.Of(doc) {
			dst = append(dst, float64(n))
		}
	}
	return dst
}
