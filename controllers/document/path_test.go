package document

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestDropFields(t *testing.T) {
	const source = `{"a":{"b":1,"c":{"d":1.0}},"l":[{"x":1,"y":2},[1,2]],"e.f":1,"a.b":9,"":1,"q\"":1,"é":1}`
	const nameless = `{"a":{"b":1,"c":{"d":1.0}},"l":[{"x":1,"y":2},[1,2]],"e.f":1,"a.b":9,"q\"":1,"é":1}` // without the name ""
	for _, c := range []struct{ path, want string }{
		{"a.c.d", `{"a":{"b":1,"c":{}},"l":[{"x":1,"y":2},[1,2]],"e.f":1,"a.b":9,"":1,"q\"":1,"é":1}`},
		{"a.b", `{"a":{"b":1,"c":{"d":1.0}},"l":[{"x":1,"y":2},[1,2]],"e.f":1,"":1,"q\"":1,"é":1}`},
		{"a['b']", `{"a":{"c":{"d":1.0}},"l":[{"x":1,"y":2},[1,2]],"e.f":1,"a.b":9,"":1,"q\"":1,"é":1}`},
		{"l[0].x", `{"a":{"b":1,"c":{"d":1.0}},"l":[{"y":2},[1,2]],"e.f":1,"a.b":9,"":1,"q\"":1,"é":1}`},
		{"l.0.x", `{"a":{"b":1,"c":{"d":1.0}},"l":[{"y":2},[1,2]],"e.f":1,"a.b":9,"":1,"q\"":1,"é":1}`},
		{"l[1][0]", `{"a":{"b":1,"c":{"d":1.0}},"l":[{"x":1,"y":2},[null,2]],"e.f":1,"a.b":9,"":1,"q\"":1,"é":1}`},
		{`["q\""]`, `{"a":{"b":1,"c":{"d":1.0}},"l":[{"x":1,"y":2},[1,2]],"e.f":1,"a.b":9,"":1,"é":1}`},
		{"é", `{"a":{"b":1,"c":{"d":1.0}},"l":[{"x":1,"y":2},[1,2]],"e.f":1,"a.b":9,"":1,"q\"":1}`},
		{"", nameless},
		{"l[7]", source},
		{"l[-1]", source},
		{"l.x", source},
		{"a.b.c", source},
		{"z.y", source},
		{"[", nameless},
		{`["`, nameless},
		{`['a`, `{"l":[{"x":1,"y":2},[1,2]],"e.f":1,"a.b":9,"":1,"q\"":1,"é":1}`},
		{"_kuzzle_info", source},
	} {
		got, err := dropFields([]byte(source), []string{c.path})
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s %v\nwant %s", c.path, got, err, c.want)
		}
	}
}

func FuzzDropFields(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":2}]}}`, "a.b[1].c")
	f.Add(`{"a":1}`, `["a`)
	f.Fuzz(func(t *testing.T, source, path string) {
		got, err := dropFields([]byte(source), []string{path})
		if err == nil && isObject(source) && !isObject(string(got)) {
			t.Errorf("%s without %q is %s", source, path, got)
		}
	})
}

func isObject(s string) bool {
	v := jsontext.Value(s)
	return v.IsValid() && v.Kind() == '{'
}
