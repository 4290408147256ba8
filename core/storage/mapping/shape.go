package mapping

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/geometry"
)

// shape reads a shape into v.
func (f *Field) shape(v *Value, raw jsontext.Value, r *reader) error {
	s, err := geometry.Read(raw, geometry.Options{Left: f.Left, Coerce: f.Coerce, Flat: !f.FlattenHeights})
	if err != nil {
		return err
	}
	from := len(r.arena)
	r.arena = s.Append(r.arena)
	v.Text = r.arena[from:len(r.arena):len(r.arena)]
	return nil
}

func setOrientation(f *Field, v jsontext.Value) error {
	word, err := text(v)
	if err != nil {
		return err
	}
	f.Left, err = geometry.Orientation(word)
	return err
}

func getOrientation(f *Field) string {
	if f.Left {
		return `"left"`
	}
	return ""
}
