package source

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
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
				if got, err = filter.Apply(t.Context(), got); err != nil {
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
		if got := new(matcher).wildcard(test.pattern, test.text); got != test.want {
			t.Errorf("wildcard(%q, %q) = %v", test.pattern, test.text, got)
		}
	}
}

// TestFilterOfManyStars: what comparing costs grows with the lengths only, and is bounded, and ends with the request.
func TestFilterOfManyStars(t *testing.T) {
	deep := `{"` + strings.Repeat("a.", 59) + `a":1,"b":{"zz":2}}`
	for _, test := range []struct{ pattern, want string }{
		{strings.Repeat("**.", 30) + "zz", `{"b":{"zz":2}}`},
		{strings.Repeat("**.a.", 20) + "zz", `{}`},
		{strings.Repeat("**.", 30) + "b", `{"b":{"zz":2}}`},
		{"**.a.**.a.a.**", `{"` + strings.Repeat("a.", 59) + `a":1}`},
	} {
		start := time.Now()
		got, err := NewFilter(query.Source{Includes: []string{test.pattern}}).Apply(t.Context(), jsontext.Value(deep))
		if err != nil || string(got) != test.want {
			t.Errorf("%s gave %s, %v", test.pattern, got, err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %s", test.pattern, took)
		}
	}
	endless := NewFilter(query.Source{Includes: []string{strings.Repeat("**."+strings.Repeat("a.", 10_000)+"b.", 2)}})
	long := jsontext.Value(`{"` + strings.Repeat("a.", 100_000) + `a":1,"b":1}`)
	if _, err := endless.Apply(t.Context(), long); !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
		t.Errorf("what takes too long gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := endless.Apply(ctx, long); !errors.Is(err, context.Canceled) {
		t.Errorf("a request that is over gave %v", err)
	}
}

// FuzzAbove compares the match of names with one that tries everything.
func FuzzAbove(f *testing.F) {
	for _, s := range [][2]string{{"**.a", "b.a"}, {"**.**.z", "a.a.a.z.b"}, {"a.**.b*.**.c", "a.x.bb.y.c"}, {"", ""}, {"**", "."}, {"**.a..", "..a."}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		names := strings.Split(pattern, ".")
		if len(names) > 8 || len(path) > 30 {
			return
		}
		if got, want := new(matcher).above(names, path), tryAll(names, path); got != want {
			t.Errorf("above(%q, %q) = %v", names, path, got)
		}
	})
}

func tryAll(names []string, path string) bool {
	if len(names) == 0 || names[0] == "**" && tryAll(names[1:], path) {
		return true
	}
	if path == "" {
		return false
	}
	name, rest, _ := strings.Cut(path, ".")
	if names[0] == "**" {
		return tryAll(names, rest)
	}
	return new(matcher).wildcard(names[0], name) && tryAll(names[1:], rest)
}
