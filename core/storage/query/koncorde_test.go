package query_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestKoncorde(t *testing.T) {
	for in, want := range map[string]string{
		``:                                  `{}`,
		`null`:                              `{}`,
		` {} `:                              `{}`,
		`{"equals":{"a":9007199254740993}}`: `{"term":{"a":9007199254740993}}`,
		`{"in":{"a":["x","y"]}}`:            `{"terms":{"a":["x","y"]}}`,
		`{"range":{"a":{"gt":1}}}`:          `{"range":{"a":{"gt":1}}}`,
		`{"ids":{"values":["a"]}}`:          `{"ids":{"values":["a"]}}`,
		`{"exists":"a.b"}`:                  `{"exists":{"field":"a.b"}}`,
		`{"exists":{"field":"a"}}`:          `{"exists":{"field":"a"}}`,
		`{"exists":"a[\"x\"]"}`:             `{"bool":{"filter":[{"exists":{"field":"a"}},{"range":{"a":{"gte":"x","lte":"x"}}}]}}`,
		`{"exists":"a[0]"}`:                 `{"bool":{"filter":[{"exists":{"field":"a"}},{"range":{"a":{"gte":0,"lte":0}}}]}}`,
		`{"exists":"a[null]"}`:              `{"exists":{"field":"a"}}`,
		`{"exists":"a\\[0\\]"}`:             `{"exists":{"field":"a[0]"}}`,
		`{"missing":"a"}`:                   `{"bool":{"must_not":{"exists":{"field":"a"}}}}`,
		`{"missing":{"field":"a"}}`:         `{"bool":{"must_not":{"exists":{"field":"a"}}}}`,
		`{"and":[{"equals":{"a":1}},{"not":{"missing":"b"}}]}`: `{"bool":{"filter":[{"term":{"a":1}},{"bool":{"must_not":{"bool":{"must_not":{"exists":{"field":"b"}}}}}}]}}`,
		`{"or":[{"equals":{"a":1}},{"equals":{"b":2}}]}`:       `{"bool":{"should":[{"term":{"a":1}},{"term":{"b":2}}]}}`,
		`{"geoBoundingBox":{"p":{"top":1}}}`:                   `{"geo_bounding_box":{"p":{"top":1}}}`,
		`{"geoDistance":{"p":"1,1","distance":"1m"}}`:          `{"geo_distance":{"p":"1,1","distance":"1m"}}`,
		`{"geoDistanceRange":{"p":"1,1"}}`:                     `{"geo_distance_range":{"p":"1,1"}}`,
		`{"geoPolygon":{"p":{"points":[]}}}`:                   `{"geo_polygon":{"p":{"points":[]}}}`,
		`{"regexp":{"a":"x"}}`:                                 `{"regexp":{"a":"x"}}`,
		`{"match":{"a":"x"}}`:                                  `{"match":{"a":"x"}}`,
		`{"select":{}}`:                                        `{"select":{}}`,
		`{"nothing":1}`:                                        `{"nothing":1}`,
	} {
		got, err := query.Koncorde(jsontext.Value(in))
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
}

func TestKoncordeRefuses(t *testing.T) {
	untranslatable := kerror.ServicesKoncordeElasticTranslationError
	tests := []refusal{
		{`{`, bad, "not valid JSON"},
		{`[]`, untranslatable, "query: expected an object"},
		{`{"bool":{"must":[]}}`, kerror.APIAssertKoncordeRestrictedKeyword, "bool"},
		{`{"and":[{"or":[{"bool":{}}]}]}`, kerror.APIAssertKoncordeRestrictedKeyword, "bool"},
		{`{"equals":{"a":1},"exists":"b"}`, untranslatable, `found "equals" and "exists"`},
		{`{"and":{}}`, untranslatable, "query.and: expected a list"},
		{`{"and":[{}]}`, untranslatable, "query.and[0]"},
		{`{"or":["x"]}`, untranslatable, "query.or[0]"},
		{`{"not":{}}`, untranslatable, "query.not"},
		{`{"exists":1}`, untranslatable, "query.exists"},
		{`{"exists":""}`, untranslatable, "query.exists"},
		{`{"exists":"[1]"}`, untranslatable, "query.exists"},
		{`{"exists":"a[\"x\""}`, untranslatable, "query.exists"},
		{`{"exists":"a[x]"}`, untranslatable, "query.exists"},
		{`{"exists":"a[{}]"}`, untranslatable, "query.exists"},
		{`{"missing":["a"]}`, untranslatable, "query.missing"},
		{strings.Repeat(`{"not":`, 40) + `{"exists":"a"}` + strings.Repeat(`}`, 40), untranslatable, "more than 30 deep"},
	}
	for _, tt := range tests {
		_, err := query.Koncorde(jsontext.Value(tt.in))
		tt.check(t, err)
	}
}

// TestKoncordeEndsAsUnknown: what has no translation is refused as a query.
func TestKoncordeEndsAsUnknown(t *testing.T) {
	for _, in := range []string{`{"select":{}}`, `{"nothing":true}`, `{"and":[{"geoDistanceRange":{}}]}`} {
		translated, err := query.Koncorde(jsontext.Value(in))
		if err != nil {
			t.Fatal(err)
		}
		_, err = query.Parse(translated)
		refusal{in, unknown, ""}.check(t, err)
	}
}
