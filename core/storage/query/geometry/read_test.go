package geometry

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestRead(t *testing.T) {
	for _, c := range []struct{ text, same string }{
		{`{"type":"Point","coordinates":[1,2]}`, "POINT (1 2)"},
		{`{"coordinates":[1,2,3],"bbox":[1],"TYPE":"x","type":"POINT"}`, "point(1 2 3)"},
		{`{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}`, "MULTIPOINT (1 2, (3 4))"},
		{`{"type":"linestring","coordinates":[[1,2],[3,4]]}`, "LineString(1 2,3 4)"},
		{`{"type":"MultiLineString","coordinates":[[[1,2],[3,4]],[[5,6],[7,8]]]}`, "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))"},
		{`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,0],[1,1],[0,0]]]}`, " POLYGON ( ( 0 0 , 1 0,1 1,0 0) ) "},
		{`{"type":"Polygon","coordinates":[[[0,0],[3,0],[0,3]],[[1,1],[1,1.5],[1.5,1]]]}`, "POLYGON ((0 0, 3 0, 0 3, 0 0), (1 1, 1 1.5, 1.5 1, 1 1))"},
		{`{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[2,2],[3,2],[3,3],[2,2]]]]}`, "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((2 2, 3 2, 3 3, 2 2)))"},
		{`{"type":"envelope","coordinates":[[1,4],[3,2]]}`, "BBOX (1, 3, 4, 2)"},
		{`{"type":"envelope","coordinates":[[1,2],[3,2]]}`, "LINESTRING (1 2, 3 2)"},
		{`{"type":"envelope","coordinates":[[1,2],[1,2]]}`, "POINT (1 2)"},
		{
			`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"GeometryCollection","geometries":[{"type":"envelope","coordinates":[[1,4],[3,2]]}]}]}`,
			"GEOMETRYCOLLECTION (POINT (1 2), GEOMETRYCOLLECTION (BBOX (1, 3, 4, 2)))",
		},
	} {
		a, b := shape(t, c.text), shape(t, c.same)
		if !bytes.Equal(a.Append(nil), b.Append(nil)) {
			t.Errorf("%s is not %s", c.text, c.same)
		}
		again, err := Decode(a.Append(nil))
		if err != nil || !bytes.Equal(again.Append(nil), a.Append(nil)) || again.Box() != a.Box() {
			t.Errorf("%s: decoded it is %v, %v", c.text, again, err)
		}
	}
}

func TestRectangle(t *testing.T) {
	for text, want := range map[string]bool{
		"BBOX (1, 3, 4, 2)":                       true,
		"POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))":     true,
		"POLYGON ((0 0, 0 1, 1 1, 1 0.5, 0 0))":   false,
		"POLYGON ((0 0, 0 1, 1 1, 0 0))":          false,
		"BBOX (170, -170, 1, 0)":                  false,
		"POINT (1 1)":                             false,
		"MULTIPOINT (0 0, 0 1, 1 1, 1 0)":         false,
		"POLYGON ((0 0, 1 0, 2 0, 2 1, 0 1,0 0))": false,
	} {
		if got := shape(t, text).Rectangle(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	deep := strings.Repeat("GEOMETRYCOLLECTION (", 30) + "POINT (1 1)" + strings.Repeat(")", 30)
	for _, c := range []struct {
		text string
		o    Options
		want string
	}{
		{`1`, Options{}, "must be an object"},
		{`null`, Options{}, "must be an object"},
		{`{}`, Options{}, "must be an object"},
		{`{"type":1}`, Options{}, "must be an object"},
		{`{"type":"point"}`, Options{}, "no coordinates"},
		{`{"type":"circle","radius":"1km","coordinates":[1,1]}`, Options{}, "use a polygon"},
		{`{"type":"star","coordinates":[1,1]}`, Options{}, "unknown geo shape type [star]"},
		{`{"type":"point","coordinates":["1",1]}`, Options{}, "must be numbers"},
		{`{"type":"point","coordinates":[1]}`, Options{}, "two numbers"},
		{`{"type":"point","coordinates":[1,2,3,4]}`, Options{}, "two numbers"},
		{`{"type":"point","coordinates":[1,2,3]}`, Options{Flat: true}, "found Z value [3]"},
		{`{"type":"point","coordinates":{}}`, Options{}, "expected a list"},
		{`{"type":"point","coordinates":[181,2]}`, Options{}, "invalid longitude 181"},
		{`{"type":"point","coordinates":[1,-91]}`, Options{}, "invalid latitude -91"},
		{`{"type":"linestring","coordinates":[[1,1]]}`, Options{}, "at least two"},
		{`{"type":"multipoint","coordinates":[]}`, Options{}, "empty"},
		{`{"type":"polygon","coordinates":[]}`, Options{}, "empty"},
		{`{"type":"polygon","coordinates":[[]]}`, Options{}, "empty"},
		{`{"type":"polygon","coordinates":[[[0,0],[1,0],[1,1]]]}`, Options{}, "must close itself"},
		{`{"type":"polygon","coordinates":[[[0,0],[1,0]]]}`, Options{Coerce: true}, "at least 4"},
		{`{"type":"polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1]]]}`, Options{Coerce: true}, "Invalid shape"},
		{`{"type":"polygon","coordinates":[[[0,0],[0,0],[0,0],[0,0]]]}`, Options{}, "Invalid shape"},
		{`{"type":"polygon","coordinates":[[[0,0],[3,0],[0,3]],[[5,5],[6,5],[5,6]]]}`, Options{Coerce: true}, "Invalid shape"},
		{`{"type":"polygon","orientation":"up","coordinates":[]}`, Options{}, "unknown orientation [up]"},
		{`{"type":"envelope","coordinates":[[1,1]]}`, Options{}, "2 are needed"},
		{`{"type":"envelope","coordinates":[[1,1],[2,2]]}`, Options{}, "below its bottom"},
		{`{"type":"geometrycollection"}`, Options{}, "no geometries"},
		{`{"type":"geometrycollection","geometries":[]}`, Options{}, "empty"},
		{`{"type":"geometrycollection","geometries":["POINT (1 1)"]}`, Options{}, "must be an object"},
		{`{"type":"multipoint","coordinates":[` + strings.Repeat("[1,1],", MaxPositions) + `[1,1]]}`, Options{}, "more than 16384 positions"},
		{`""`, Options{}, "unknown geo shape type []"},
		{`"POINT"`, Options{}, "two numbers"},
		{`"POINT EMPTY"`, Options{}, "invalid number found: EMPTY"},
		{`"POINT (1 x)"`, Options{}, "invalid number found: x"},
		{`"POINT (1 NaN)"`, Options{}, "invalid number"},
		{`"POINT (1 1"`, Options{}, "expected ) but found the end"},
		{`"POINT (1 1) x"`, Options{}, "expected end of WKT string but found [x]"},
		{`"BBOX (1, 2, 3)"`, Options{}, "expected four numbers"},
		{`"BBOX (1, 2, 3, 2, 5)"`, Options{}, "expected four numbers"},
		{`"BBOX (1, 2, 300, 2)"`, Options{}, "invalid latitude"},
		{`"LINESTRING 1 1"`, Options{}, "expected ( but found [1 1]"},
		{`"` + deep + `"`, Options{}, "more than 20 deep"},
	} {
		s, err := Read(jsontext.Value(c.text), c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s: %v, %v, want an error with %q", c.text, s, err, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := shape(t, "POLYGON ((0 0, 1 0, 1 1, 0 0))").Append(nil)
	for n := 1; n < len(good); n++ {
		if s, err := Decode(good[:n]); err == nil {
			t.Errorf("%d bytes of %d are %v", n, len(good), s)
		}
	}
	if _, err := Decode([]byte{9, 1, 0, 0, 0, 1, 0, 0, 0}); err == nil {
		t.Error("an unknown kind is decoded")
	}
}

// FuzzRead: nothing panics, what is read is on earth, can be compared with itself, and stays what it is when it is written.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"type":"polygon","coordinates":[[[170,0],[-170,0],[-170,10],[170,10],[170,0]],[[175,2],[175,3],[176,3],[175,2]]]}`,
		`{"type":"geometrycollection","geometries":[{"type":"point","coordinates":[1,2]},{"type":"envelope","coordinates":[[170,4],[-170,2]]}]}`,
		`{"type":"multilinestring","coordinates":[[[1,2],[3,4]],[[5,6],[7,8]]],"orientation":"left"}`,
		`"POLYGON ((175 -5, -175 -5, -175 5, 175 5, 175 -5))"`, `"MULTIPOINT ((1 1), 2 2)"`, `"BBOX (1, 2, 4, 3)"`,
		`"GEOMETRYCOLLECTION (LINESTRING (1 1 1, 2 2), MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0))))"`,
	} {
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, left bool) {
		s, err := Read(jsontext.Value(text), Options{Left: left, Coerce: true})
		if err != nil {
			return
		}
		if !s.Box().Within(Box{-90, 90, -180, 180}) {
			t.Fatalf("%s is at %v", text, s.Box())
		}
		written := s.Append(nil)
		again, err := Decode(written)
		if err != nil || !bytes.Equal(again.Append(nil), written) {
			t.Fatalf("%s was not read again: %v", text, err)
		}
		again.Prepare()
		if !s.Intersects(again, goOn) || !s.Within(again, goOn) {
			t.Fatalf("%s does not meet itself, or is not within itself", text)
		}
	})
}
