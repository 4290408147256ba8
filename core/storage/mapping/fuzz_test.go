package mapping

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzParse: nothing panics, and what is accepted is written as what it is.
func FuzzParse(f *testing.F) {
	f.Add(`{"dynamic":"strict","_meta":{"a":1},"properties":{"a.b":{"type":"text","fields":{"k":{"type":"keyword","ignore_above":3}}}}}`)
	f.Add(`{"properties":{"o":{"dynamic":true,"properties":{"x":{"type":"nested","properties":{"y":{"type":"date","format":"yyyy","null_value":1}}}}}}}`)
	f.Add(`{"properties":{"v":{"type":"dense_vector","dims":3,"element_type":"byte","index_options":{"type":"hnsw","m":4}}}}`)
	f.Add(`{"properties":{"g":{"type":"geo_shape","orientation":"cw","ignore_z_value":false,"coerce":true,"doc_values":false}}}`)
	for definition := range valueTests {
		f.Add(`{"properties":{"a":` + definition + `}}`)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		m, err := Parse(jsontext.Value(raw))
		if err != nil {
			return
		}
		written := m.JSON(true)
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if string(again.JSON(true)) != string(written) {
			t.Fatalf("%s became %s", written, again.JSON(true))
		}
		if _, err := m.Merge(again); err != nil && m.checkReferences() == nil {
			t.Fatalf("%s does not merge with itself: %v", written, err)
		}
	})
}

// FuzzFields: nothing panics, what is accepted is bounded, and a grown mapping takes the document as it is.
func FuzzFields(f *testing.F) {
	const mapped = `{"dynamic":"true","properties":{"k":{"type":"keyword","copy_to":["c","d.e"]},"l":{"type":"long"},"f":{"type":"float"},"i":{"type":"ip"},
		"d":{"type":"object","properties":{"t":{"type":"date"}}},"g":{"type":"geo_point"},"b":{"type":"boolean"},"n":{"type":"nested","properties":{
		"x":{"type":"half_float"},"m":{"type":"nested"}}},"s":{"type":"object","dynamic":"strict"},
		"fl":{"type":"flattened","null_value":"x"},"ra":{"type":"date_range"},"ri":{"type":"ip_range"},"u":{"type":"unsigned_long"},"v":{"type":"dense_vector","dims":2},"gs":{"type":"geo_shape","coerce":true},"off":{"type":"object","enabled":false}}}`
	f.Add(mapped, `{"k":"v","l":9007199254740993,"f":1.5,"i":"::1","d":{"t":"2020-01-01"},"g":[1,2],"b":true,"n":[{"x":1,"m":{"y":[1]}}],"new":"x","off":[1]}`)
	f.Add(mapped, `{"n.m.x":[[{"a":null}]],"d.t":1,"s":{},"a":{"b":["2020/01/01"]}}`)
	f.Add(mapped, `{"s":{"x":1}}`)
	f.Add(mapped, `{"fl":{"a":[1,{"b":null}],"c.d":"e"},"ra":{"gte":"2020","lt":1600000000000},"ri":["10.0.0.0/8",{"gt":"::1"}],"u":18446744073709551615,"new":1}`)
	f.Add(mapped, `{"v":[1,2.5]}`)
	f.Add(mapped, `{"v":[0,"x",null]}`)
	f.Add(mapped, `{"gs":["POINT (1 2)",{"type":"polygon","coordinates":[[[0,0],[1,0],[1,1]]]},null]}`)
	f.Fuzz(func(t *testing.T, mapping, doc string) {
		m, err := Parse(jsontext.Value(mapping))
		if err != nil {
			return
		}
		var d Document
		if m.Fields(jsontext.Value(doc), &d) != nil || d.Grown == nil {
			return
		}
		grown, n := d.Grown, len(d.Values)
		if err := grown.Fields(jsontext.Value(doc), &d); err != nil || d.Grown != nil || len(d.Values) != n {
			t.Fatalf("%s: %v, %d values, were %d", doc, err, len(d.Values), n)
		}
	})
}
