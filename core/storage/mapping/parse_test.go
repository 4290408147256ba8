package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// What a real Elasticsearch 8.14 gives back, but for options that say what holds anyway.
func TestRoundTrip(t *testing.T) {
	same := ""
	for _, c := range [][2]string{
		{`{}`, `{"dynamic":"false","properties":{}}`},
		{`{"dynamic":true,"properties":{}}`, `{"dynamic":"true","properties":{}}`},
		{`{"dynamic":"strict","_meta":{"z": 1,"a":[2]},"properties":{}}`, `{"dynamic":"strict","_meta":{"z":1,"a":[2]},"properties":{}}`},
		{`{"_meta":null,"properties":[]}`, `{"dynamic":"false","properties":{}}`},
		{
			`{"dynamic":"true","properties":{"z":{"type":"long"},"o":{"type":"object"},"o2":{"properties":{}},"o3":{"enabled":false},
			"o4":{"dynamic":false,"properties":{"x":{"type":"long"}}},"n":{"type":"nested","dynamic":"strict"}}}`,
			`{"dynamic":"true","properties":{"n":{"type":"nested","dynamic":"strict"},"o":{"type":"object"},"o2":{"type":"object"},` +
				`"o3":{"type":"object","enabled":false},"o4":{"dynamic":"false","properties":{"x":{"type":"long"}}},"z":{"type":"long"}}}`,
		},
		{
			`{"properties":{"a.b":{"type":"long"},"a":{"properties":{"c.d":{"type":"ip"}}},"e.":{"type":"byte"}}}`,
			`{"dynamic":"false","properties":{"a":{"properties":{"b":{"type":"long"},"c":{"properties":{"d":{"type":"ip"}}}}},"e":{"type":"byte"}}}`,
		},
	} {
		m := parse(t, c[0])
		if got := string(m.JSON(true)); got != c[1] {
			t.Errorf("%s\ngives %s\nwant  %s", c[0], got, c[1])
		}
		if again := parse(t, c[1]); string(again.JSON(true)) != c[1] {
			t.Errorf("%s changes to %s", c[1], again.JSON(true))
		}
	}
	for _, c := range [][2]string{
		{`{"type":"keyword","index":true,"doc_values":true,"store":false,"ignore_above":"5","null_value":"x","normalizer":"lowercase","copy_to":"b","meta":{"u":"v"},"fields":{"t":{"type":"text"}}}`, `{"type":"keyword","ignore_above":5,"normalizer":"lowercase","null_value":"x","meta":{"u":"v"},"copy_to":["b"],"fields":{"t":{"type":"text"}}}`},
		{`{"type":"keyword","index":false,"doc_values":"false","store":true,"eager_global_ordinals":true}`, `{"type":"keyword","index":false,"doc_values":false,"store":true,"eager_global_ordinals":true}`},
		{`{"type":"keyword","null_value":5,"copy_to":[]}`, `{"type":"keyword","null_value":"5"}`},
		{`{"type":"text","analyzer":"simple","search_analyzer":"simple"}`, `{"type":"text","analyzer":"simple"}`},
		{`{"type":"text","analyzer":"default"}`, `{"type":"text"}`},
		{`{"type":"text","analyzer":"standard","search_analyzer":"english"}`, same},
		{`{"type":"text","search_analyzer":"simple"}`, same},
		{`{"type":"text","norms":false,"fielddata":true}`, same},
		{`{"type":"text","index_options":"offsets","term_vector":"with_positions_offsets"}`, same},
		{`{"type":"text","index_options":"positions","term_vector":"no","position_increment_gap":100}`, `{"type":"text"}`},
		{`{"type":"long","coerce":true,"null_value":"5","ignore_malformed":false,"index":"true"}`, `{"type":"long","null_value":5}`},
		{`{"type":"long","coerce":false,"ignore_malformed":true,"null_value":5.0}`, `{"type":"long","coerce":false,"ignore_malformed":true,"null_value":5}`},
		{`{"type":"long","null_value":null}`, `{"type":"long"}`},
		{`{"type":"float","null_value":0.1}`, same},
		{`{"type":"date","format":"strict_date_optional_time||epoch_millis","null_value":"2020"}`, `{"type":"date","null_value":"2020"}`},
		{`{"type":"date","format":"yyyy","null_value":2020}`, `{"type":"date","format":"yyyy","null_value":"2020"}`},
		{`{"type":"boolean","null_value":"true"}`, `{"type":"boolean","null_value":true}`},
		{`{"type":"ip","null_value":"1.2.3.4"}`, same},
		{`{"type":"geo_point","null_value":"1,2"}`, `{"type":"geo_point","null_value":{"lat":1,"lon":2}}`},
		{`{"type":"binary","store":true}`, same},
		{`{"type":"alias","path":"b"}`, same},
		{`{"type":"nested","enabled":false}`, same},
	} {
		want := c[1]
		if want == same {
			want = c[0]
		}
		if got := properties(field(t, c[0])); got != `{"a":`+want+`}` {
			t.Errorf("%s\ngives %s\nwant  %s", c[0], got, want)
		}
		if got := properties(field(t, want)); got != `{"a":`+want+`}` {
			t.Errorf("%s changes to %s", want, got)
		}
	}
}

func TestParseRefusals(t *testing.T) {
	invalid, argument, wrong := kerror.ServicesStorageInvalidMapping, kerror.ServicesStorageInvalidMappingArgument, kerror.ServicesStorageWrongMappingProperty
	unexpected, unknown, refused := kerror.ServicesStorageUnexpectedProperties, kerror.ServicesStorageInvalidMappingType, kerror.ServicesStorageUnexpectedBadRequest
	for _, c := range []struct {
		raw   string
		def   *kerror.Def
		props []string
	}{
		{`{"propertis":{}}`, invalid, []string{"propertis", `Did you mean "properties"?`}},
		{`{"meta":{}}`, invalid, []string{"meta", `"_meta"`}},
		{`{"dynamic_templates":[]}`, invalid, []string{"dynamic_templates", ""}},
		{`{"dynamic":"yes"}`, invalid, []string{"dynamic", "true, false or strict"}},
		{`{"dynamic":"strct"}`, invalid, []string{"dynamic", `Did you mean "strict"?`}},
		{`{"dynamic":"runtime"}`, invalid, []string{"dynamic"}},
		{`{"dynamic":null}`, invalid, []string{"dynamic"}},
		{`{"dynamic":""}`, invalid, []string{"dynamic"}},
		{`{"dynamic":1}`, invalid, []string{"dynamic"}},
		{`{"properties":{"o":{"type":"object","dynamic":"runtime"}}}`, invalid, []string{"properties.o.dynamic"}},
		{`{"properties":{"o":{"properties":{"p":{"type":"nested","dynamic":3}}}}}`, invalid, []string{"properties.o.properties.p.dynamic"}},
		{`{"properties":{"_id":{"type":"keyword"}}}`, invalid, []string{"properties._id"}},
		{`{"properties":{"":{"type":"keyword"}}}`, invalid, []string{"properties."}},
		{`{"properties":{"a..b":{"type":"keyword"}}}`, invalid, []string{"properties.a..b"}},
		{`{"_meta":3}`, wrong, []string{"_meta"}},
		{`[]`, wrong, []string{"mappings"}},
		{`{"properties":null}`, wrong, []string{"properties"}},
		{`{"properties":[1]}`, wrong, []string{"properties"}},
		{`{"properties":{"a":3}}`, wrong, []string{"properties.a", "Expected an object."}},
		{`{"properties":{"a":{"properties":3}}}`, wrong, []string{"properties.a.properties"}},
		{``, refused, nil},
		{`{`, refused, nil},
		{`{"properties":{},"properties":{}}`, refused, nil},
		{`{"properties":{"a.b":{"type":"long"},"a":{"type":"long"}}}`, kerror.ServicesStorageCannotChangeMapping, []string{"a"}},
		{`{"properties":{"a":{"type":"long"},"a.b":{"type":"long"}}}`, kerror.ServicesStorageCannotChangeMapping, []string{"a"}},

		{`{"type":"Long"}`, unknown, []string{"a", "Long", `Did you mean "long"?`}},
		{`{"type":3}`, unknown, []string{"a", "3"}},
		{`{"type":"shape"}`, unknown, []string{"a", "shape", "The types are object, nested, keyword, text, long"}},
		{`{}`, argument, []string{"a", "type"}},
		{`{"foo":1}`, argument, []string{"a", "type"}},
		{`{"type":null}`, argument, []string{"a", "type"}},
		{`{"type":"object","foo":1}`, unexpected, []string{"foo", "a", "A field of type object can have type, properties, dynamic, enabled."}},
		{`{"type":"object","fields":{}}`, unexpected, []string{"fields", "a"}},
		{`{"type":"object","_meta":{}}`, unexpected, []string{"_meta", "a"}},
		{`{"properties":{"b":{"type":"long","foo":1}}}`, unexpected, []string{"foo", "a.b"}},
		{`{"type":"nested","include_in_parent":true}`, unexpected, []string{"include_in_parent", "a"}},
		{`{"type":"object","subobjects":false}`, unexpected, []string{"subobjects", "a"}},
		{`{"type":"long","properties":{}}`, unexpected, []string{"properties", "a"}},
		{`{"type":"long","dynamic":true}`, unexpected, []string{"dynamic", "a"}},
		{`{"type":"long","ignore_above":1}`, unexpected, []string{"ignore_above", "a"}},
		{`{"type":"text","null_value":"x"}`, unexpected, []string{"null_value", "a", "A field of type text can have type, index, store"}},
		{`{"type":"text","analyser":"french"}`, unexpected, []string{"analyser", "a", `Did you mean "analyzer"?`}},
		{`{"type":"text","doc_values":false}`, unexpected, []string{"doc_values", "a"}},
		{`{"type":"geo_point","coerce":true}`, unexpected, []string{"coerce", "a"}},
		{`{"type":"ip","coerce":true}`, unexpected, []string{"coerce", "a"}},
		{`{"type":"date","locale":"en"}`, unexpected, []string{"locale", "a"}},
		{`{"type":"binary","index":true}`, unexpected, []string{"index", "a"}},
		{`{"type":"alias","path":"b","fields":{}}`, unexpected, []string{"fields", "a"}},
		{`{"type":"keyword","fields":{"b":{"type":"keyword","fields":{}}}}`, unexpected, []string{"fields", "a.b"}},
		{`{"type":"keyword","fields":{"b":{"type":"keyword","copy_to":"c"}}}`, unexpected, []string{"copy_to", "a.b"}},
		{`{"type":"long","index":"yes"}`, argument, []string{"a", "index", "true or false"}},
		{`{"type":"long","index":1}`, argument, []string{"a", "index"}},
		{`{"type":"long","index":null}`, argument, []string{"a", "index"}},
		{`{"type":"object","enabled":1}`, argument, []string{"a", "enabled"}},
		{`{"type":"long","null_value":"x"}`, argument, []string{"a", "null_value", "not a number"}},
		{`{"type":"byte","null_value":300}`, argument, []string{"a", "null_value", "out of range"}},
		{`{"type":"keyword","null_value":[]}`, argument, []string{"a", "null_value"}},
		{`{"type":"date","null_value":"soon"}`, argument, []string{"a", "null_value"}},
		{`{"type":"keyword","ignore_above":-1}`, argument, []string{"a", "ignore_above"}},
		{`{"type":"keyword","ignore_above":1.5}`, argument, []string{"a", "ignore_above"}},
		{`{"type":"keyword","normalizer":"upper"}`, argument, []string{"a", "normalizer", "upper"}},
		{`{"type":"text","analyzer":"upper"}`, argument, []string{"a", "analyzer", `"upper"; there are arabic`}},
		{`{"type":"text","search_analyzer":1}`, argument, []string{"a", "search_analyzer"}},
		{`{"type":"text","index":false,"fielddata":true}`, argument, []string{"a", "fielddata"}},
		{`{"type":"text","index_options":"freqs"}`, argument, []string{"a", "index_options", "use positions or offsets"}},
		{`{"type":"text","index_options":"x"}`, argument, []string{"a", "index_options"}},
		{`{"type":"text","term_vector":"x"}`, argument, []string{"a", "term_vector", "with_positions_offsets"}},
		{`{"type":"text","position_increment_gap":0}`, argument, []string{"a", "position_increment_gap", "only 100"}},
		{`{"type":"keyword","term_vector":"no"}`, kerror.ServicesStorageUnexpectedProperties, nil},
		{`{"type":"date","format":"nonsense"}`, argument, []string{"a", "format", "nonsense"}},
		{`{"type":"date","format":""}`, argument, []string{"a", "format"}},
		{`{"type":"keyword","meta":{"a":1}}`, argument, []string{"a", "meta"}},
		{`{"type":"keyword","copy_to":{}}`, argument, []string{"a", "copy_to"}},
		{`{"type":"keyword","copy_to":["b",""]}`, argument, []string{"a", "copy_to"}},
		{`{"type":"scaled_float"}`, argument, []string{"a", "scaling_factor", "it is missing"}},
		{`{"type":"scaled_float","scaling_factor":0}`, argument, []string{"a", "scaling_factor", "above 0"}},
		{`{"type":"scaled_float","scaling_factor":"x"}`, argument, []string{"a", "scaling_factor", "above 0"}},
		{`{"type":"double","scaling_factor":10}`, unexpected, []string{"scaling_factor", "a"}},
		{`{"type":"unsigned_long","null_value":-1}`, argument, []string{"a", "null_value", "out of range"}},
		{`{"type":"unsigned_long","coerce":true}`, unexpected, []string{"coerce", "a"}},
		{`{"type":"flattened","fields":{}}`, unexpected, []string{"fields", "a"}},
		{`{"type":"flattened","depth_limit":-1}`, argument, []string{"a", "depth_limit"}},
		{`{"type":"flattened","coerce":true}`, unexpected, []string{"coerce", "a"}},
		{`{"type":"ip_range","null_value":"10.0.0.0/8"}`, unexpected, []string{"null_value", "a"}},
		{`{"type":"long_range","format":"yyyy"}`, unexpected, []string{"format", "a"}},
		{`{"type":"date_range","format":"nonsense"}`, argument, []string{"a", "format"}},
		{`{"type":"keyword","fields":{"b":{"type":"long_range"}}}`, argument, []string{"a.b", "type"}},
		{`{"type":"keyword","fields":{"b":{"type":"flattened"}}}`, argument, []string{"a.b", "type"}},
		{`{"type":"alias"}`, argument, []string{"a", "path"}},
		{`{"type":"keyword","fields":3}`, argument, []string{"a", "fields"}},
		{`{"type":"keyword","fields":{"b.c":{"type":"long"}}}`, argument, []string{"a", "fields"}},
		{`{"type":"keyword","fields":{"b":{"type":"object"}}}`, argument, []string{"a.b", "type"}},
		{`{"type":"keyword","fields":{"b":{"type":"alias","path":"a"}}}`, argument, []string{"a.b", "type"}},
		{`{"type":"keyword","fields":{"b":{}}}`, argument, []string{"a.b", "type"}},
	} {
		raw := c.raw
		if c.def == unexpected || c.def == unknown || c.def == argument {
			raw = `{"properties":{"a":` + raw + `}}`
		}
		t.Run(raw, func(t *testing.T) {
			_, err := Parse(jsontext.Value(raw))
			is(t, err, c.def, c.props...)
		})
	}
}

func TestLimits(t *testing.T) {
	many := func(n int, definition string) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"f%d":%s`, i, definition))
		}
		return `{"properties":{` + strings.Join(list, ",") + `}}`
	}
	deep := func(n int, inner string) string {
		return strings.Repeat(`{"properties":{"o":`, n) + inner + strings.Repeat("}}", n)
	}
	sub := `{"type":"long","fields":{"k":{"type":"keyword"}}}`
	for _, raw := range []string{many(1000, `{"type":"long"}`), many(500, sub), many(50, `{"type":"nested"}`), deep(20, `{"type":"long"}`), deep(19, `{"type":"object"}`)} {
		parse(t, raw)
	}
	for _, raw := range []string{
		many(1001, `{"type":"long"}`), many(501, sub), many(51, `{"type":"nested"}`), deep(21, `{"type":"long"}`), deep(20, `{"type":"object"}`), deep(3000, `{"type":"object"}`),
		`{"properties":{"` + strings.Repeat("a.", 30) + `b":{"type":"long"}}}`,
	} {
		_, err := Parse(jsontext.Value(raw))
		is(t, err, kerror.ServicesStorageUnexpectedBadRequest, "more than")
	}
}

func TestAccessors(t *testing.T) {
	m, err := Common().Merge(parse(t, `{"_meta":{"a":1},"properties":{"t":{"type":"text","analyzer":"french","fields":{"k":{"type":"keyword"}}},
		"al":{"type":"alias","path":"t"},"n":{"type":"nested","properties":{"o":{"properties":{"x":{"type":"date"}}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for f := range m.All() {
		paths = append(paths, f.Path)
	}
	want := "_kuzzle_info _kuzzle_info.author _kuzzle_info.createdAt _kuzzle_info.updatedAt _kuzzle_info.updater al n n.o n.o.x t t.k"
	if got := strings.Join(paths, " "); got != want || m.Len() != len(paths) {
		t.Errorf("%s", got)
	}
	for range m.All() {
		break
	}
	text := m.Resolve("al")
	if text == nil || text.Path != "t" || m.Field("al").Type != Alias || m.Resolve("no") != nil || len(text.SubFields()) != 1 {
		t.Error("the alias is not resolved")
	}
	if text.IndexAnalyzer() != "french" || text.Words() == nil || text.QueryAnalyzer() != "french" || field(t, `{"type":"text","search_analyzer":"stop"}`).Field("a").QueryAnalyzer() != "stop" ||
		field(t, `{"type":"text"}`).Field("a").QueryAnalyzer() != "default" {
		t.Error("wrong analyzers")
	}
	x := m.Field("n.o.x")
	if x.Nested != "n" || m.Field("n").Nested != "" || x.DateFormat() == nil || m.Field("n").Unmapped() != Ignore || len(m.Root().Properties()) != 4 {
		t.Error("wrong places")
	}
	if string(m.Meta()) != `{"a":1}` || strings.Contains(string(m.JSON(false)), "_kuzzle_info") || !strings.Contains(string(m.JSON(true)), "_kuzzle_info") {
		t.Error("wrong JSON")
	}
}

// TestRefusalsSayWhy: the reason stands in the message, not only among the props.
func TestRefusalsSayWhy(t *testing.T) {
	for raw, want := range map[string]string{
		`{"type":"shape"}`:                     `The field "a" has the unknown mapping type "shape". The types are object, nested,`,
		`{"type":"text","analyzer":"upper"}`:   `The property "analyzer" in the mapping of the field "a" is wrong: there is no analyzer "upper"; there are arabic, `,
		`{"type":"long","indx":true}`:          `The property "indx" is not allowed in the mapping of the field "a". Did you mean "index"?`,
		`{"type":"long","coerce":3}`:           `The property "coerce" in the mapping of the field "a" is wrong: expected true or false.`,
		`{"properties":[1]}`:                   `The mapping property "properties.a.properties" is malformed. Expected an object.`,
		`{"type":"date","format":"nonsense"}`:  `The property "format" in the mapping of the field "a" is wrong: `,
		`{"type":"keyword","ignore_above":-1}`: `The property "ignore_above" in the mapping of the field "a" is wrong: expected a whole number of at least 0.`,
	} {
		_, err := Parse(jsontext.Value(`{"properties":{"a":` + raw + `}}`))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
