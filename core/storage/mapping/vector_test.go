package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestVectors says what a real Elasticsearch 8.14 does with the same values. A want that begins with ! is a part of the refusal.
func TestVectors(t *testing.T) {
	for definition, cases := range map[string][][2]string{
		`{"type":"dense_vector","dims":3,"similarity":"l2_norm"}`: {
			{`[1,2,3]`, "[1 2 3]"},
			{`[ 1 , -2.5e0 ,0.1 ]`, "[1 -2.5 0.1]"},
			{`[0,0,0]`, "[0 0 0]"},
			{`null`, "[]"},
			{`[1,2]`, "!it has 2 dimensions where the mapping of the field has 3"},
			{`[]`, "!it has 0 dimensions"},
			{`[1,2,3,4]`, "!more dimensions"},
			{`[` + strings.Repeat("1,", 100_000) + `1]`, "!more dimensions"},
			{`["1",2,3]`, "!expected a list of numbers"},
			{`[1,null,3]`, "!expected a list of numbers"},
			{`[1,true,3]`, "!expected a list of numbers"},
			{`[[1,2,3]]`, "!expected a list of numbers"},
			{`[1,2,{"a":1}]`, "!expected a list of numbers"},
			{`3`, "!expected a list of numbers"},
			{`"010203"`, "!expected a list of numbers"},
			{`{"a":1}`, "!expected a list of numbers"},
			{`[1e39,2,3]`, "!too extreme"},
			{`[1e999,2,3]`, "!too extreme"},
			{`[1e30,1e30,1]`, "!too extreme"},
		},
		`{"type":"dense_vector","dims":2}`: {
			{`[3,4]`, "[0.6 0.8]"},
			{`[0,0]`, "!zero magnitude"},
			{`[1e-30,0]`, "!zero magnitude"},
		},
		`{"type":"dense_vector","dims":2,"similarity":"dot_product"}`: {
			{`[0,1]`, "[0 1]"}, {`[0.6,0.8]`, "[0.6 0.8]"}, {`[1.00004,0]`, "[1.00004 0]"}, {`[1.0001,0]`, "!unit-length"}, {`[0,0]`, "!unit-length"},
		},
		`{"type":"dense_vector","dims":2,"similarity":"max_inner_product"}`: {{`[0,0]`, "[0 0]"}},
		`{"type":"dense_vector","dims":2,"index":false}`:                    {{`[0,0]`, "[0 0]"}, {`[3,4]`, "[3 4]"}, {`[1]`, "!it has 1"}},
		`{"type":"dense_vector","dims":2,"element_type":"byte","similarity":"dot_product"}`: {
			{`[127,-128]`, "[127 -128]"},
			{`[1.0,2]`, "[1 2]"},
			{`"7f80"`, "[127 -128]"},
			{`[0,0]`, "[0 0]"},
			{`[128,0]`, "!only support integers between [-128, 127] but found [128] at dim [0]"},
			{`[0,-129]`, "!at dim [1]"},
			{`[1.5,0]`, "!non-decimal values but found decimal value [1.5]"},
			{`"7f8"`, "!hexadecimal"},
			{`"7f"`, "!it has 1 dimensions"},
			{`"` + strings.Repeat("00", 5000) + `"`, "!more than 4096"},
		},
		`{"type":"dense_vector","dims":2,"element_type":"byte"}`: {{`[3,4]`, "[0.6 0.8]"}, {`"0000"`, "!zero magnitude"}},
	} {
		m := field(t, definition)
		for _, c := range cases {
			var d Document
			err := m.Fields([]byte(`{"a":`+c[0]+`}`), &d)
			if part, refusal := strings.CutPrefix(c[1], "!"); refusal {
				is(t, err, kerror.ServicesStorageUnexpectedBadRequest, part)
				continue
			}
			var got []float32
			for _, v := range d.Values {
				got = VectorOf(got, v.Text)
			}
			if err != nil || fmt.Sprint(got) != c[1] {
				t.Errorf("%s %.80s: %v, %v; want %s", definition, c[0], got, err, c[1])
			}
		}
	}
}

// TestOneVector: a document has one vector in a field, and each nested document one of its own.
func TestOneVector(t *testing.T) {
	m := parse(t, `{"properties":{"o":{"properties":{"v":{"type":"dense_vector","dims":1}}},
		"n":{"type":"nested","properties":{"v":{"type":"dense_vector","dims":1}}},"k":{"type":"keyword","copy_to":"o.v"}}}`)
	var d Document
	for range 2 { // a Document is used again
		if err := m.Fields([]byte(`{"o":{"v":[1]},"n":[{"v":[1]},{"v":[1]}]}`), &d); err != nil || len(d.Values) != 3 {
			t.Fatalf("%d values, %v", len(d.Values), err)
		}
	}
	for doc, want := range map[string]string{
		`{"o":[{"v":[1]},{"v":[2]}]}`:   "more than one value",
		`{"o.v":[1],"o":{"v":[1]}}`:     "more than one value",
		`{"n":[{"v":[1]},{"v":[1,2]}]}`: "more dimensions",
		`{"k":"x"}`:                     "cannot be copied",
	} {
		is(t, m.Fields([]byte(doc), &d), kerror.ServicesStorageUnexpectedBadRequest, want)
	}
}

func TestVectorMappings(t *testing.T) {
	for _, c := range [][2]string{
		{`{"type":"dense_vector","dims":3}`, ""},
		{`{"type":"dense_vector","element_type":"byte","dims":4096,"similarity":"dot_product","meta":{"a":"b"}}`, ""},
		{`{"type":"dense_vector","dims":3,"index":false}`, ""},
		{`{"type":"dense_vector","dims":3,"similarity":"cosine","element_type":"float","index":true}`, `{"type":"dense_vector","dims":3}`},
		{`{"type":"dense_vector","dims":3,"index_options":{"type":"int8_hnsw"}}`, `{"type":"dense_vector","dims":3}`},
		{`{"type":"dense_vector","dims":3,"index_options":{"m":8,"type":"hnsw"}}`, `{"type":"dense_vector","dims":3,"index_options":{"type":"hnsw","m":8,"ef_construction":100}}`},
		{`{"type":"dense_vector","dims":3,"index_options":{"type":"int8_flat","confidence_interval":0.95}}`, ""},
		{`{"type":"dense_vector","dims":3,"index_options":{"type":"flat"}}`, ""},
		{`{"type":"dense_vector","dims":3,"similarity":null,"index_options":null}`, `{"type":"dense_vector","dims":3}`},
		{`{"type":"dense_vector"}`, "!dims"},
		{`{"type":"dense_vector","dims":0}`, "!dims"},
		{`{"type":"dense_vector","dims":4097}`, "!dims"},
		{`{"type":"dense_vector","dims":3.5}`, "!dims"},
		{`{"type":"dense_vector","dims":"3"}`, "!dims"},
		{`{"type":"dense_vector","dims":3,"similarity":"L2_NORM"}`, "!similarity"},
		{`{"type":"dense_vector","dims":3,"index":false,"similarity":"cosine"}`, "!similarity"},
		{`{"type":"dense_vector","dims":3,"index":false,"index_options":{"type":"hnsw"}}`, "!index_options"},
		{`{"type":"dense_vector","dims":3,"element_type":"bit"}`, "!element_type"},
		{`{"type":"dense_vector","dims":3,"element_type":"byte","index_options":{"type":"int8_hnsw"}}`, "!index_options"},
		{`{"type":"dense_vector","dims":3,"index_options":{}}`, "!index_options"},
		{`{"type":"dense_vector","dims":3,"index_options":{"type":"bbq"}}`, "!index_options"},
		{`{"type":"dense_vector","dims":3,"index_options":{"type":"flat","m":3}}`, "!index_options"},
		{`{"type":"dense_vector","dims":3,"index_options":{"type":"hnsw","m":"x"}}`, "!index_options"},
	} {
		m, err := Parse([]byte(`{"properties":{"a":` + c[0] + `}}`))
		if option, refusal := strings.CutPrefix(c[1], "!"); refusal {
			is(t, err, kerror.ServicesStorageInvalidMappingArgument, "a", option)
			continue
		}
		want := c[1]
		if want == "" {
			want = c[0]
		}
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
		} else if got := properties(m); got != `{"a":`+want+`}` {
			t.Errorf("%s gives %s", c[0], got)
		}
	}
	for _, definition := range []string{
		`{"type":"dense_vector","dims":3,"doc_values":false}`, `{"type":"dense_vector","dims":3,"fields":{}}`, `{"type":"dense_vector","dims":3,"copy_to":"b"}`,
	} {
		_, err := Parse([]byte(`{"properties":{"a":` + definition + `}}`))
		is(t, err, kerror.ServicesStorageUnexpectedProperties)
	}
	_, err := Parse([]byte(`{"properties":{"a":{"type":"keyword","fields":{"v":{"type":"dense_vector","dims":3}}}}}`))
	is(t, err, kerror.ServicesStorageInvalidMappingArgument, "a.v", "type")
	_, err = field(t, `{"type":"dense_vector","dims":3}`).Merge(field(t, `{"type":"dense_vector","dims":4}`))
	is(t, err, kerror.ServicesStorageCannotChangeMapping, "a", "dims")
}
