package mapping

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/geometry"
)

// TestShapes: the shapes of a document, by how many there are, and what is refused.
func TestShapes(t *testing.T) {
	const open = `{"type":"polygon","coordinates":[[[0,0],[1,0],[1,1]]]}`
	for _, c := range []struct {
		field, value string
		shapes       int
		want         string
	}{
		{`{"type":"geo_shape"}`, `"POINT (1 2)"`, 1, ""},
		{`{"type":"geo_shape"}`, `{"type":"point","coordinates":[1,2,3]}`, 1, ""},
		{`{"type":"geo_shape"}`, `["POINT (1 2)",null,{"type":"point","coordinates":[1,2]}]`, 2, ""},
		{`{"type":"geo_shape"}`, `null`, 0, ""},
		{`{"type":"geo_shape"}`, `[]`, 0, ""},
		{`{"type":"geo_shape","ignore_z_value":false}`, `{"type":"point","coordinates":[1,2,3]}`, 0, "found Z value [3]"},
		{`{"type":"geo_shape"}`, open, 0, "must close itself"},
		{`{"type":"geo_shape","coerce":true}`, open, 1, ""},
		{`{"type":"geo_shape","ignore_malformed":true}`, `[` + open + `,"POINT (1 2)",5]`, 1, ""},
		{`{"type":"geo_shape"}`, `[1,2]`, 0, "must be an object consisting of type and coordinates"},
		{`{"type":"geo_shape"}`, `"1,2"`, 0, "unknown geo shape type [1]"},
	} {
		m := parse(t, `{"properties":{"a":`+c.field+`}}`)
		var d Document
		err := m.Fields(jsontext.Value(`{"a":`+c.value+`}`), &d)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"a" of type geo_shape`) {
				t.Errorf("%s: %s: %v, want an error with %q", c.field, c.value, err, c.want)
			}
			continue
		}
		if err != nil || len(d.Values) != c.shapes {
			t.Errorf("%s: %s: %d shapes, %v", c.field, c.value, len(d.Values), err)
			continue
		}
		for _, v := range d.Values {
			if s, err := geometry.Decode(v.Text); err != nil || s.Box().West > 1 {
				t.Errorf("%s: %s: %v, %v", c.field, c.value, s, err)
			}
		}
	}
}

// TestOrientation: the mapping says which way round the area of a ring is.
func TestOrientation(t *testing.T) {
	for option, wide := range map[string]bool{``: true, `,"orientation":"left"`: false, `,"orientation":"CCW"`: true} {
		m := parse(t, `{"properties":{"a":{"type":"geo_shape"`+option+`}}}`)
		var d Document
		if err := m.Fields(jsontext.Value(`{"a":"POLYGON ((-170 0, 170 0, 170 9, -170 9, -170 0))"}`), &d); err != nil {
			t.Fatal(err)
		}
		s, err := geometry.Decode(d.Values[0].Text)
		if err != nil || s.Has(geometry.Position{}, 0) != wide {
			t.Errorf("%s: the middle of the map is inside: %v, %v", option, !wide, err)
		}
	}
}

func TestShapeOptions(t *testing.T) {
	m := parse(t, `{"properties":{"a":{"type":"geo_shape","orientation":"clockwise","ignore_z_value":false,"coerce":false,"meta":{"x":"y"}}}}`)
	const want = `{"dynamic":"false","properties":{"a":{"type":"geo_shape","ignore_z_value":false,"orientation":"left","meta":{"x":"y"}}}}`
	if got := string(m.JSON(false)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, field := range []string{
		`{"type":"geo_shape","orientation":"up"}`, `{"type":"geo_shape","orientation":1}`, `{"type":"geo_shape","strategy":"recursive"}`,
		`{"type":"geo_shape","null_value":"POINT (1 1)"}`, `{"type":"geo_shape","fields":{"k":{"type":"keyword"}}}`,
	} {
		if _, err := Parse(jsontext.Value(`{"properties":{"a":` + field + `}}`)); err == nil {
			t.Errorf("%s is accepted", field)
		}
	}
}
