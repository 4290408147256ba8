package query_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func common(boost float64, name string) query.Common { return query.Common{Boost: boost, Name: name} }

func full(value string) query.Full { return query.Full{Common: one, Value: jsontext.Value(value)} }

var one = common(1, "")

func term(field, value string) query.Query {
	return &query.Term{Common: one, Field: field, Value: jsontext.Value(value)}
}

func bound(value string, inclusive bool) query.Bound {
	return query.Bound{Value: jsontext.Value(value), Inclusive: inclusive}
}

func TestParse(t *testing.T) {
	all := &query.MatchAll{Common: one}
	pattern := func(value string) query.Pattern { return query.Pattern{Common: one, Field: "f", Value: value} }
	fuzzing := query.Fuzzing{MaxExpansions: 50, Swaps: true}
	everyWhere := []query.WeightedField{{Pattern: "*", Boost: 1}}
	paris := query.Point{Lat: 48.85, Lon: 2.35}
	tests := []struct {
		in   string
		want query.Query
	}{
		{``, all},
		{`null`, all},
		{` { } `, all},
		{`{"match_all":{}}`, all},
		{`{"match_all":{"boost":"2.5","_name":"n"}}`, &query.MatchAll{Common: common(2.5, "n")}},
		{`{"match_none":{}}`, &query.MatchNone{Common: one}},

		{`{"term":{"f":"a"}}`, term("f", `"a"`)},
		{`{"term":{"f":9007199254740993}}`, term("f", `9007199254740993`)},
		{`{"term":{"f":{"value":true}}}`, term("f", `true`)},
		{
			`{"term":{"a.b":{"_name":"n","case_insensitive":true,"boost":2,"value":1.50}}}`,
			&query.Term{Common: common(2, "n"), Field: "a.b", Value: []byte("1.50"), CaseInsensitive: true},
		},
		{`{"terms":{"f":["a",1,false]}}`, &query.Terms{Common: one, Field: "f", Values: []jsontext.Value{[]byte(`"a"`), []byte(`1`), []byte(`false`)}}},
		{`{"terms":{"boost":3,"f":[],"_name":"n"}}`, &query.Terms{Common: common(3, "n"), Field: "f", Values: []jsontext.Value{}}},

		{`{"range":{"f":{"gt":1,"lte":9007199254740993}}}`, &query.Range{Common: one, Field: "f", Lower: bound("1", false), Upper: bound("9007199254740993", true)}},
		{
			`{"range":{"f":{"lt":"now","gte":"now-1d/d","time_zone":"+01:00","format":"yyyy-MM-dd HH:mm:ss||epoch_millis","relation":"WITHIN","_name":"n"}}}`,
			&query.Range{
				Common: common(1, "n"), Field: "f", Lower: bound(`"now-1d/d"`, true), Upper: bound(`"now"`, false),
				Format: "yyyy-MM-dd HH:mm:ss||epoch_millis", TimeZone: "+01:00", Relation: query.Within,
			},
		},
		{`{"range":{"f":{"gt":null}}}`, &query.Range{Common: one, Field: "f"}},
		{`{"range":{"f":{}}}`, &query.Range{Common: one, Field: "f"}},

		{`{"exists":{"field":"f"}}`, &query.Exists{Common: one, Field: "f"}},
		{`{"ids":{"values":["a",1]}}`, &query.IDs{Common: one, Values: []string{"a", "1"}}},
		{`{"ids":{"values":"a","boost":0}}`, &query.IDs{Common: common(0, ""), Values: []string{"a"}}},
		{`{"ids":{"values":[]}}`, &query.IDs{Common: one, Values: []string{}}},

		{`{"prefix":{"f":"a\u00e9\n"}}`, &query.Prefix{Pattern: pattern("aé\n")}},
		{`{"prefix":{"f":{"value":1,"rewrite":"constant_score"}}}`, &query.Prefix{Pattern: pattern("1")}},
		{`{"wildcard":{"f":{"wildcard":"a*"}}}`, &query.Wildcard{Pattern: pattern("a*")}},
		{
			`{"wildcard":{"f":{"value":"a*","case_insensitive":true}}}`,
			&query.Wildcard{Pattern: query.Pattern{Common: one, Field: "f", Value: "a*", CaseInsensitive: true}},
		},
		{`{"regexp":{"f":"a.*"}}`, &query.Regexp{Pattern: pattern("a.*"), Flags: "ALL", MaxStates: 10000}},
		{`{"regexp":{"f":{"value":"a","flags":"NONE","max_determinized_states":5}}}`, &query.Regexp{Pattern: pattern("a"), Flags: "NONE", MaxStates: 5}},

		{`{"match":{"f":"x y"}}`, &query.Match{Full: full(`"x y"`), Field: "f", Words: query.Words{Fuzzing: fuzzing}}},
		{
			`{"match":{"f":{"query":12,"operator":"AND","lenient":true,"zero_terms_query":"all","analyzer":"simple","auto_generate_synonyms_phrase_query":false}}}`,
			&query.Match{
				Full:  query.Full{Common: one, Value: []byte("12"), Analyzer: "simple", AllWhenEmpty: true},
				Words: query.Words{All: true, Lenient: true, Fuzzing: fuzzing}, Field: "f",
			},
		},
		{`{"match_phrase":{"f":{"query":"x","slop":2}}}`, &query.MatchPhrase{Full: full(`"x"`), Field: "f", Slop: 2}},
		{`{"match_phrase_prefix":{"f":"x"}}`, &query.MatchPhrasePrefix{Full: full(`"x"`), Field: "f", MaxExpansions: 50}},
		{
			`{"match_phrase_prefix":{"f":{"query":"x","max_expansions":3,"slop":1}}}`,
			&query.MatchPhrasePrefix{Full: full(`"x"`), Field: "f", MaxExpansions: 3, Slop: 1},
		},
		{`{"multi_match":{"query":"x"}}`, &query.MultiMatch{Full: full(`"x"`), Fields: everyWhere, Words: query.Words{Fuzzing: fuzzing}}},
		{
			`{"multi_match":{"query":"x","type":"phrase_prefix","fields":["a^3","b.*^0.5","c"],"tie_breaker":0.3,"slop":1,"max_expansions":7}}`,
			&query.MultiMatch{
				Full: full(`"x"`), Type: query.PhrasePrefix, TieBreaker: 0.3, Slop: 1,
				Words:  query.Words{Fuzzing: query.Fuzzing{MaxExpansions: 7, Swaps: true}},
				Fields: []query.WeightedField{{Pattern: "a", Boost: 3}, {Pattern: "b.*", Boost: 0.5}, {Pattern: "c", Boost: 1}},
			},
		},
		{
			`{"multi_match":{"query":"x","type":"best_fields","operator":"and","fields":"*"}}`,
			&query.MultiMatch{Full: full(`"x"`), Words: query.Words{All: true, Fuzzing: fuzzing}, Fields: everyWhere},
		},
		{
			`{"multi_match":{"query":"x","type":"most_fields"}}`,
			&query.MultiMatch{Full: full(`"x"`), Type: query.MostFields, Words: query.Words{Fuzzing: fuzzing}, Fields: everyWhere, TieBreaker: 1},
		},
		{`{"match_bool_prefix":{"f":"x y"}}`, &query.MatchBoolPrefix{Full: full(`"x y"`), Field: "f", Words: query.Words{Fuzzing: fuzzing}}},
		{`{"dis_max":{"queries":{"term":{"a":1}},"tie_breaker":"0.5"}}`, &query.DisMax{Common: one, Queries: []query.Query{term("a", "1")}, TieBreaker: 0.5}},
		{
			`{"boosting":{"positive":{"term":{"a":1}},"negative":{"term":{"b":2}},"negative_boost":0}}`,
			&query.Boosting{Common: one, Positive: term("a", "1"), Negative: term("b", "2")},
		},
		{
			`{"function_score":{"query":{"term":{"a":1}},"functions":[{"filter":{"term":{"b":2}},"weight":3},{"field_value_factor":{"field":"n","modifier":"LN1P","missing":2}}],"max_boost":9}}`,
			&query.FunctionScore{
				Common: one, Query: term("a", "1"), ScoreMode: "multiply", BoostMode: "multiply", MaxBoost: 9, MinScore: math.Inf(-1),
				Functions: []query.Function{
					{Filter: term("b", "2"), Weight: 3},
					{Weight: 1, Score: &query.FieldFactor{Field: "n", Factor: 1, Modifier: "ln1p", Missing: 2}},
				},
			},
		},
		{
			`{"terms_set":{"f":{"terms":["x",1],"minimum_should_match_field":"n","boost":2}}}`,
			&query.TermsSet{Common: common(2, ""), Field: "f", Values: []jsontext.Value{[]byte(`"x"`), []byte("1")}, MinimumField: "n"},
		},

		{`{"bool":{}}`, &query.Bool{Common: one}},
		{
			`{"bool":{"must":{"term":{"a":1}},"filter":[{"term":{"b":2}},{"match_all":{}}],"should":[],"must_not":{"term":{"c":3}},"boost":2,"adjust_pure_negative":true}}`,
			&query.Bool{
				Common: common(2, ""), Must: []query.Query{term("a", "1")}, Filter: []query.Query{term("b", "2"), all},
				Should: []query.Query{}, MustNot: []query.Query{term("c", "3")},
			},
		},
		{`{"constant_score":{"filter":{"term":{"a":1}},"boost":7}}`, &query.ConstantScore{Common: common(7, ""), Filter: term("a", "1")}},
		{
			`{"nested":{"query":{"term":{"a.b":1}},"path":"a","score_mode":"max","ignore_unmapped":true}}`,
			&query.Nested{Common: one, Path: "a", Query: term("a.b", "1"), ScoreMode: query.ScoreMax, IgnoreUnmapped: true},
		},
		{`{"nested":{"path":"a","query":{"match_all":{}}}}`, &query.Nested{Common: one, Path: "a", Query: all, ScoreMode: query.ScoreAvg}},

		{`{"geo_distance":{"f":{"lat":48.85,"lon":2.35},"distance":"2km"}}`, &query.GeoDistance{Common: one, Field: "f", Center: paris, Metres: 2000}},
		{
			`{"geo_distance":{"distance":2,"unit":"mi","f":"48.85, 2.35","distance_type":"plane","ignore_unmapped":true,"validation_method":"strict"}}`,
			&query.GeoDistance{Common: one, Field: "f", Center: paris, Metres: 2 * 1609.344, Plane: true, IgnoreUnmapped: true},
		},
		{
			`{"geo_bounding_box":{"f":{"top_left":"50,1","bottom_right":[3,40]}}}`,
			&query.GeoBoundingBox{Common: one, Field: "f", Top: 50, Left: 1, Bottom: 40, Right: 3},
		},
		{
			`{"geo_bounding_box":{"f":{"bottom_left":"40,1","top_right":[3,50]}}}`,
			&query.GeoBoundingBox{Common: one, Field: "f", Top: 50, Left: 1, Bottom: 40, Right: 3},
		},
		{
			`{"geo_bounding_box":{"f":{"top":50,"left":"170","bottom":40,"right":-170}}}`,
			&query.GeoBoundingBox{Common: one, Field: "f", Top: 50, Left: 170, Bottom: 40, Right: -170},
		},
		{
			`{"geo_bounding_box":{"f":{"wkt":"BBOX (-74.1, -71.12, 40.73, 40.01)"}}}`,
			&query.GeoBoundingBox{Common: one, Field: "f", Left: -74.1, Right: -71.12, Top: 40.73, Bottom: 40.01},
		},
		{
			`{"geo_bounding_box":{"f":{"top_left":"dr5r9ydj2y73","bottom_right":"drj7teegpus6"}}}`,
			&query.GeoBoundingBox{Common: one, Field: "f", Top: 40.73000009171665, Left: -74.10000007599592, Bottom: 40.01000001095235, Right: -71.11999988555908},
		},
		{
			`{"geo_polygon":{"f":{"points":["0,0",[1,0],{"lat":1,"lon":1},"POINT (0 1)","0,0"]}}}`,
			&query.GeoPolygon{Common: one, Field: "f", Points: []query.Point{{}, {Lon: 1}, {Lat: 1, Lon: 1}, {Lat: 1}}},
		},
	}
	for _, tt := range tests {
		got, err := query.Parse(jsontext.Value(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if box, ok := got.(*query.GeoBoundingBox); ok && near(box, tt.want) {
			continue
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.in, got, tt.want)
		}
	}
}

// near compares boxes to a millionth of a degree.
func near(got *query.GeoBoundingBox, other query.Query) bool {
	want := other.(*query.GeoBoundingBox)
	for _, d := range []float64{got.Top - want.Top, got.Left - want.Left, got.Bottom - want.Bottom, got.Right - want.Right} {
		if d > 1e-6 || d < -1e-6 {
			return false
		}
	}
	return true
}

// refusal is a text that must be refused with the catalogue row, by a message that holds the words.
type refusal struct {
	in   string
	want *kerror.Def
	says string
}

var (
	bad     = kerror.ServicesStorageUnexpectedBadRequest
	unknown = kerror.ServicesStorageUnknownQueryKeyword
	script  = kerror.ServicesStorageInvalidQueryKeyword
)

func (r refusal) check(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, r.want) {
		t.Errorf("%.200s: got %v, want %s", r.in, err, r.want.ID)
	} else if !strings.Contains(err.Error(), r.says) {
		t.Errorf("%.200s: %q does not say %q", r.in, err, r.says)
	}
}

func TestParseRefuses(t *testing.T) {
	deep := strings.Repeat(`{"bool":{"must":[`, 40) + `{"match_all":{}}` + strings.Repeat(`]}}`, 40)
	many := `{"bool":{"should":[` + strings.Repeat(`{"match_all":{}},`, 1024) + `{"match_all":{}}]}}`
	manyTerms := `{"terms":{"f":[` + strings.Repeat(`1,`, 65536) + `1]}}`
	tests := []refusal{
		{`{`, bad, "query: not valid JSON"},
		{`{} {}`, bad, "not valid JSON"},
		{`[]`, bad, "query: expected an object"},
		{`"a"`, bad, "query: expected an object"},
		{`{"term":{"a":1},"term":{"a":1}}`, bad, "the key term is there twice"},
		{`{"term":{"a":1},"match_all":{}}`, bad, `found "term" and "match_all"`},
		{strings.Repeat("[", 5000), bad, "nested"},
		{deep, bad, "nested more than 30"},
		{many, bad, "more than 1024 clauses"},
		{manyTerms, bad, "query.terms.f: more than 65536 values"},

		{`{"equals":{"a":1}}`, unknown, `"equals"`},
		{`{"bool":{"must":[{"nothing":{}}]}}`, unknown, `"nothing"`},
		{`{"span_term":{"a":1}}`, bad, "query.span_term: not supported yet"},
		{`{"function_score":{"query":{}}}`, bad, "query.function_score.query: expected one clause"},
		{`{"function_score":{"functions":{}}}`, bad, "expected a list of functions"},
		{`{"function_score":{"functions":[{"filter":{"match_all":{}}}]}}`, bad, "functions[0]: expected a function"},
		{`{"function_score":{"weight":1,"functions":[]}}`, bad, `found "weight" and "functions"`},
		{`{"function_score":{"functions":[{"random_score":{},"gauss":{}}]}}`, bad, `found "random_score" and "gauss"`},
		{`{"function_score":{"weight":-1}}`, bad, "must not be negative"},
		{`{"function_score":{"functions":[{"weight":1,"score":1}]}}`, bad, "score: unknown option"},
		{`{"function_score":{"score_mode":"median"}}`, bad, "expected one of multiply"},
		{`{"function_score":{"random_score":{"seed":1}}}`, bad, "expected a field beside the seed"},
		{`{"function_score":{"field_value_factor":{"factor":1}}}`, bad, "expected a field"},
		{`{"function_score":{"field_value_factor":{"field":"a","modifier":"cube"}}}`, bad, "expected one of none"},
		{`{"function_score":{"gauss":{"a":{"origin":1}}}}`, bad, "expected a field with a scale"},
		{`{"function_score":{"exp":{"a":{"scale":1,"decay":1}}}}`, bad, "between 0 and 1"},
		{`{"function_score":{"linear":{"a":{"scale":1},"b":{"scale":1}}}}`, bad, `found "a" and "b"`},
		{`{"script":{"script":"1"}}`, script, `"script"`},
		{`{"bool":{"filter":{"script":{}}}}`, script, `"script"`},
		{`{"script_score":{}}`, script, `"script_score"`},
		{`{"function_score":{"functions":[{"script_score":{"script":"1"}}]}}`, script, `"script_score"`},
		{`{"terms_set":{"f":{"terms":[],"minimum_should_match_script":{}}}}`, script, `"minimum_should_match_script"`},
		{`{"nested":{"path":"a","query":{"match_all":{}},"inner_hits":{"script_fields":{}}}}`, script, `"script_fields"`},

		{`{"match_all":[]}`, bad, "query.match_all: expected an object"},
		{`{"match_all":{"x":1}}`, bad, "query.match_all.x: unknown option"},
		{`{"match_all":{"boost":-1}}`, bad, "must not be negative"},
		{`{"match_all":{"boost":1e308}}`, bad, "query.match_all.boost: must be at most 3.4"},
		{`{"constant_score":{"filter":{"match_all":{}},"boost":3.5e38}}`, bad, "must be at most"},
		{`{"multi_match":{"query":"a","fields":["a^1e39"]}}`, bad, "from 0 to 3.4"},
		{`{"function_score":{"random_score":{"field":"a","seed":"` + strings.Repeat("x", 1025) + `"}}}`, bad, "random_score.seed: expected at most 1024 bytes"},
		{`{"match_all":{"boost":"NaN"}}`, bad, "query.match_all.boost: expected a number"},
		{`{"match_all":{"_name":1}}`, bad, "query.match_all._name: expected a text"},
		{`{"term":{}}`, bad, "query.term: expected one field, found nothing"},
		{`{"term":{"a":1,"b":2}}`, bad, `found "a" and "b"`},
		{`{"term":{"a":[1]}}`, bad, "query.term.a: expected a text, a number or a boolean"},
		{`{"term":{"a":null}}`, bad, "query.term.a"},
		{`{"term":{"a":{}}}`, bad, "query.term.a: expected a value"},
		{`{"term":{"a":{"value":{}}}}`, bad, "query.term.a.value"},
		{`{"term":{"a":{"value":1,"case_insensitive":1}}}`, bad, "expected true or false"},
		{`{"term":{"a":{"value":1,"x":1}}}`, bad, "query.term.a.x: unknown option"},
		{`{"terms":{}}`, bad, "query.terms: expected one field"},
		{`{"terms":{"a":1}}`, bad, "query.terms.a: expected a list"},
		{`{"terms":{"a":[null]}}`, bad, "query.terms.a[0]"},
		{`{"terms":{"a":[1],"b":[2]}}`, bad, `found "a" and "b"`},
		{`{"terms":{"a":{"index":"i","id":"1","path":"p"}}}`, bad, "lookup"},
		{`{"terms":[]}`, bad, "expected an object"},
		{`{"range":{}}`, bad, "expected one field"},
		{`{"range":{"a":1}}`, bad, "query.range.a: expected an object"},
		{`{"range":{"a":{},"_name":"n"}}`, bad, `found "a" and "_name"`},
		{`{"range":{"a":{},"b":{}}}`, bad, `found "a" and "b"`},
		{`{"range":{"a":{"gt":1,"gte":2}}}`, bad, "query.range.a.gte: the range has two bounds"},
		{`{"range":{"a":{"lte":null,"lt":1}}}`, bad, "two bounds"},
		{`{"range":{"a":{"gt":[1]}}}`, bad, "query.range.a.gt"},
		{`{"range":{"a":{"format":"qq"}}}`, bad, "query.range.a.format"},
		{`{"range":{"a":{"time_zone":"Mars/X"}}}`, bad, "unknown time zone"},
		{`{"range":{"a":{"time_zone":"Local"}}}`, bad, "unknown time zone"},
		{`{"range":{"a":{"relation":"near"}}}`, bad, "expected one of intersects"},
		{`{"range":{"a":{"from":1}}}`, bad, "query.range.a.from: unknown option"},
		{`{"exists":{}}`, bad, "expected a field"},
		{`{"exists":{"field":["a"]}}`, bad, "query.exists.field: expected a text"},
		{`{"ids":{}}`, bad, "expected values"},
		{`{"ids":{"values":[null]}}`, bad, "query.ids.values[0]: expected a text"},
		{`{"ids":{"type":"x","values":[]}}`, bad, "unknown option"},
		{`{"prefix":{"a":{}}}`, bad, "expected a value"},
		{`{"prefix":{"a":{"value":"x","prefix":"y"}}}`, bad, "one value only"},
		{`{"prefix":{"a":{"value":"x","flags":"y"}}}`, bad, "query.prefix.a.flags: unknown option"},
		{`{"prefix":{"a":{"value":"x","rewrite":"scoring_boolean"}}}`, bad, "expected one of constant_score"},
		{`{"wildcard":{"a":[1]}}`, bad, "query.wildcard.a: expected a text"},
		{`{"regexp":{"a":{"value":"x","max_determinized_states":0}}}`, bad, "at least 1"},
		{`{"match":{"a":{}}}`, bad, "query.match.a: expected a query"},
		{`{"match":{"a":null}}`, bad, "query.match.a"},
		{`{"match":{"a":{"query":"x","fuzziness":3}}}`, bad, "query.match.a.fuzziness: expected 0, 1, 2"},
		{`{"match":{"a":{"query":"x","fuzziness":"AUTO:5,3"}}}`, bad, "the greater one"},
		{`{"match":{"a":{"query":"x","fuzziness":"AUTO:-1,3"}}}`, bad, "the greater one"},
		{`{"match":{"a":{"query":"x","prefix_length":-1}}}`, bad, "at least 0"},
		{`{"match":{"a":{"query":"x","fuzzy_rewrite":"top_terms_5"}}}`, bad, "expected one of constant_score"},
		{`{"fuzzy":{"a":{}}}`, bad, "query.fuzzy.a: expected a value"},
		{`{"fuzzy":{"a":{"value":"x","max_expansions":0}}}`, bad, "at least 1"},
		{`{"fuzzy":{"a":{"value":"x","fuzzy_transpositions":true}}}`, bad, "unknown option"},
		{`{"fuzzy":{"a":{"value":"x","fuzziness":-1}}}`, bad, "expected 0, 1, 2"},
		{`{"match_bool_prefix":{"a":{"query":"x","lenient":true}}}`, bad, "lenient: unknown option"},
		{`{"match_phrase":{"a":{"query":"x","fuzziness":1}}}`, bad, "fuzziness: unknown option"},
		{`{"dis_max":{"queries":[]}}`, bad, "expected queries"},
		{`{"dis_max":{"queries":{"match_all":{}},"tie_breaker":1.5}}`, bad, "from 0 to 1"},
		{`{"boosting":{"positive":{"match_all":{}},"negative":{"match_all":{}}}}`, bad, "negative_boost"},
		{`{"terms_set":{"a":{"terms":["x"]}}}`, bad, "expected minimum_should_match_field or"},
		{`{"terms_set":{"a":{"terms":["x"],"minimum_should_match_field":"n","minimum_should_match":1}}}`, bad, "minimum_should_match_field or"},
		{`{"terms_set":{"a":{"terms":"x"}}}`, bad, "expected a list"},
		{`{"match":{"a":{"query":"x","operator":"xor"}}}`, bad, "expected one of or, and"},
		{`{"match":{"a":{"query":"x","minimum_should_match":"many"}}}`, bad, "query.match.a.minimum_should_match"},
		{`{"match":{"a":{"query":"x","slop":1}}}`, bad, "unknown option"},
		{`{"match_phrase":{"a":{"query":"x","slop":-1}}}`, bad, "at least 0"},
		{`{"match_phrase":{"a":{"query":"x","slop":1.5}}}`, bad, "whole number"},
		{`{"match_phrase":{"a":{"query":"x","operator":"or"}}}`, bad, "unknown option"},
		{`{"match_phrase_prefix":{"a":{"query":"x","max_expansions":0}}}`, bad, "at least 1"},
		{`{"multi_match":{}}`, bad, "expected a query"},
		{`{"multi_match":{"query":"x","fuzziness":1,"type":"cross_fields"}}`, bad, "this type cannot have fuzziness"},
		{`{"multi_match":{"query":"x","slop":1,"type":"bool_prefix"}}`, bad, "this type cannot have a slop"},
		{`{"multi_match":{"query":"x","type":"y"}}`, bad, "expected one of"},
		{`{"multi_match":{"query":"x","fields":["a^b"]}}`, bad, "weight"},
		{`{"multi_match":{"query":"x","fields":["^2"]}}`, bad, "no name"},
		{`{"multi_match":{"query":"x","fields":[1]}}`, bad, "query.multi_match.fields[0]"},
		{`{"multi_match":{"query":"x","tie_breaker":2}}`, bad, "from 0 to 1"},
		{`{"bool":[]}`, bad, "expected an object"},
		{`{"bool":{"must":[{}]}}`, bad, "query.bool.must[0]: expected one clause, found nothing"},
		{`{"bool":{"must":"x"}}`, bad, "query.bool.must: expected an object"},
		{`{"bool":{"must":[{"bool":{"filter":[{"match_all":{}},{"term":{"a":null}}]}}]}}`, bad, "query.bool.must[0].bool.filter[1].term.a"},
		{`{"bool":{"mustNot":[]}}`, bad, "query.bool.mustNot: unknown option"},
		{`{"bool":{"adjust_pure_negative":false}}`, bad, "not supported yet"},
		{`{"bool":{"minimum_should_match":true}}`, bad, "expected a form"},
		{`{"constant_score":{}}`, bad, "expected a filter"},
		{`{"constant_score":{"filter":[]}}`, bad, "expected an object"},
		{`{"nested":{"path":"a"}}`, bad, "expected a path and a query"},
		{`{"nested":{"path":"a","query":{"match_all":{}},"score_mode":"x"}}`, bad, "expected one of avg"},
		{`{"nested":{"path":"a","query":{"match_all":{}},"inner_hits":{}}}`, bad, "query.nested.inner_hits: not supported yet"},
		{`{"knn":[]}`, bad, "query.knn: expected an object"},
		{`{"knn":{"field":"f","query_vector":[1],"k":1}}`, bad, "query.knn.k: unknown option"},
		{`{"knn":{"field":"f","query_vector":[1],"num_candidates":10001}}`, bad, "query.knn.num_candidates: cannot exceed 10000"},
		{`{"knn":{"field":"f","query_vector":[1],"num_candidates":0}}`, bad, "at least 1"},
		{`{"knn":{"field":"f","query_vector":["x"]}}`, bad, "query.knn.query_vector[0]: expected a number"},
		{`{"knn":{"field":"f","query_vector":"0"}}`, bad, "hexadecimal"},
		{`{"knn":{"field":"f","query_vector":[` + strings.Repeat("1,", 4096) + `1]}}`, bad, "more than 4096 dimensions"},
		{`{"knn":{"field":"f","query_vector":"` + strings.Repeat("00", 4097) + `"}}`, bad, "more than 4096 dimensions"},
		{`{"knn":{"field":"f","query_vector_builder":{}}}`, bad, "not supported yet"},
		{`{"knn":{"field":"f"}}`, bad, "expected a query_vector"},
		{`{"knn":{"query_vector":[1]}}`, bad, "expected a field"},
		{`{"knn":{"field":"f","query_vector":[1],"filter":{"x":1}}}`, unknown, ""},
		{`{"geo_distance":{"distance":"1km"}}`, bad, "expected a field and a distance"},
		{`{"geo_distance":{"f":"1,2"}}`, bad, "expected a field and a distance"},
		{`{"geo_distance":{"f":"1,2","g":"1,2","distance":1}}`, bad, `found "f" and "g"`},
		{`{"geo_distance":{"f":"1,2","distance":0}}`, bad, "not greater than 0"},
		{`{"geo_distance":{"f":"1,2","distance":"1parsec"}}`, bad, "is not a distance"},
		{`{"geo_distance":{"f":"1,2","distance":1,"unit":"ell"}}`, bad, "not a unit"},
		{`{"geo_distance":{"f":"91,2","distance":1}}`, bad, "not on earth"},
		{`{"geo_distance":{"f":{"lat":1},"distance":1}}`, bad, "expected lat and lon"},
		{`{"geo_distance":{"f":[1],"distance":1}}`, bad, "expected [lon, lat]"},
		{`{"geo_distance":{"f":"aiu","distance":1}}`, bad, "nor a geohash"},
		{`{"geo_distance":{"f":"1,2","distance":1,"validation_method":"COERCE"}}`, bad, "COERCE is not supported yet"},
		{`{"geo_bounding_box":{"f":{"top_left":"1,1"}}}`, bad, "expected two opposite corners"},
		{`{"geo_bounding_box":{"f":{"topLeft":"1,1"}}}`, bad, "query.geo_bounding_box.f.topLeft: unknown option"},
		{`{"geo_bounding_box":{"f":{"top_left":"1,1","top_right":"1,1","bottom":0}}}`, bad, "given twice"},
		{`{"geo_bounding_box":{"f":{"top":1,"bottom":2,"left":1,"right":2}}}`, bad, "below"},
		{`{"geo_bounding_box":{"f":{"top":1,"bottom":-91,"left":1,"right":2}}}`, bad, "not on earth"},
		{`{"geo_bounding_box":{"f":{"wkt":"BBOX (1, 2)"}}}`, bad, "expected a text such as"},
		{`{"geo_polygon":{"f":{"points":["0,0","0,1","0,0"]}}}`, bad, "at least 3 points"},
		{`{"geo_polygon":{"f":{"points":"0,0"}}}`, bad, "expected points"},
		{`{"geo_polygon":{"f":[]}}`, bad, "query.geo_polygon.f: expected an object"},
		{`{"geo_shape":[]}`, bad, "query.geo_shape: expected an object"},
		{`{"geo_shape":{}}`, bad, "expected a field"},
		{`{"geo_shape":{"f":[]}}`, bad, "query.geo_shape.f: expected an object"},
		{`{"geo_shape":{"f":{}}}`, bad, "expected a shape"},
		{`{"geo_shape":{"f":{"shape":"POINT (1 1)"},"g":{"shape":"POINT (1 1)"}}}`, bad, `found "f" and "g"`},
		{`{"geo_shape":{"f":{"shape":"POINT (1 1)","relation":"touches"}}}`, bad, "expected one of intersects, disjoint, within, contains"},
		{`{"geo_shape":{"f":{"indexed_shape":{"index":"i","id":"1"}}}}`, bad, "query.geo_shape.f.indexed_shape: not supported"},
		{`{"geo_shape":{"f":{"shape":"POINT (1 1)","strategy":"x"}}}`, bad, "query.geo_shape.f.strategy: unknown option"},
		{`{"geo_shape":{"f":{"shape":{"type":"point","coordinates":[200,0]}}}}`, bad, "query.geo_shape.f.shape: invalid longitude 200"},
		{`{"geo_shape":{"f":{"shape":"LINESTRING (1 1, 2 2)","relation":"WITHIN"}}}`, bad, "not supported for shapes with lines"},
	}
	for _, tt := range tests {
		q, err := query.Parse(jsontext.Value(tt.in))
		if q != nil {
			t.Errorf("%.200s: a query comes with the error", tt.in)
		}
		tt.check(t, err)
	}
}

func TestDepthIsCountedAlongOnePath(t *testing.T) {
	deep := strings.Repeat(`{"constant_score":{"filter":`, 29) + `{"match_all":{}}` + strings.Repeat(`}}`, 29)
	if _, err := query.Parse(jsontext.Value(`{"bool":{"must":[` + strings.Repeat(`{"match_all":{}},`, 100) + `{"match_all":{}}]}}`)); err != nil {
		t.Error(err)
	}
	if _, err := query.Parse(jsontext.Value(deep)); err != nil {
		t.Error(err)
	}
}

// TestMinimumShouldMatch holds the examples of Elasticsearch's reference.
func TestMinimumShouldMatch(t *testing.T) {
	tests := []struct {
		spec string
		want map[int]int // clauses → needed
	}{
		{`2`, map[int]int{0: 2, 1: 2, 5: 2}},
		{`"3"`, map[int]int{5: 3}},
		{`-1`, map[int]int{0: 0, 1: 0, 4: 3}},
		{`"75%"`, map[int]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 3, 5: 3, 8: 6}},
		{`"-25%"`, map[int]int{1: 1, 3: 3, 4: 3, 8: 6}},
		{`"100%"`, map[int]int{7: 7}},
		{`"-100%"`, map[int]int{7: 0}},
		{`"29%"`, map[int]int{100: 29}},
		{`"3<90%"`, map[int]int{1: 1, 3: 3, 4: 3, 10: 9}},
		{`"2<75%"`, map[int]int{2: 2, 3: 2, 4: 3}},
		{`"2<-25% 9<-3"`, map[int]int{1: 1, 2: 2, 3: 3, 4: 3, 9: 7, 10: 7}},
		{`" 2 < -25%  9 <-3 "`, map[int]int{2: 2, 4: 3, 10: 7}},
		{`"0"`, map[int]int{3: 0}},
	}
	for _, tt := range tests {
		q, err := query.Parse(fmt.Appendf(nil, `{"bool":{"minimum_should_match":%s}}`, tt.spec))
		if err != nil {
			t.Errorf("%s: %v", tt.spec, err)
			continue
		}
		m := q.(*query.Bool).MinimumShouldMatch
		for clauses, want := range tt.want {
			if got := m.Of(clauses); got != want || !m.Set {
				t.Errorf("%s of %d: got %d, want %d", tt.spec, clauses, got, want)
			}
		}
	}
	for _, spec := range []string{`""`, `"%"`, `1.5`, `"a<1"`, `"1<"`, `"1<2<3"`, `"99999999999"`, `"2<75% x"`} {
		if _, err := query.Parse(fmt.Appendf(nil, `{"bool":{"minimum_should_match":%s}}`, spec)); !errors.Is(err, bad) {
			t.Errorf("%s is accepted: %v", spec, err)
		}
	}
}

func TestNeeded(t *testing.T) {
	for in, want := range map[string]int{
		`{}`:                          0,
		`{"should":{"match_all":{}}}`: 1,
		`{"should":{"match_all":{}},"must_not":{"match_all":{}}}`:                          1,
		`{"should":{"match_all":{}},"must":{"match_all":{}}}`:                              0,
		`{"should":{"match_all":{}},"filter":{"match_all":{}}}`:                            0,
		`{"should":{"match_all":{}},"filter":{"match_all":{}},"minimum_should_match":"1"}`: 1,
		`{"should":{"match_all":{}},"minimum_should_match":0}`:                             0,
	} {
		q, err := query.Parse(jsontext.Value(`{"bool":` + in + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := q.(*query.Bool).Needed(); got != want {
			t.Errorf("%s: got %d, want %d", in, got, want)
		}
	}
}

func TestWalk(t *testing.T) {
	q, err := query.Parse(jsontext.Value(`{"bool":{
		"must":[{"term":{"a":1}},{"terms":{"b":[1]}},{"range":{"c":{}}},{"exists":{"field":"d"}},{"prefix":{"e":"x"}},{"wildcard":{"f":"x"}}],
		"filter":{"nested":{"path":"n","query":{"nested":{"path":"n.m","query":{"regexp":{"n.m.g":"x"}}}}}},
		"should":[{"constant_score":{"filter":{"match":{"h":"x"}}}},{"match_phrase":{"i":"x"}},{"match_phrase_prefix":{"j":"x"}},{"multi_match":{"query":"x","fields":["k*","a"]}}],
		"must_not":[{"geo_distance":{"l":"1,1","distance":1}},{"geo_bounding_box":{"m":{"top":1,"left":1,"right":1,"bottom":1}}},{"geo_polygon":{"o":{"points":["0,0","0,1","1,1"]}}},{"geo_shape":{"p":{"shape":"POINT (1 1)"}}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(query.Fields(q), " "); got != "a b c d e f h i j k* l m n.m.g o p" {
		t.Errorf("fields: %s", got)
	}
	if got := strings.Join(query.NestedPaths(q), " "); got != "n n.m" {
		t.Errorf("nested paths: %s", got)
	}
	n := 0
	query.Walk(q, func(query.Query) bool { n++; return false })
	query.Walk(nil, func(query.Query) bool { n++; return false })
	if n != 1 {
		t.Errorf("%d visits", n)
	}
}

func TestPoints(t *testing.T) {
	for in, want := range map[string]query.Point{
		`{"lat":1.5,"lon":"-2"}`:                    {Lat: 1.5, Lon: -2},
		`{"type":"Point","coordinates":[-2,1.5]}`:   {Lat: 1.5, Lon: -2},
		`{"type":"Point","coordinates":[-2,1.5,9]}`: {Lat: 1.5, Lon: -2},
		`"1.5,-2"`:             {Lat: 1.5, Lon: -2},
		`" 1.5 , -2 , 100"`:    {Lat: 1.5, Lon: -2},
		`[-2,1.5]`:             {Lat: 1.5, Lon: -2},
		`"point( -2   1.5 )"`:  {Lat: 1.5, Lon: -2},
		`"POINT (-2 1.5 100)"`: {Lat: 1.5, Lon: -2},
		`"s"`:                  {Lat: 0, Lon: 0},
		`"7"`:                  {Lat: -45, Lon: -45},
		`{"geohash":"s"}`:      {},
		`{"lat":100,"lon":1}`:  {Lat: 100, Lon: 1},
	} {
		if got, err := query.ParsePoint(jsontext.Value(in)); err != nil || got != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		``, `1`, `null`, `{}`, `{"lat":1,"lon":2,"x":1}`, `{"lat":1,"lon":null}`, `[1,2,3,4]`, `["a",1]`, `"1,2,3,4"`, `"1,"`, `"a"`, `""`,
		`"POINT 1 2"`, `"POINT (1)"`, `"POINT (1 2"`, `"NaN,1"`, `{"type":"Line","coordinates":[1,2]}`, `{"type":"Point"}`, `"sssssssssssss"`,
	} {
		if got, err := query.ParsePoint(jsontext.Value(in)); err == nil {
			t.Errorf("%s is accepted: %v", in, got)
		}
	}
}

// TestUnknownWords: the hint fits what was meant.
func TestUnknownWords(t *testing.T) {
	for _, tt := range []refusal{
		{`{"query":{"equals":{"a":1}}}`, unknown, `lang read when that is "koncorde"`},
		{`{"query":{"bool":{"must":{"not":{"a":1}}}}}`, unknown, `lang read when that is "koncorde"`},
		{`{"query":{"matchall":{}}}`, unknown, `The search holds the unknown clause "matchall". Did you mean "match_all"?`},
		{`{"query":{"far_from_all":{}}}`, unknown, `unknown clause "far_from_all".`},
		{`{"aggs":{"a":{"foo":{}}}}`, unknown, `The search holds the unknown aggregation "foo".`},
		{`{"aggs":{"a":{"term":{}}}}`, unknown, `unknown aggregation "term". Did you mean "terms"?`},
	} {
		_, err := query.ParseSearch(jsontext.Value(tt.in))
		tt.check(t, err)
		if err != nil && strings.Contains(err.Error(), "koncorde") != strings.Contains(tt.says, "koncorde") {
			t.Errorf("%s: %v", tt.in, err)
		}
	}
}

// TestEveryClauseIsSuggested: what a hint names is read, and described.
func TestEveryClauseIsSuggested(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/search.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"bool", "constant_score", "exists", "geo_bounding_box", "geo_distance", "geo_polygon", "geo_shape", "ids", "match", "match_all", "match_none",
		"match_phrase", "match_phrase_prefix", "multi_match", "nested", "prefix", "query_string", "range", "regexp", "simple_query_string",
		"term", "terms", "wildcard",
	} {
		if _, err := query.Parse(jsontext.Value(`{"` + name + `":{}}`)); errors.Is(err, unknown) {
			t.Errorf("%s: %v", name, err)
		}
		_, err := query.Parse(jsontext.Value(`{"` + name + `x":{}}`))
		refusal{name, unknown, `Did you mean "` + name + `"?`}.check(t, err)
		if !strings.Contains(string(guide), "`"+name+"`") {
			t.Errorf("docs/search.md does not name %s", name)
		}
	}
}

// TestLongNamesLeaveRoom: what is wrong is said also about a place with a long name.
func TestLongNamesLeaveRoom(t *testing.T) {
	name := strings.Repeat("é", 50_000)
	_, err := query.Parse(jsontext.Value(`{"term":{"` + name + `":{"valu":1}}}`))
	refusal{"term", bad, "é.valu: unknown option"}.check(t, err)
	_, err = query.Koncorde(jsontext.Value(`{"range":{"` + name + `":{}}}`))
	refusal{"range", kerror.ServicesKoncordeElasticTranslationError, "é: expected at least one of"}.check(t, err)
}

func TestFuzzinessByLength(t *testing.T) {
	for fuzziness, want := range map[string][4]int{`"auto"`: {0, 1, 1, 2}, `"AUTO:1,4"`: {1, 1, 2, 2}, `0`: {}, `"1"`: {1, 1, 1, 1}, `2.5`: {2, 2, 2, 2}} {
		q, err := query.Parse([]byte(`{"fuzzy":{"f":{"value":"x","fuzziness":` + fuzziness + `}}}`))
		if err != nil {
			t.Fatal(err)
		}
		fuzzy := q.(*query.Fuzzy)
		for i, word := range []string{"éé", "ééé", "ééééé", "éééééé"} {
			if got := fuzzy.Fuzziness.Of(word); got != want[i] {
				t.Errorf("%s allows %d changes of %q, want %d", fuzziness, got, word, want[i])
			}
		}
	}
}
