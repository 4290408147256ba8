package validation_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/validation"
)

// FuzzSpecification reads specifications, and holds a document to those that are right. Whatever comes must neither panic
// nor make a document that no longer fits its own shape.
func FuzzSpecification(f *testing.F) {
	const document = `{"n":1,"s":"a","o":{"b":true},"l":[{"n":1},{}],"p":[1,2],"g":{"type":"point","coordinates":[1,2]},"d":5,"x":null}`
	for _, spec := range []string{
		whole, defaults, `{}`, `{"strict":true}`,
		`{"fields":{"g":{"type":"geo_shape"},"p":{"type":"geo_point"},"d":{"type":"date","typeOptions":{"formats":["epoch_millis"],"range":{"max":"NOW"}}}}}`,
		`{"fields":{"s":{"type":"enum","typeOptions":{"values":["a"]}}},"validators":[{"regexp":{"s":"a+"}},{"range":{"n":{"gte":1}}}]}`,
		`{"fields":{"s":{"type":"url"},"o":{"type":"object","typeOptions":{"strict":true}},"o/b":{"type":"email"}}}`,
	} {
		f.Add(spec, document, `{"n":null}`)
	}
	f.Fuzz(func(t *testing.T, text, document, changes string) {
		spec, problems := validation.Parse(jsontext.Value(text), noon)
		if len(problems) > 0 {
			return
		}
		o := spec.Validate("id", jsontext.Value(document))
		if o.Valid() != (o.Err() == nil) {
			t.Fatal("valid with an error, or the other way round")
		}
		messages(t, o)
		if admitted, err := spec.Admit("id", jsontext.Value(document)); err == nil {
			if !admitted.IsValid() || admitted.Kind() != '{' {
				t.Fatalf("admitted as %s", admitted)
			}
		}
		if !object(document) || !object(changes) {
			return
		}
		if admitted, err := spec.AdmitUpdate("id", jsontext.Value(document), jsontext.Value(changes)); err == nil {
			if !admitted.IsValid() || admitted.Kind() != '{' {
				t.Fatalf("update admitted as %s", admitted)
			}
		}
	})
}

func object(text string) bool {
	v := jsontext.Value(text)
	return v.IsValid() && v.Kind() == '{'
}

// FuzzValue holds one value to every type.
func FuzzValue(f *testing.F) {
	var specs []*validation.Specification
	for _, declaration := range []string{
		`"type":"boolean"`, `"type":"date"`, `"type":"date","typeOptions":{"formats":["strict_date_optional_time","uuuu-MM"],"range":{"min":"1970-01-01","max":"NOW"}}`,
		`"type":"email"`, `"type":"enum","typeOptions":{"values":["a"]}`, `"type":"geo_point"`, `"type":"geo_shape"`, `"type":"integer","typeOptions":{"range":{"min":-5,"max":5}}`,
		`"type":"ip_address"`, `"type":"numeric","typeOptions":{"range":{"min":-0.5,"max":0.5}}`, `"type":"object"`, `"type":"string","typeOptions":{"length":{"min":1,"max":3}}`,
		`"type":"url"`, `"type":"geo_point","multivalued":{"value":true,"minCount":1}`,
	} {
		specs = append(specs, parse(f, `{"fields":{"f":{`+declaration+`}}}`))
	}
	for _, value := range []string{
		`1`, `1e5`, `-0.0e-7`, `1e99999999999`, `"2020-01-01"`, `"a@example.org"`, `"example.org"`, `"http://[::1]:80/a?b"`, `[1,2]`, `"1,2"`, `{"lat":1,"lon":2}`,
		`{"type":"polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`, `{"type":"circle","coordinates":[0,0],"radius":"1km"}`, `"\ud83d\ude00"`, `[null]`,
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, spec := range specs {
			o := spec.Validate("", jsontext.Value(`{"f":`+value+`}`))
			if o.Valid() != (o.Err() == nil) {
				t.Fatal("valid with an error, or the other way round")
			}
			messages(t, o)
		}
	})
}
