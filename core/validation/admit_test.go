package validation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

const defaults = `{"fields":{
	"n":{"type":"integer","defaultValue":0,"mandatory":true},
	"s":{"type":"string","defaultValue":""},
	"o":{"type":"object"},"o/b":{"type":"boolean","defaultValue":false},"o/any":{"type":"anything"},
	"l":{"type":"object","multivalued":{"value":true}},"l/n":{"type":"integer","defaultValue":9007199254740993},
	"whole":{"type":"object","defaultValue":{"x":1}},"none":{"type":"string","defaultValue":null}}}`

func TestAdmit(t *testing.T) {
	spec := parse(t, defaults)
	for _, c := range []struct{ document, want string }{
		{`{}`, `{"n":0,"s":"","whole":{"x":1}}`},
		{`{"n":5,"s":"x","whole":{}}`, `{"n":5,"s":"x","whole":{}}`},
		{`{"n":null,"s":null,"whole":null,"none":null}`, `{"n":0,"s":"","whole":{"x":1},"none":null}`},
		{`{"z":1e400,"n":1.0}`, `{"z":1e400,"n":1.0,"s":"","whole":{"x":1}}`},
		{`{"n":1,"s":"","whole":{},"o":{}}`, `{"n":1,"s":"","whole":{},"o":{"b":false}}`},
		{`{"n":1,"s":"","whole":{},"o":{"b":true,"any":null}}`, `{"n":1,"s":"","whole":{},"o":{"b":true,"any":null}}`},
		{`{"n":1,"s":"","whole":{},"l":[{},{"n":1},{"n":null}]}`, `{"n":1,"s":"","whole":{},"l":[{"n":9007199254740993},{"n":1},{"n":9007199254740993}]}`},
		{`{"n":1,"s":"","whole":{},"l":[],"o":null}`, `{"n":1,"s":"","whole":{},"l":[],"o":null}`},
	} {
		if got, err := spec.Admit("", jsontext.Value(c.document)); string(got) != c.want || err != nil {
			t.Errorf("%s:\n got %s %v\nwant %s", c.document, got, err, c.want)
		}
	}
	if got, err := spec.Admit("", jsontext.Value(`{"n":"x"}`)); !errors.Is(err, kerror.ValidationCheckFailedField) || got != nil {
		t.Error(string(got), err)
	}
}

func TestADocumentWithoutDefaultsStaysAsItIs(t *testing.T) {
	const document = ` { "a" : 1 } `
	if got, err := parse(t, whole).Admit("", jsontext.Value(document)); string(got) != document || err != nil {
		t.Error(string(got), err)
	}
}

// TestAdmitUpdate changes documents that are stored. want is what is to be written, or "" when it is refused.
func TestAdmitUpdate(t *testing.T) {
	spec := parse(t, `{"strict":true,"fields":{
		"m":{"type":"integer","mandatory":true},"d":{"type":"integer","mandatory":true,"defaultValue":7},
		"o":{"type":"object"},"o/a":{"type":"integer"},"o/b":{"type":"integer","mandatory":true},"o/d":{"type":"integer","defaultValue":1},
		"l":{"type":"object","multivalued":{"value":true}},"l/d":{"type":"integer","defaultValue":1}},
		"validators":[{"not":{"equals":{"m":13}}},{"not":{"ids":{"values":["taboo"]}}}]}`)
	for _, c := range []struct{ id, stored, changes, want string }{
		{"i", `{"m":1,"_kuzzle_info":{}}`, `{"d":2}`, `{"d":2}`},
		{"i", `{"m":1,"d":5}`, `{"d":null}`, `{"d":7}`},
		{"i", `{"m":1}`, `{}`, `{}`},
		{"i", `{"m":1}`, `{"m":null}`, ``},
		{"i", `{}`, `{"d":1}`, ``},
		{"i", `{"m":"old mistake"}`, `{"d":1}`, ``},
		{"i", `{"m":"old mistake"}`, `{"m":1}`, `{"m":1}`},
		{"i", `{"m":1}`, `{"x":1}`, ``},
		{"i", `{"m":1}`, `{"m":13}`, ``},
		{"taboo", `{"m":1}`, `{"m":2}`, ``},
		{"i", `{"m":1,"o":{"b":1}}`, `{"o":{"a":1}}`, `{"o":{"a":1}}`},
		{"i", `{"m":1}`, `{"o":{"a":1}}`, ``},
		{"i", `{"m":1,"o":{"a":1,"b":1}}`, `{"o":{"b":null}}`, ``},
		{"i", `{"m":1,"o":{"b":1}}`, `{"o":{"d":null}}`, `{"o":{"d":1}}`},
		{"i", `{"m":1,"o":{"b":1}}`, `{"o":null}`, `{"o":null}`},
		{"i", `{"m":1,"o":null}`, `{"o":{"b":1}}`, `{"o":{"b":1}}`},
		{"i", `{"m":1}`, `{"l":[{},{"d":2}]}`, `{"l":[{"d":1},{"d":2}]}`},
		{"i", `{"m":1}`, `[]`, ``},
	} {
		got, err := spec.AdmitUpdate(c.id, jsontext.Value(c.stored), jsontext.Value(c.changes))
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s + %s: %s %v, want %s", c.stored, c.changes, got, err, c.want)
		}
	}
}

// TestUpdatesOfDeepDocuments merges as deep as a request may be nested.
func TestUpdatesOfDeepDocuments(t *testing.T) {
	const depth = 510
	deep := jsontext.Value(`{"free":` + strings.Repeat(`{"a":`, depth) + `{"x":"` + strings.Repeat("y", 200_000) + `"}` + strings.Repeat("}", depth) + `}`)
	start := time.Now()
	if _, err := parse(t, whole).AdmitUpdate("", deep, deep); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Error(took)
	} else {
		t.Log(took)
	}
}
