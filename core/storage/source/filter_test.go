package source

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
)

type sourceTest struct{ source, want string }

const whole = `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`

// sourceTests are what Elasticsearch 8.14 makes of the document whole; it orders keys differently.
var sourceTests = []sourceTest{
	{`["a"]`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}}}`},
	{`["a.b"]`, `{"a":{"b":1}}`},
	{`["a.*"]`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}}}`},
	{`["a*"]`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5}`},
	{`["*.b"]`, `{"a":{"b":1}}`},
	{`["*b"]`, `{"ab":5}`},
	{`["a.c.e.f"]`, `{"a":{"c":{"e":[{"f":3}]}}}`},
	{`["a.c.e"]`, `{"a":{"c":{"e":[1,{"f":3,"g":4}]}}}`},
	{`["list.x"]`, `{"list":[{"x":1},[{"x":8}]]}`},
	{`["list.z"]`, `{"list":[[{"z":9}]]}`},
	{`["list"]`, `{"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]]}`},
	{`["li*"]`, `{"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]]}`},
	{`["empty"]`, `{"empty":{}}`},
	{`["empty.x"]`, `{}`},
	{`["el"]`, `{"el":[]}`},
	{`["el.x"]`, `{}`},
	{`["nul"]`, `{"nul":null}`},
	{`["dot.ted.q"]`, `{"dot.ted":{"q":1}}`},
	{`["dot.ted"]`, `{"dot.ted":{"q":1}}`},
	{`["dot"]`, `{"dot.ted":{"q":1}}`},
	{`["dot.*"]`, `{"dot.ted":{"q":1}}`},
	{`["num"]`, `{"num":1.50}`},
	{`["nothing"]`, `{}`},
	{`["o"]`, `{"o":{"p":{}}}`},
	{`["o.p"]`, `{"o":{"p":{}}}`},
	{`["o.p.q"]`, `{}`},
	{`["o.*"]`, `{"o":{"p":{}}}`},
	{`["*"]`, whole},
	{`[""]`, `{}`},
	{`[]`, whole},
	{`["a.b."]`, `{}`},
	{`["*.*"]`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"list":[{"x":1,"y":2},{"y":3},[{"x":8,"z":9}]],"dot.ted":{"q":1},"o":{"p":{}}}`},
	{`["**"]`, whole},
	{`{"excludes":["a"]}`, `{"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["a.b"]}`, `{"a":{"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["a.*"]}`, `{"a":{},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["a*"]}`, `{"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["*.b"]}`, `{"a":{"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["list.x"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"y":2},{"y":3},7,[{"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["list.*"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[7],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["list"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["empty"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["empty.*"]}`, whole},
	{`{"excludes":["el.*"]}`, whole},
	{`{"excludes":["dot.ted"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["dot.ted.q"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["dot"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["a.b","a.c"]}`, `{"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["a.c.d","a.c.e"]}`, `{"a":{"b":1},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["*"]}`, `{}`},
	{`{"excludes":[""]}`, whole},
	{`{"includes":["a"],"excludes":["a.c"]}`, `{"a":{"b":1}}`},
	{`{"includes":["a"],"excludes":["a.*"]}`, `{"a":{}}`},
	{`{"includes":["a.c"],"excludes":["a"]}`, `{}`},
	{`{"includes":["a.c.*"],"excludes":["*.d"]}`, `{"a":{"c":{"e":[1,{"f":3,"g":4}]}}}`},
	{`{"includes":["a.b","a.c"],"excludes":["a.b"]}`, `{"a":{"c":{"d":2,"e":[1,{"f":3,"g":4}]}}}`},
	{`{"includes":["a.b"],"excludes":["a.b"]}`, `{}`},
	{`{"includes":["list.*"],"excludes":["list.y"]}`, `{"list":[{"x":1},[{"x":8,"z":9}]]}`},
	{`{"includes":["list.y"],"excludes":["list.x"]}`, `{"list":[{"y":2},{"y":3}]}`},
	{`{"includes":["el*"],"excludes":["x"]}`, `{"el":[]}`},
	{`{"includes":["em*","o.p"],"excludes":["x"]}`, `{"empty":{},"o":{"p":{}}}`},
	{`{"excludes":["o.p"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"f":3,"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50}`},
	{`{"excludes":["a.c.e.f"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1,{"g":4}]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
	{`{"excludes":["a.c.e.*"]}`, `{"a":{"b":1,"c":{"d":2,"e":[1]}},"ab":5,"list":[{"x":1,"y":2},{"y":3},7,[{"x":8,"z":9}]],"empty":{},"el":[],"nul":null,"dot.ted":{"q":1},"num":1.50,"o":{"p":{}}}`},
}

// hollow is what is easily emptied.
const hollow = `{"o":[{"t":1}],"p":[{"t":1},{}],"q":[[{"t":1}],[]],"r":{"s":{"t":1}},"u":[{"t":1},{"v":2}],"w":[],"x":{"y":[{"t":1}]}}`

var hollowTests = []sourceTest{
	{`{"excludes":["o.t"],"includes":["o"]}`, `{}`},
	{`{"excludes":["o.t"]}`, `{"p":[{"t":1},{}],"q":[[{"t":1}],[]],"r":{"s":{"t":1}},"u":[{"t":1},{"v":2}],"w":[],"x":{"y":[{"t":1}]}}`},
	{`{"excludes":["p.t"]}`, `{"o":[{"t":1}],"q":[[{"t":1}],[]],"r":{"s":{"t":1}},"u":[{"t":1},{"v":2}],"w":[],"x":{"y":[{"t":1}]}}`},
	{`{"excludes":["q.t"]}`, `{"o":[{"t":1}],"p":[{"t":1},{}],"r":{"s":{"t":1}},"u":[{"t":1},{"v":2}],"w":[],"x":{"y":[{"t":1}]}}`},
	{`{"excludes":["p.t"],"includes":["p"]}`, `{}`},
	{`{"excludes":["w.t"],"includes":["w"]}`, `{}`},
	{`{"excludes":["r.s.t"],"includes":["r"]}`, `{}`},
	{`{"excludes":["u.t"],"includes":["u"]}`, `{"u":[{"v":2}]}`},
	{`{"excludes":["x.y.t"],"includes":["x.y"]}`, `{}`},
	{`{"excludes":["o.t*"],"includes":["o"]}`, `{"o":[]}`},
	{`{"excludes":["p.t*"],"includes":["p","w"]}`, `{"p":[],"w":[]}`},
	{`{"excludes":["q.t*"],"includes":["q"]}`, `{"q":[]}`},
	{`{"excludes":["x.y.t*"],"includes":["x"]}`, `{"x":{"y":[]}}`},
	{`{"excludes":["r.s.t*"],"includes":["r"]}`, `{"r":{"s":{}}}`},
	{`{"excludes":["u.t*","o*","p*"]}`, `{"q":[[{"t":1}],[]],"r":{"s":{"t":1}},"u":[{"v":2}],"w":[],"x":{"y":[{"t":1}]}}`},
}

func TestFilter(t *testing.T) {
	for document, tests := range map[string][]sourceTest{whole: sourceTests, hollow: hollowTests} {
		for _, test := range tests {
			body, err := query.ParseSearch(jsontext.Value(`{"_source":` + test.source + `}`))
			if err != nil {
				t.Fatal(err)
			}
			got := jsontext.Value(document)
			if filter := NewFilter(body.Source); filter != nil {
				if got, err = filter.Apply(got); err != nil {
					t.Fatal(err)
				}
			}
			if string(got) != test.want {
				t.Errorf("%s gave\n%s, want\n%s", test.source, got, test.want)
			}
		}
	}
}

// A pattern of many wildcards takes no longer than the lengths say.
func TestWildcard(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"*", "", true},
		{"**", "abc", true},
		{"a*c", "abbc", true},
		{"a*c", "abcd", false},
		{"*b*", "abc", true},
		{"a*b*c", "axbxbxc", true},
		{"a", "", false},
		{"", "a", false},
		{"*ab", "aab", true},
		{"a**", "a", true},
	} {
		if got := wildcard(test.pattern, test.text); got != test.want {
			t.Errorf("wildcard(%q, %q) = %v", test.pattern, test.text, got)
		}
	}
}
