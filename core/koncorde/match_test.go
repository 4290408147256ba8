package koncorde_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/koncorde"
)

func document(t testing.TB, id, source string) *koncorde.Document {
	t.Helper()
	d, err := koncorde.NewDocument(id, []byte(source))
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return d
}

// matches asks a filter alone and through a matcher.
func matches(t testing.TB, filter, id, source string) bool {
	t.Helper()
	n, d := normalise(t, filter), document(t, id, source)
	m := koncorde.NewMatcher()
	m.Add("room", n)
	alone, found := n.Match(d), slices.Equal(m.Match(d), []string{"room"})
	if alone != found {
		t.Errorf("%s on %s: alone %v, in a matcher %v", filter, source, alone, found)
	}
	return alone
}

func TestMatch(t *testing.T) {
	type docs []string
	for _, c := range []struct {
		filter    string
		match, no docs
	}{
		{`{}`, docs{`{}`, `{"a":1}`}, nil},
		{`{"nothing":1}`, nil, docs{`{}`, `{"a":1}`}},

		{`{"equals":{"a":1}}`, docs{`{"a":1}`, `{"a":1.0}`, `{"a":1e0}`, `{"a":100e-2}`}, docs{`{}`, `{"a":"1"}`, `{"a":true}`, `{"a":null}`, `{"a":[1]}`, `{"a":{"a":1}}`, `{"b":1}`}},
		{`{"equals":{"a":"x"}}`, docs{`{"a":"x"}`, `{"a":"\u0078"}`}, docs{`{"a":"X"}`, `{"a":["x"]}`, `{"a":"xx"}`}},
		{`{"equals":{"a":null}}`, docs{`{"a":null}`}, docs{`{}`, `{"a":false}`, `{"a":0}`, `{"a":""}`}},
		{`{"equals":{"a":false}}`, docs{`{"a":false}`}, docs{`{"a":true}`, `{"a":0}`, `{"a":null}`, `{}`}},
		{`{"equals":{"a":0}}`, docs{`{"a":0}`, `{"a":-0.0}`, `{"a":0e5}`}, docs{`{"a":1e-400}`, `{"a":false}`}},
		{`{"equals":{"a":9007199254740993}}`, docs{`{"a":9007199254740993}`, `{"a":9007199254740993.0}`, `{"a":9.007199254740993e15}`}, docs{`{"a":9007199254740992}`, `{"a":9007199254740994}`}},
		{`{"equals":{"a":1e400}}`, docs{`{"a":1e400}`, `{"a":10e399}`}, docs{`{"a":1e401}`}},
		{`{"equals":{"a":0.1}}`, docs{`{"a":0.1}`, `{"a":1e-1}`}, docs{`{"a":0.1000000000000000055511151231257827}`}},
		{`{"equals":{"a.b":1}}`, docs{`{"a":{"b":1}}`, `{"a.b":1}`, `{"a":{"b":2},"a.b":1}`}, docs{`{"a":[{"b":1}]}`, `{"a":1,"b":1}`, `{"a":{"b":{"c":1}}}`, `{"a.b":1,"a":{"b":2}}`}},
		{`{"equals":{"a.b.c":1}}`, docs{`{"a":{"b":{"c":1}}}`, `{"a.b":{"c":1}}`, `{"a":{"b.c":1}}`}, docs{`{"a":{"b":1}}`}},
		{`{"not":{"equals":{"a":1}}}`, docs{`{}`, `{"a":"1"}`, `{"a":null}`, `{"a":[1]}`, `{"a":2}`}, docs{`{"a":1}`}},
		{`{"equals":{"_id":"me"}}`, docs{`{}`, `{"_id":"other"}`}, nil},
		{`{"equals":{"_id":"other"}}`, nil, docs{`{}`, `{"_id":"other"}`}},

		{`{"in":{"a":["x","y"]}}`, docs{`{"a":"x"}`, `{"a":"y"}`}, docs{`{}`, `{"a":"z"}`, `{"a":["x"]}`, `{"a":null}`}},
		{`{"not":{"in":{"a":["x","y"]}}}`, docs{`{}`, `{"a":"z"}`, `{"a":1}`}, docs{`{"a":"x"}`}},
		{`{"ids":{"values":["you","me"]}}`, docs{`{}`}, nil},
		{`{"ids":{"values":["you"]}}`, nil, docs{`{}`}},
		{`{"not":{"ids":{"values":["you"]}}}`, docs{`{}`}, nil},

		{`{"exists":"a"}`, docs{`{"a":1}`, `{"a":null}`, `{"a":{}}`, `{"a":[]}`}, docs{`{}`, `{"b":{"a":1}}`}},
		{`{"exists":{"field":"a.b"}}`, docs{`{"a":{"b":null}}`}, docs{`{"a":{}}`, `{"a":[{"b":1}]}`, `{"a":null}`}},
		{`{"exists":"_id"}`, docs{`{}`}, nil},
		{`{"exists":"a[\"x\"]"}`, docs{`{"a":["x"]}`, `{"a":[1,"y","x"]}`}, docs{`{}`, `{"a":"x"}`, `{"a":[["x"]]}`, `{"a":[]}`, `{"a":{"x":1}}`}},
		{`{"exists":"a[3]"}`, docs{`{"a":[3.0]}`}, docs{`{"a":["3"]}`, `{"a":[0,1,2,4]}`}},
		{`{"exists":"a[true]"}`, docs{`{"a":[true]}`}, docs{`{"a":[1,"true",false]}`}},
		{`{"exists":"a[null]"}`, docs{`{"a":[null]}`}, docs{`{"a":[]}`, `{"a":null}`}},
		{`{"exists":"a[\"]\"]"}`, docs{`{"a":["]"]}`}, docs{`{"a":["["]}`}},
		{`{"exists":"a\\[1\\]"}`, docs{`{"a[1]":0}`}, docs{`{"a":[1]}`}},
		{`{"exists":"a\\[1\\][2]"}`, docs{`{"a[1]":[2]}`}, docs{`{"a":[1,2]}`}},
		{`{"missing":"a"}`, docs{`{}`, `{"b":1}`}, docs{`{"a":null}`, `{"a":1}`}},
		{`{"missing":"a[1]"}`, docs{`{}`, `{"a":1}`, `{"a":[2]}`, `{"a":null}`}, docs{`{"a":[1]}`}},
		{`{"not":{"missing":"a"}}`, docs{`{"a":null}`}, docs{`{}`}},

		{`{"range":{"a":{"gt":1,"lte":3}}}`, docs{`{"a":3}`, `{"a":1.0000000000000000000001}`}, docs{`{}`, `{"a":1}`, `{"a":"2"}`, `{"a":[2]}`, `{"a":null}`, `{"a":3.0000000000000000000001}`}},
		{`{"range":{"a":{"gte":9007199254740993}}}`, docs{`{"a":9007199254740993}`, `{"a":9007199254740994}`}, docs{`{"a":9007199254740992}`}},
		{`{"range":{"a":{"lt":0}}}`, docs{`{"a":-1e-400}`, `{"a":-5}`}, docs{`{"a":0}`, `{"a":-0}`, `{"a":1e-400}`}},
		{`{"not":{"range":{"a":{"gt":1}}}}`, docs{`{}`, `{"a":"2"}`, `{"a":1}`, `{"a":null}`, `{"a":[2]}`}, docs{`{"a":2}`}},

		{`{"regexp":{"a":"b+c"}}`, docs{`{"a":"abbcd"}`}, docs{`{}`, `{"a":"ABBC"}`, `{"a":["bc"]}`, `{"a":1}`}},
		{`{"regexp":{"a":{"value":"^b|x$","flags":"i"}}}`, docs{`{"a":"BA"}`, `{"a":"AX"}`}, docs{`{"a":"AB"}`}},
		{`{"regexp":{"a":{"value":"^b$","flags":"mg"}}}`, docs{`{"a":"a\nb\nc"}`}, docs{`{"a":"a\nB\nc"}`}},
		{`{"regexp":{"a":"1"}}`, docs{`{"a":"1"}`}, docs{`{"a":1}`}},
		{`{"not":{"regexp":{"a":"b"}}}`, docs{`{}`, `{"a":"x"}`, `{"a":1}`}, docs{`{"a":"b"}`}},

		{`{"match":{"a":1}}`, docs{`{"a":1,"b":2}`}, docs{`{}`, `{"a":"1"}`, `{"a":[1]}`, `{"b":{"a":1}}`}},
		{`{"match":{"a":{"b":{"c":1}}}}`, docs{`{"a":{"x":0,"b":{"c":1,"d":2}}}`}, docs{`{"a":{"b":{}}}`, `{"a":{"b":1}}`, `{"a.b.c":1}`}},
		{`{"match":{"a":{}}}`, docs{`{"a":{}}`, `{"a":{"b":1}}`}, docs{`{"a":[]}`, `{"a":null}`, `{}`}},
		{`{"match":{"a":[]}}`, docs{`{"a":[]}`, `{"a":[1]}`}, docs{`{"a":{}}`, `{}`}},
		{`{"match":{"a":[1,1,"x"]}}`, docs{`{"a":["x",1,2,1]}`}, docs{`{"a":[1,"x"]}`, `{"a":[1,1,"y"]}`, `{"a":[1,"1","x"]}`}},
		{`{"match":{"a":[{},{"b":1}]}}`, docs{`{"a":[{"b":1},{"c":1}]}`, `{"a":[{"c":1},{"b":1}]}`}, docs{`{"a":[{"b":1}]}`, `{"a":[{"c":1},{"d":1}]}`, `{"a":[[],{"b":1}]}`}},
		{`{"match":{"a":[[1,2],[1]]}}`, docs{`{"a":[[1],[2,1]]}`}, docs{`{"a":[[1],[1]]}`, `{"a":[[2,1]]}`}},
		{`{"match":{"a":null}}`, docs{`{"a":null}`}, docs{`{}`, `{"a":0}`}},
		{`{"match":{"_id":"me"}}`, docs{`{}`}, nil},
		{`{"not":{"match":{"a":[1]}}}`, docs{`{}`, `{"a":1}`, `{"a":[]}`}, docs{`{"a":[1,2]}`}},

		{`{"select":{"field":"a","index":0,"query":{"equals":{"value":1}}}}`, docs{`{"a":[1,2]}`}, docs{`{}`, `{"a":1}`, `{"a":[]}`, `{"a":[2,1]}`, `{"a":{"0":1}}`}},
		{`{"select":{"field":"a.b","index":-2,"query":{"range":{"value.x":{"gt":1}}}}}`, docs{`{"a":{"b":[{"x":2},{"x":0}]}}`}, docs{`{"a":{"b":[{"x":2}]}}`, `{"a":{"b":[{"x":1},{"x":2}]}}`}},
		{`{"select":{"field":"a","index":1e99,"query":{"exists":"value"}}}`, nil, docs{`{"a":[1]}`}},
		{`{"not":{"select":{"field":"a","index":0,"query":{"equals":{"value":1}}}}}`, docs{`{}`, `{"a":1}`, `{"a":[2]}`}, docs{`{"a":[1]}`}},
		{`{"select":{"field":"a","index":0,"query":{"missing":"value"}}}`, nil, docs{`{"a":[]}`, `{"a":[1]}`, `{}`}},
		{`{"select":{"field":"a","index":0,"query":{"geoDistance":{"value":[10,20],"distance":"1km"}}}}`, docs{`{"a":[[10,20]]}`}, docs{`{"a":[[10,21]]}`, `{"a":["no point"]}`}},

		{`{"geoDistance":{"g":{"lat":43.6,"lon":3.9},"distance":"1km"}}`, docs{
			`{"g":[43.6,3.9]}`, `{"g":"43.6, 3.9"}`, `{"g":"43.6,3.9"}`, `{"g":{"lat":43.6,"lon":3.9}}`, `{"g":{"lat":"43.6","lon":"3.9"}}`, `{"g":["43.6","3.9"]}`,
			`{"g":{"latLon":[43.6,3.9]}}`, `{"g":{"lat_lon":"43.6,3.9"}}`, `{"g":{"latLon":{"lat":43.6,"lon":3.9}}}`, `{"g":{"lat":43.6,"lon":3.9,"alt":9}}`,
		}, docs{`{}`, `{"g":[43.6]}`, `{"g":[3.9,43.6]}`, `{"g":"43.6"}`, `{"g":null}`, `{"g":1}`, `{"g":{"lat":43.6}}`, `{"g":[43.6,3.9,0]}`, `{"g":"spfb1a"}`, `{"g":"spf"}`}},
		{`{"not":{"geoDistance":{"g":[43.6,3.9],"distance":"1km"}}}`, docs{`{"g":[3.9,43.6]}`, `{"g":"u09t"}`}, docs{`{}`, `{"g":[43.6,3.9]}`, `{"g":"no point"}`, `{"g":null}`, `{"g":[91,0]}`, `{"g":[0,181]}`}},
		{`{"geoDistanceRange":{"g":[0,0],"from":"100km","to":"200km"}}`, docs{`{"g":[0,1.5]}`}, docs{`{"g":[0,0.5]}`, `{"g":[0,2]}`}},
		{`{"geoBoundingBox":{"g":{"top":10,"left":-5,"bottom":-10,"right":5}}}`, docs{`{"g":[0,0]}`, `{"g":[10,5]}`, `{"g":[-10,-5]}`}, docs{`{"g":[10.1,0]}`, `{"g":[0,5.1]}`, `{}`}},
		{`{"geoBoundingBox":{"g":{"top":10,"left":170,"bottom":-10,"right":-170}}}`, docs{`{"g":[0,175]}`, `{"g":[0,-175]}`, `{"g":[0,180]}`, `{"g":[0,-180]}`}, docs{`{"g":[0,0]}`, `{"g":[0,169]}`}},
		{`{"geoDistance":{"g":[0,179.9],"distance":"50km"}}`, docs{`{"g":[0,-179.9]}`, `{"g":[0,180]}`, `{"g":[0,-180]}`}, docs{`{"g":[0,-179]}`}},
		{`{"geoDistance":{"g":[89.9,0],"distance":"50km"}}`, docs{`{"g":[89.9,180]}`, `{"g":[90,77]}`}, docs{`{"g":[89,180]}`}},
		{`{"geoPolygon":{"g":{"points":[[0,0],"0, 10",{"lat":10,"lon":10},{"latLon":[10,0]}]}}}`, docs{`{"g":[5,5]}`, `{"g":[0,0]}`, `{"g":[0,5]}`, `{"g":[10,10]}`, `{"g":[5,0]}`}, docs{`{"g":[5,11]}`, `{"g":[-0.1,5]}`}},
		{`{"geoPolygon":{"g":{"points":[[0,0],[0,10],[10,10],[5,5],[10,0]]}}}`, docs{`{"g":[4,5]}`, `{"g":[5,5]}`, `{"g":[8,9]}`}, docs{`{"g":[8,5]}`}},

		{`{"and":[{"equals":{"a":1}},{"exists":"b"}]}`, docs{`{"a":1,"b":0}`}, docs{`{"a":1}`, `{"b":0}`}},
		{`{"or":[{"equals":{"a":1}},{"exists":"b"}]}`, docs{`{"a":1}`, `{"b":0}`, `{"a":1,"b":0}`}, docs{`{}`, `{"a":2}`}},
		{
			`{"bool":{"must":[{"exists":"a"}],"must_not":[{"equals":{"b":1}}],"should":[{"equals":{"c":1}},{"equals":{"c":2}}],"should_not":[{"exists":"d"},{"exists":"e"}]}}`,
			docs{`{"a":1,"c":2}`, `{"a":1,"c":1,"d":1}`},
			docs{`{"c":1}`, `{"a":1,"b":1,"c":1}`, `{"a":1}`, `{"a":1,"c":1,"d":1,"e":1}`},
		},
	} {
		for _, source := range c.match {
			if !matches(t, c.filter, "me", source) {
				t.Errorf("%s does not match %s", c.filter, source)
			}
		}
		for _, source := range c.no {
			if matches(t, c.filter, "me", source) {
				t.Errorf("%s matches %s", c.filter, source)
			}
		}
	}
}

// TestLongTexts: nothing is found in a text of more than 64 KiB, which is as a value of another type.
func TestLongTexts(t *testing.T) {
	const longest = 64 << 10
	source := func(n int) string {
		return `{"a":"` + strings.Repeat("x", n-3) + `end","l":["` + strings.Repeat("x", n) + `"]}`
	}
	found, negated := `{"regexp":{"a":"end$"}}`, `{"not":{"regexp":{"a":"end$"}}}`
	inside, notInside := `{"select":{"field":"l","index":0,"query":{"regexp":{"value":"x"}}}}`, `{"not":{"select":{"field":"l","index":0,"query":{"regexp":{"value":"x"}}}}}`
	for _, c := range []struct {
		filter      string
		short, long bool
	}{
		{found, true, false},
		{negated, false, true},
		{`{"regexp":{"a":""}}`, true, false},
		{inside, true, false},
		{notInside, false, true},
		{`{"or":[` + found + "," + negated + `]}`, true, true},
		{`{"and":[{"exists":"a"},` + negated + `]}`, false, true},
	} {
		if got := matches(t, c.filter, "", source(longest)); got != c.short {
			t.Errorf("%s: %v of a text of 64 KiB", c.filter, got)
		}
		if got := matches(t, c.filter, "", source(longest+1)); got != c.long {
			t.Errorf("%s: %v of a longer text", c.filter, got)
		}
	}
}

func TestADocumentWithoutAnID(t *testing.T) {
	if matches(t, `{"exists":"_id"}`, "", `{}`) || !matches(t, `{"ids":{"values":["x"]}}`, "", `{"_id":"x"}`) {
		t.Error("without an id, _id is what the source holds")
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	for _, source := range []string{`[]`, `1`, `{`, `{} {}`, `{"a":1,"a":2}`, `{"a":}`, "{\"a\":\"\xff\"}"} {
		if _, err := koncorde.NewDocument("", []byte(source)); err == nil {
			t.Errorf("%s is a document", source)
		}
	}
	for _, source := range []string{``, `null`, ` {} `} {
		if _, err := koncorde.NewDocument("", []byte(source)); err != nil {
			t.Errorf("%q: %v", source, err)
		}
	}
}
