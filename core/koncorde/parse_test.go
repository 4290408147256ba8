package koncorde_test

import (
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/koncorde"
)

func TestFiltersThatAreRefused(t *testing.T) {
	for _, c := range []struct{ raw, message string }{
		{`{`, "invalid JSON"},
		{`{} {}`, "something follows"},
		{`[]`, "must be an object with one keyword, not an array"},
		{`"a"`, "not a string"},
		{`{"equals":{"a":1},"exists":"b"}`, "exactly one keyword, this one has 2 (equals, exists)"},
		{`{"equals":{"a":1},"equals":{"a":1}}`, "duplicate"},
		{`{"everything":{}}`, `unknown keyword "everything"`},
		{`{"Equals":{"a":1}}`, `unknown keyword "Equals"`},

		{`{"equals":1}`, "equals: must be an object with one field, not a number"},
		{`{"equals":{}}`, "exactly one field"},
		{`{"equals":{"a":1,"b":2}}`, "exactly one field, this one has 2 (a, b)"},
		{`{"equals":{"a":[1]}}`, `"a" must be a string, a number, a boolean or null, not an array`},
		{`{"equals":{"a":{"b":1}}}`, "not an object"},
		{`{"equals":{"":1}}`, "name of the field is empty"},

		{`{"in":{"a":"x"}}`, "must be an array of strings"},
		{`{"in":{"a":[]}}`, "not empty"},
		{`{"in":{"a":[1]}}`, "strings only, not a number"},
		{`{"in":{"a":["x"],"b":["y"]}}`, "exactly one field"},
		{`{"ids":{"values":[]}}`, "not empty"},
		{`{"ids":{"values":[""]}}`, "values[0] is empty"},
		{`{"ids":{"values":[1]}}`, "strings only"},
		{`{"ids":{"value":["x"]}}`, `"values" alone`},
		{`{"ids":["x"]}`, `"values" alone`},

		{`{"exists":1}`, "must be a string, not a number"},
		{`{"exists":""}`, "name of the field is empty"},
		{`{"exists":"[1]"}`, "name of the field is empty"},
		{`{"exists":"a[1"}`, "closing bracket"},
		{`{"exists":"a[1]x"}`, "closing bracket"},
		{`{"exists":"a]"}`, "bracket that was not opened"},
		{`{"exists":"a[]"}`, "in its brackets"},
		{`{"exists":"a[x]"}`, "in its brackets"},
		{`{"exists":"a[[1]]"}`, "in its brackets"},
		{`{"exists":"a[{}]"}`, "in its brackets"},
		{`{"exists":{"field":"a","x":1}}`, `"field" alone`},
		{`{"missing":{"path":"a"}}`, `"field" alone`},

		{`{"range":{"a":{}}}`, "some of gt, gte, lt and lte"},
		{`{"range":{"a":1}}`, "some of gt, gte, lt and lte"},
		{`{"range":{"a":{"gt":"1"}}}`, "gt must be a number, not a string"},
		{`{"range":{"a":{"gt":1,"gte":1}}}`, "one lower and one upper"},
		{`{"range":{"a":{"lt":1,"lte":1}}}`, "one lower and one upper"},
		{`{"range":{"a":{"gt":1,"eq":1}}}`, `unknown bound "eq"`},
		{`{"range":{"a":{"gte":1,"lte":1}}}`, "less than"},
		{`{"range":{"a":{"gt":2,"lt":1}}}`, "less than"},
		{`{"range":{"a":{"gt":1},"b":{"gt":1}}}`, "exactly one field"},

		{`{"regexp":{"a":"("}}`, "invalid regular expression"},
		{`{"regexp":{"a":"(?=x)"}}`, "invalid regular expression"},
		{`{"regexp":{"a":".{400}.{400}"}}`, "more than 750"},
		{`{"regexp":{"a":"` + strings.Repeat("x", 4097) + `"}}`, "longer than 4096 bytes"},
		{`{"regexp":{"a":1}}`, "must be a regular expression"},
		{`{"regexp":{"a":{"flags":"i"}}}`, `"value" is missing`},
		{`{"regexp":{"a":{"value":"x","flags":"q"}}}`, `unknown flag in "q"`},
		{`{"regexp":{"a":{"value":"x","flags":1}}}`, `unexpected "flags"`},
		{`{"regexp":{"a":{"value":"x","x":""}}}`, `unexpected "x"`},

		{`{"match":{}}`, "not empty"},
		{`{"match":[1]}`, "must be an object"},

		{`{"select":{"field":"a","index":0}}`, "field, index and query"},
		{`{"select":{"field":"a","index":0,"query":{},"x":1}}`, "field, index and query"},
		{`{"select":{"field":"a","index":0,"query":{}}}`, "query: a filter must have exactly one keyword"},
		{`{"select":{"field":"a","index":0.5,"query":{"exists":"value"}}}`, "whole number"},
		{`{"select":{"field":"a","index":"0","query":{"exists":"value"}}}`, "whole number"},
		{`{"select":{"field":"","index":0,"query":{"exists":"value"}}}`, "name of a field"},
		{`{"select":{"field":"a","index":0,"query":{"equals":{}}}}`, "select: query: equals: must have exactly one field"},

		{`{"and":[]}`, "at least one filter"},
		{`{"and":{}}`, "array of filters, not an object"},
		{`{"or":[{}]}`, "or: [0]: a filter must have exactly one keyword"},
		{`{"or":[{"exists":"a"},1]}`, "or: [1]: a filter must be an object"},
		{`{"not":{}}`, "exactly one keyword"},
		{`{"not":[{"exists":"a"}]}`, "must be an object"},
		{`{"bool":{}}`, "must, must_not, should and should_not"},
		{`{"bool":{"mustnt":[]}}`, `unknown attribute "mustnt"`},
		{`{"bool":{"must":{"exists":"a"}}}`, "array of filters"},
		{`{"bool":{"must":[{"exists":1}]}}`, "bool: must: [0]: exists:"},

		{`{"geoDistance":{"g":[1,2]}}`, "and one field"},
		{`{"geoDistance":{"g":[1,2],"h":[1,2]}}`, `"distance" is missing`},
		{`{"geoDistance":{"g":[1,2],"distance":5}}`, "distance must be a text"},
		{`{"geoDistance":{"g":[1,2],"distance":""}}`, "distance must be a text"},
		{`{"geoDistance":{"g":[1,2],"distance":"far"}}`, `"far" is not a distance`},
		{`{"geoDistance":{"g":[1],"distance":"1m"}}`, "must be a point"},
		{`{"geoDistance":{"g":[91,0],"distance":"1m"}}`, "must be a point"},
		{`{"geoDistance":{"g":{"lat":1},"distance":"1m"}}`, "must be a point"},
		{`{"geoDistanceRange":{"g":[1,2],"from":"1km","to":"1000m"}}`, "from must be less than to"},
		{`{"geoDistanceRange":{"g":[1,2],"from":"1km"}}`, "and one field"},
		{`{"geoDistanceRange":{"g":[1,2],"from":"1km","too":"2km"}}`, `"to" is missing`},
		{`{"geoBoundingBox":{"g":{"top":1,"left":0,"bottom":0}}}`, "top, left, bottom and right"},
		{`{"geoBoundingBox":{"g":[1,2]}}`, "must be an object"},
		{`{"geoBoundingBox":{"g":{"top":"x","left":0,"bottom":0,"right":1}}}`, "corners"},
		{`{"geoBoundingBox":{"g":{"top":0,"left":0,"bottom":1,"right":1}}}`, "top must not be below"},
		{`{"geoBoundingBox":{"g":{"topLeft":[0,0],"bottom_right":[1,1]}}}`, "topLeft and bottomRight"},
		{`{"geoPolygon":{"g":{"points":[[0,0],[1,1]]}}}`, "three different points"},
		{`{"geoPolygon":{"g":{"points":[[0,0],[1,1],[0,0],[0,0]]}}}`, "three different points"},
		{`{"geoPolygon":{"g":{"points":[[0,0],[1,1],"x"]}}}`, "points[2] must be a point"},
		{`{"geoPolygon":{"g":[[0,0],[1,1],[0,1]]}}`, `"points"`},
	} {
		_, err := koncorde.Parse([]byte(c.raw))
		if err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: error %v, want %q", c.raw, err, c.message)
		}
	}
}

func TestBoundsOfAParser(t *testing.T) {
	deep := func(n int) string {
		return strings.Repeat(`{"not":`, n) + `{"exists":"a"}` + strings.Repeat("}", n)
	}
	values := func(n int) string { return `{"in":{"a":["x"` + strings.Repeat(`,"x"`, n-1) + `]}}` }
	for _, c := range []struct {
		name    string
		parser  koncorde.Parser
		raw     string
		refused string
	}{
		{"deep enough", koncorde.Parser{MaxDepth: 3}, deep(2), ""},
		{"too deep", koncorde.Parser{MaxDepth: 3}, deep(3), "deeper than 3"},
		{"too deep by default", koncorde.Parser{}, deep(64), "deeper than 64"},
		{"conditions", koncorde.Parser{MaxConditions: 3}, values(3), ""},
		{"too many", koncorde.Parser{MaxConditions: 3}, values(4), "may hold 3 conditions"},
		{"too many by default", koncorde.Parser{}, values(1001), "may hold 1000 conditions"},
		{"values of a match", koncorde.Parser{MaxConditions: 3}, `{"match":{"a":[1,2,3]}}`, "may hold 3 conditions"},
		{"containers of a match", koncorde.Parser{}, `{"match":{"a":[{}` + strings.Repeat(",{}", 100) + `]}}`, "100 objects and arrays"},
		{"bytes", koncorde.Parser{MaxBytes: 20}, `{"exists":"aaaaaaaaaaaaaaaaa"}`, "may have 20 bytes"},
	} {
		_, err := c.parser.Parse([]byte(c.raw))
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.refused)
		}
	}
}
