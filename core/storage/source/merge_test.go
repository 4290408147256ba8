package source

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func TestMergeKeepsOrderAndBytes(t *testing.T) {
	for _, c := range []struct{ old, partial, want string }{
		{`{"b":1,"a":2}`, `{"c":3,"a":4}`, `{"b":1,"a":4,"c":3}`},
		{`{"a":{"z":1,"y":2}}`, `{"a":{"x":3,"z":4}}`, `{"a":{"z":4,"y":2,"x":3}}`},
		{`{"n":1.0,"e":1E2,"i":9007199254740993}`, `{"m":1.50}`, `{"n":1.0,"e":1E2,"i":9007199254740993,"m":1.50}`},
		{`{ "a" : [ 1 , 2 ] }`, `{ "b" : { "c" : 1 } }`, `{"a":[ 1 , 2 ],"b":{ "c" : 1 }}`},
		{`{"\u0061":1}`, `{"a":2}`, `{"\u0061":2}`},
		{`{}`, `{}`, `{}`},
	} {
		got, err := Merge(jsontext.Value(c.old), jsontext.Value(c.partial))
		if err != nil || string(got) != c.want {
			t.Errorf("Merge(%s, %s) = %s, %v; want %s", c.old, c.partial, got, err, c.want)
		}
	}
}

// TestMergeDeep: nesting as deep as JSON may be here costs no more than its length.
func TestMergeDeep(t *testing.T) {
	deep := func(leaf string) jsontext.Value {
		const depth = 9_990
		return jsontext.Value(strings.Repeat(`{"a":`, depth) + leaf + strings.Repeat("}", depth))
	}
	start := time.Now()
	got, err := Merge(deep(`{"x":1}`), deep(`{"y":2}`))
	if err != nil || !bytes.Equal(got, deep(`{"x":1,"y":2}`)) {
		t.Errorf("Merge of deep objects: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Merge of deep objects took %s", took)
	}
}

// FuzzMerge compares Merge with the same thing done on maps.
func FuzzMerge(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1}`, `{"a":{"b":[1,{"c":null}]}}`, `{"\u0061":9007199254740993}`, ` { "a" : { } } `, `{"":"😀"}`} {
		f.Add(s, `{"a":{"b":2,"d":{}}}`)
		f.Add(`{"a":{"b":2,"d":{}},"e":true}`, s)
	}
	f.Fuzz(func(t *testing.T, old, partial string) {
		a, b := jsontext.Value(old).Clone(), jsontext.Value(partial).Clone()
		if a.Kind() != '{' || !a.IsValid() || b.Kind() != '{' || !b.IsValid() {
			return
		}
		got, err := Merge(a, b)
		if err != nil {
			t.Fatalf("Merge(%s, %s): %v", old, partial, err)
		}
		if !got.IsValid() || got.Kind() != '{' {
			t.Fatalf("Merge(%s, %s) = %s, not a JSON object", old, partial, got)
		}
		if string(a) != old || string(b) != partial {
			t.Fatalf("Merge changed its arguments")
		}
		if want := flat(t, naiveMerge(t, a, b)); flat(t, got) != want {
			t.Errorf("Merge(%s, %s) = %s, want %s", old, partial, got, want)
		}
	})
}

func naiveMerge(t *testing.T, old, partial jsontext.Value) jsontext.Value {
	if old.Kind() != '{' || partial.Kind() != '{' {
		return partial
	}
	var a, b map[string]jsontext.Value
	must(t, json.Unmarshal(old, &a))
	must(t, json.Unmarshal(partial, &b))
	for k, v := range b {
		a[k] = naiveMerge(t, a[k], v)
	}
	all, err := json.Marshal(a)
	must(t, err)
	return all
}

// flat spells objects with sorted names and without white space; numbers stay as they are.
func flat(t *testing.T, v jsontext.Value) string {
	out, err := jsontext.AppendFormat(nil, []byte(v), jsontext.ReorderRawObjects(true), jsontext.CanonicalizeRawInts(false))
	must(t, err)
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
