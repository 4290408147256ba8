package mapping

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// A document of about 400 bytes with 10 mapped fields.
const (
	benchMapping = `{"dynamic":"false","properties":{"title":{"type":"text","fields":{"raw":{"type":"keyword"}}},"category":{"type":"keyword"},
		"price":{"type":"double"},"stock":{"type":"integer"},"active":{"type":"boolean"},"at":{"type":"date"},"seen":{"type":"date"},"where":{"type":"geo_point"},
		"tags":{"type":"keyword"},"owner":{"properties":{"name":{"type":"keyword"}}}}}`
	benchDocument = `{"title":"A lamp for the desk of a reader who reads at night","category":"furniture","price":129.95,"stock":42,"active":true,` +
		`"at":"2024-03-01T10:15:30.123Z","seen":1709288130123,"where":{"lat":48.8566,"lon":2.3522},"tags":["light","desk","night"],` +
		`"owner":{"name":"ann"},"note":"a field that no mapping knows, which is stored and passed over when it is indexed","extra":{"a":1,"b":[1,2,3]}}`
)

func BenchmarkFields(b *testing.B) {
	m := parse(b, benchMapping)
	doc := jsontext.Value(benchDocument)
	var d Document
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Fields(doc, &d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(jsontext.Value(benchMapping)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGrow(b *testing.B) {
	m := parse(b, `{"dynamic":true}`)
	doc := jsontext.Value(benchDocument)
	var d Document
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Fields(doc, &d); err != nil || d.Grown == nil {
			b.Fatal(err)
		}
	}
}
