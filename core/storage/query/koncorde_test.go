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
		`{"geoPolygon":{"p":{"points":[]}}}`:                   `{"geo_polygon":{"p":{"points":[]}}}`,
		`{"regexp":{"a":"x"}}`:                                 `{"regexp":{"a":"x"}}`,
		`{"match":{"a":"x"}}`:                                  `{"match":{"a":"x"}}`,
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
		{`{"and":[]}`, untranslatable, "query.and: expected a list of at least one filter"},
		{`{"or":[]}`, untranslatable, "query.or"},
		{`{"not":{"and":[]}}`, untranslatable, "query.not.and"},
		{`{"and":[{"exists":"a"},{"or":[]}]}`, untranslatable, "query.and[1].or"},
		{`{"or":[{"and":[]},{"exists":"a"}]}`, untranslatable, "query.or[0].and"},
		{`{"range":{"a":{}}}`, untranslatable, "query.range.a: expected at least one of gt, gte, lt, lte"},
		{`{"range":{"a":{"boost":2}}}`, untranslatable, "query.range.a"},
		{`{"not":{"range":{"a":{"gt":null}}}}`, untranslatable, "query.not.range.a"},
		{`{"not":{"in":{"a":[]}}}`, untranslatable, "query.not.in.a: expected at least one value"},
		{`{"not":{"ids":{"values":[]}}}`, untranslatable, "query.not.ids.values"},
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

// TestKoncordeUnknownClauses: the hint names what a Koncorde filter can hold.
func TestKoncordeUnknownClauses(t *testing.T) {
	const realtime = "works in realtime filters only"
	tests := []refusal{
		{`{"select":{}}`, unknown, realtime},
		{`{"nothing":true}`, unknown, realtime},
		{`{"and":[{"geoDistanceRange":{}}]}`, unknown, realtime},
		{`{"foo":{}}`, unknown, `unknown clause "foo". The clauses of Koncorde are and, or, not, equals`},
		{`{"not":{"equal":{"a":1}}}`, unknown, `Did you mean "equals"?`},
		{`{"geodistance":{}}`, unknown, `Did you mean "geoDistance"?`},
	}
	for _, tt := range tests {
		_, err := query.Koncorde(jsontext.Value(tt.in))
		tt.check(t, err)
	}
}

// TestKoncordePassesOn: what is a clause of Elasticsearch is for Parse to refuse.
func TestKoncordePassesOn(t *testing.T) {
	for _, tt := range []refusal{
		{`{"script":{}}`, script, "script"},
		{`{"and":[{"span_term":{}}]}`, bad, "not supported yet"},
		{`{"match_all":{"x":1}}`, bad, "unknown option"},
	} {
		translated, err := query.Koncorde(jsontext.Value(tt.in))
		if err != nil {
			t.Fatal(err)
		}
		_, err = query.Parse(translated)
		tt.check(t, err)
	}
}
