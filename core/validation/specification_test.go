package validation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/validation"
)

// TestProblems reads specifications that are wrong. want is a part of each problem, in order.
func TestProblems(t *testing.T) {
	field := func(declaration string) string { return `{"fields":{"f":{` + declaration + `}}}` }
	for _, c := range []struct {
		spec string
		want []string
	}{
		{`[]`, []string{`"specification" in the specification; expected: object`}},
		{`{"strict":true,"strict":false}`, []string{"expected: object"}},
		{`{`, []string{"expected: object"}},
		{`null`, []string{"expected: object"}},
		{``, []string{"expected: object"}},
		{`{"field":{},"rules":1}`, []string{`"specification" has unknown properties; allowed: strict, fields, validators`}},
		{`{"strict":1,"fields":[],"validators":{}}`, []string{`"strict"`, `"fields"`, `"validators"`}},
		{`{"fields":{"f":1}}`, []string{`"f" in the specification; expected: object`, `"f" has no type`}},
		{`{"fields":{"f":null}}`, []string{`"f" in the specification; expected: object`, `"f" has no type`}},
		{field(``), []string{`"f" has no type`}},
		{field(`"type":null`), []string{`"f" has no type`}},
		{field(`"type":""`), []string{`"f" has no type`}},
		{field(`"type":5`), []string{`"f.type" in the specification; expected: string`}},
		{field(`"type":"keyword"`), []string{`"f" has the unknown type "keyword"`}},
		{field(`"type":"string","tpye":1`), []string{`"f" has unknown properties`}},
		{field(`"type":"string","mandatory":"yes"`), []string{`"f.mandatory" in the specification; expected: boolean`}},
		{field(`"type":"string","description":1`), []string{`"f.description"`}},
		{field(`"type":"string","multivalued":true`), []string{`"f.multivalued" in the specification; expected: object`}},
		{field(`"type":"string","multivalued":{}`), []string{`"f", multivalued needs a value`}},
		{field(`"type":"string","multivalued":{"value":"yes"}`), []string{`"f.multivalued.value"`}},
		{field(`"type":"string","multivalued":{"value":false,"minCount":1,"maxCount":2}`), []string{`so "minCount" makes no sense`, `so "maxCount" makes no sense`}},
		{field(`"type":"string","multivalued":{"value":true,"minCount":-1,"maxCount":1.5}`), []string{"minCount", "maxCount"}},
		{field(`"type":"string","multivalued":{"value":true,"minCount":3,"maxCount":2}`), []string{"3 is above 2"}},
		{field(`"type":"string","multivalued":{"value":true,"count":2}`), []string{"allowed: value, minCount, maxCount"}},
		{field(`"type":"string","typeOptions":[]`), []string{`"f.typeOptions"`}},
		{field(`"type":"string","typeOptions":{"range":{}}`), []string{`"f.typeOptions" has unknown properties; allowed: length`}},
		{field(`"type":"boolean","typeOptions":{"strict":true}`), []string{`"f.typeOptions" has unknown properties`}},
		{field(`"type":"string","typeOptions":{"length":5}`), []string{`"f.typeOptions.length"`}},
		{field(`"type":"string","typeOptions":{"length":{"min":2,"max":1}}`), []string{"2 is above 1"}},
		{field(`"type":"string","typeOptions":{"length":{"min":"2"}}`), []string{"length.min"}},
		{field(`"type":"string","typeOptions":{"length":{"max":99999999999999999999}}`), []string{"length.max"}},
		{field(`"type":"integer","typeOptions":{"range":{"min":"1","max":true}}`), []string{"range.min", "range.max"}},
		{field(`"type":"numeric","typeOptions":{"range":{"min":1.5,"max":1.25}}`), []string{"1.5 is above 1.25"}},
		{field(`"type":"integer","typeOptions":{"range":{"min":9007199254740993,"max":9007199254740992}}`), []string{"is above"}},
		{field(`"type":"numeric","typeOptions":{"range":[1,2]}`), []string{"typeOptions.range"}},
		{field(`"type":"email","typeOptions":{"notEmpty":1}`), []string{"notEmpty"}},
		{field(`"type":"enum"`), []string{"An enum needs its values"}},
		{field(`"type":"enum","typeOptions":{"values":[]}`), []string{"typeOptions.values"}},
		{field(`"type":"enum","typeOptions":{"values":["a",1]}`), []string{"typeOptions.values"}},
		{field(`"type":"date","typeOptions":{"formats":["date","{{","date_timer"]}`), []string{"Unknown date formats: {{, date_timer"}},
		{field(`"type":"date","typeOptions":{"formats":"date"}`), []string{"typeOptions.formats"}},
		{field(`"type":"date","typeOptions":{"formats":[]}`), []string{"typeOptions.formats"}},
		{field(`"type":"date","typeOptions":{"range":{"min":"soon","max":{}}}`), []string{`"soon" is not a date`, "is not a date"}},
		{field(`"type":"date","typeOptions":{"range":{"min":"2021","max":1000}}`), []string{"2021 is above 1000"}},
		{field(`"type":"geo_shape","typeOptions":{"shapeTypes":["point","Blob"]}`), []string{"Unknown shapes: Blob"}},
		{field(`"type":"geo_shape","typeOptions":{"shapeTypes":[]}`), []string{"shapeTypes"}},
		{field(`"type":"object","typeOptions":{"strict":"no"}`), []string{"typeOptions.strict"}},
		{`{"fields":{"a/b":{"type":"string"},"c":{"type":"string"},"c/d":{"type":"string"}}}`, []string{`"a/b" has no specification for the level above`, `"c" cannot have fields`}},
		{`{"fields":{"/":{"type":"string"}}}`, []string{"level above"}},
		{`{"validators":[{}]}`, []string{"[0] must be an object with one keyword"}},
		{`{"validators":[{ },null,5]}`, []string{"[0] must", "[1] must", "[2] must"}},
		{`{"validators":[{"exists":"a"},{"equals":{"a":1},"exists":"b"}]}`, []string{"[1] a filter must have exactly one keyword"}},
		{`{"validators":[{"regexp":{"a":"(("}}]}`, []string{"[0]"}},
		{`{"validators":[{"regexp":{"a":"((a{1,100}){1,100}){1,100}"}}]}`, []string{"[0]"}},
		{`{"validators":[` + strings.Repeat(`{"not":`, 100) + `{"exists":"a"}` + strings.Repeat(`}`, 100) + `]}`, []string{"[0]"}},
	} {
		spec, problems := validation.Parse(jsontext.Value(c.spec), noon)
		if len(problems) != len(c.want) {
			t.Errorf("%s: %q, want %q", c.spec, problems, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(problems[i], want) {
				t.Errorf("%s: %q, want %q", c.spec, problems[i], want)
			}
		}
		if spec == nil {
			t.Errorf("%s: no specification", c.spec)
		}
	}
}

func TestSpecificationsThatAreRight(t *testing.T) {
	for _, spec := range []string{
		`{}`,
		`{"strict":null,"fields":null,"validators":null}`,
		`{"fields":{},"validators":[]}`,
		`{"fields":{"f":{"type":"string","mandatory":null,"description":"what it is","defaultValue":"x","multivalued":null,"typeOptions":null}}}`,
		`{"fields":{"f":{"type":"string","typeOptions":{"length":{}}}}}`,
		`{"fields":{"f":{"type":"date","typeOptions":{"range":{"min":"NOW","max":"2020-01-01"}}}}}`, // who knows what time it is
		`{"fields":{"a/b/c":{"type":"string"},"a":{"type":"object"},"a/b":{"type":"object"},"a.b":{"type":"string"}}}`,
		`{"fields":{"":{"type":"string"}}}`,
	} {
		if _, problems := validation.Parse(jsontext.Value(spec), noon); len(problems) > 0 {
			t.Errorf("%s: %q", spec, problems)
		}
	}
}

// TestSpecificationsAreBounded gives specifications that could cost much. Each must be refused, at once and in few words.
func TestSpecificationsAreBounded(t *testing.T) {
	var many, wrong, deep, wide strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&many, `"f%d":{"type":"integer"},`, i)
	}
	for i := range 1000 {
		fmt.Fprintf(&wrong, `"f%d":{"type":"x"},`, i)
	}
	for path := range 21 {
		fmt.Fprintf(&deep, `"a%s":{"type":"object"},`, strings.Repeat("/a", path))
	}
	for i := range 12 {
		fmt.Fprintf(&wide, `{"or":[{"equals":{"a%d":1}},{"regexp":{"b%d":"x"}},{"geoDistance":{"c%d":[0,0],"distance":"1m"}}]},`, i, i, i)
	}
	fields := func(b strings.Builder) string { return `{"fields":{` + strings.TrimSuffix(b.String(), ",") + `}}` }
	for name, spec := range map[string]string{
		"long":            `{"fields":{"f":{"type":"string","description":"` + strings.Repeat("x", 256<<10) + `"}}}`,
		"many fields":     fields(many),
		"many problems":   fields(wrong),
		"deep fields":     fields(deep),
		"a long name":     `{"fields":{"` + strings.Repeat("x/", 100_000) + `":{"type":"x"}}}`,
		"nested":          strings.Repeat(`{"fields":`, 20_000) + strings.Repeat(`}`, 20_000),
		"a nested option": `{"fields":{"f":{"type":` + strings.Repeat(`[`, 50_000) + strings.Repeat(`]`, 50_000) + `}}}`,
		"cases":           `{"validators":[{"and":[` + strings.TrimSuffix(wide.String(), ",") + `]}]}`,
		"conditions":      `{"validators":[{"in":{"a":["x"` + strings.Repeat(`,"x"`, 2000) + `]}}]}`,
		"formats":         `{"fields":{"f":{"type":"date","typeOptions":{"formats":["` + strings.Repeat("[", 2000) + `"]}}}}`,
	} {
		start := time.Now()
		_, problems := validation.Parse(jsontext.Value(spec), noon)
		took := time.Since(start)
		if len(problems) == 0 || len(problems) > 100 {
			t.Errorf("%s: %d problems", name, len(problems))
		}
		if took > 2*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if size := len(strings.Join(problems, "\n")); size > 20_000 {
			t.Errorf("%s: %d bytes of problems", name, size)
		}
	}
}
