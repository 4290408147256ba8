package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// properties gives the properties of m as JSON.
func properties(m *Mapping) string {
	text := string(m.JSON(true))
	return text[strings.Index(text, `"properties":`)+len(`"properties":`) : len(text)-1]
}

const stringField = `{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}`

// What a real Elasticsearch 8.14 makes of the first document of an index. ! is a conflict.
func TestGrow(t *testing.T) {
	day := `{"type":"date","format":"yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"}`
	for _, c := range [][2]string{
		{`"s"`, stringField},
		{`""`, stringField},
		{`"2020"`, stringField},
		{`"12345678901234"`, stringField},
		{`"1.5"`, stringField},
		{`"1e5"`, stringField},
		{`"NaN"`, stringField},
		{`" 2020-01-01"`, stringField},
		{`"2020-W01"`, stringField},
		{`"T10:00"`, stringField},
		{`"12345-01-01"`, stringField},
		{`"2020-01-01"`, `{"type":"date"}`},
		{`"2020-01"`, `{"type":"date"}`},
		{`"2020-01-01T00:00:00Z"`, `{"type":"date"}`},
		{`"2020/01/01"`, day},
		{`"2020/01/01 10:00:00"`, day},
		{`true`, `{"type":"boolean"}`},
		{`1`, `{"type":"long"}`},
		{`1.5`, `{"type":"float"}`},
		{`1e3`, `{"type":"float"}`},
		{`null`, ""},
		{`[]`, ""},
		{`[null]`, ""},
		{`[[],null]`, ""},
		{`[null,1]`, `{"type":"long"}`},
		{`[[1,[2]]]`, `{"type":"long"}`},
		{`{}`, `{"type":"object"}`},
		{`[{}]`, `{"type":"object"}`},
		{`{"b":null}`, `{"type":"object"}`},
		{`[{"b":1},{"c":2}]`, `{"properties":{"b":{"type":"long"},"c":{"type":"long"}}}`},
		{`{"b.c":{"d.e":1}}`, `{"properties":{"b":{"properties":{"c":{"properties":{"d":{"properties":{"e":{"type":"long"}}}}}}}}}`},
		{`[1,1.5]`, "!"},
		{`[1.5,1]`, "!"},
		{`[1,"foo"]`, "!"},
		{`["foo",1]`, "!"},
		{`["2020-01-01","foo"]`, "!"},
		{`["foo","2020-01-01"]`, "!"},
		{`["2020-01-01","2020/01/01"]`, "!"},
		{`[1,{"b":1}]`, "!"},
		{`[{"b":1},1]`, "!"},
		{`[{"b":1},{"b":"x","c":2}]`, "!"},
	} {
		m := parse(t, `{"dynamic":true}`)
		_, grown, err := show(m, `{"a":`+c[0]+`}`)
		switch {
		case c[1] == "!":
			is(t, err, kerror.ServicesStorageCannotChangeMapping, "a")
		case err != nil:
			t.Errorf("%s: %v", c[0], err)
		case c[1] == "" && grown != nil || c[1] != "" && (grown == nil || properties(grown) != `{"a":`+c[1]+`}`):
			t.Errorf("%s: %v, want %s", c[0], grown, c[1])
		}
	}
}

func TestGrowYieldsTheNewFields(t *testing.T) {
	m := parse(t, `{"dynamic":"true","properties":{"n":{"type":"nested"}}}`)
	got, grown, err := show(m, `{"x":1,"y":["a","b"],"n":[{"k":true},{"k":false}],"p.q":9007199254740993,"none":null}`)
	want := "x=1 y=a y.keyword=a y=b y.keyword=b n.k@1=1 n.k@2=0 p.q=9007199254740993"
	if err != nil || got != want {
		t.Fatalf("%q, %v", got, err)
	}
	if again, more, err := show(grown, `{"x":2,"n":{"k":true}}`); err != nil || more != nil || again != "x=2 n.k@1=1" {
		t.Errorf("%q, %v, %v", again, more, err)
	}
	if m.Field("x") != nil || m.Len() != 1 {
		t.Error("the old mapping has changed")
	}
	// The value that made the field can be one that does not fit it.
	_, _, err = show(m, `{"x":9223372036854775808}`)
	is(t, err, kerror.ServicesStorageUnexpectedBadRequest, "out of range")
}

func TestDynamicAtEveryLevel(t *testing.T) {
	m := parse(t, `{"dynamic":"false","properties":{"o":{"dynamic":"true","properties":{"h":{"properties":{}},"p":{"dynamic":"strict","properties":{
		"x":{"type":"long"},"deep":{"properties":{}},"free":{"dynamic":true,"type":"object"}}}}}}}`).For("i", "c")
	for _, c := range [][2]string{
		{`{"z":1,"zz":{"o":1},"z.z":1}`, ""},
		{`{"o":{"n":"v","p":{"x":1}}}`, "o.n"},
		{`{"o.q":1}`, "o.q"},
		{`{"o":{"h":{"i":{"j":1}}}}`, "o.h.i.j"},
		{`{"o.p":{"x":2}}`, ""},
		{`{"o":{"p":{"free":{"y":1}}}}`, "o.p.free.y"},
		{`{"o":{"p":{"y":1}}}`, "!o.p.y"},
		{`{"o":{"p":{"y":null}}}`, "!o.p.y"},
		{`{"o":{"p":{"y":[]}}}`, "!o.p.y"},
		{`{"o.p.y":1}`, "!o.p.y"},
		{`{"o":{"p":{"deep":{"y":1}}}}`, "!o.p.deep.y"},
		{`{"o":{"n":1,"p":{"y":1}}}`, "!o.p.y"},
	} {
		_, grown, err := show(m, c[0])
		if path, refusal := strings.CutPrefix(c[1], "!"); refusal {
			is(t, err, kerror.ServicesStorageStrictMappingRejection, path, "i", "c")
			continue
		}
		if err != nil || (grown != nil) != (c[1] != "") || grown != nil && grown.Field(c[1]) == nil {
			t.Errorf("%s: %v, %v", c[0], grown, err)
		}
	}
}

func TestCopyToWhatIsNotMapped(t *testing.T) {
	k := `"properties":{"k":{"type":"keyword","copy_to":["zz","y.z"]}}}`
	got, grown, err := show(parse(t, `{"dynamic":"true",`+k), `{"k":"x"}`)
	if err != nil || got != "k=x zz=x zz.keyword=x y.z=x y.z.keyword=x" || grown.Field("y.z").Type != Text {
		t.Errorf("%q, %v", got, err)
	}
	_, _, err = show(parse(t, `{"dynamic":"strict",`+k), `{"k":"x"}`)
	is(t, err, kerror.ServicesStorageStrictMappingRejection, "zz")
}

func TestGrowIsBounded(t *testing.T) {
	m := parse(t, `{"dynamic":true}`)
	deep := func(n int) string { return strings.Repeat(`{"o":`, n) + "1" + strings.Repeat("}", n) }
	wide := func(n int, v string) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"f%d":%s`, i, v))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
	for _, doc := range []string{deep(20), wide(1000, "1"), wide(500, `"s"`)} {
		if _, grown, err := show(m, doc); err != nil || grown == nil {
			t.Errorf("%.40s: %v", doc, err)
		}
	}
	for _, doc := range []string{deep(21), deep(900), wide(1001, "1"), wide(501, `"s"`), wide(5000, "{}")} {
		_, _, err := show(m, doc)
		is(t, err, kerror.ServicesStorageUnexpectedBadRequest, "more than")
	}
	_, _, err := show(m, `{"a":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`)
	is(t, err, kerror.ServicesStorageUnexpectedBadRequest, "more than 1000 levels")
	for _, doc := range []string{`{"a":1`, `{"a":{"b":[1,}}`, `{"a":1}x`, `{"a":1,"a":1}`} {
		_, _, err := show(m, doc)
		is(t, err, kerror.ServicesStorageUnexpectedBadRequest)
	}
	if _, _, err := show(parse(t, `{}`), deep(900)); err != nil {
		t.Error(err)
	}
}

func TestGrownMappingsMerge(t *testing.T) {
	m := Common()
	m, err := m.Merge(parse(t, `{"dynamic":true}`))
	if err != nil {
		t.Fatal(err)
	}
	var d Document
	if err := m.Fields(jsontext.Value(`{"_kuzzle_info":{"author":"u","createdAt":1,"updatedAt":null,"updater":null},"x":1}`), &d); err != nil {
		t.Fatal(err)
	}
	if d.Grown.Field("x") == nil || d.Grown.Field("_kuzzle_info.updater") == nil || len(d.Values) != 3 {
		t.Errorf("%s, %v", d.Grown.JSON(true), d.Values)
	}
}
