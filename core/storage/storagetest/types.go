package storagetest

import (
	_ "embed" // the recorded answers
	"fmt"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// goldenTypes is what golden is, for the types of fields that the corpus does not have. RecordTypes writes it.
//
//go:embed testdata/types.jsonl.gz
var goldenTypes []byte

// typesSpec is the collection with those fields. The types that the recorded Elasticsearch lacks, scaled_float and unsigned_long,
// are tested beside the embedded engine.
var typesSpec = storage.Spec{Settings: jsontext.Value(`{"analysis":{
	"tokenizer":{"front":{"type":"edge_ngram","min_gram":2,"max_gram":4,"token_chars":["letter"]}},
	"filter":{"begin":{"type":"edge_ngram","min_gram":2,"max_gram":6},"few":{"type":"stop","stopwords":["the"]}},
	"analyzer":{"fronts":{"tokenizer":"front","filter":["lowercase"]},"complete":{"tokenizer":"standard","filter":["lowercase","asciifolding","begin"]},
		"fold":{"tokenizer":"standard","filter":["lowercase","few","asciifolding"]}},
	"normalizer":{"plain":{"type":"custom","filter":["lowercase","asciifolding"]}}
}}`), Mapping: jsontext.Value(`{"dynamic":"false","properties":{
	"uid":{"type":"keyword"},
	"labels":{"type":"flattened"},
	"split":{"type":"flattened","split_queries_on_whitespace":true,"null_value":"none","ignore_above":12},
	"deep":{"properties":{"flat":{"type":"flattened","depth_limit":3}}},
	"tags":{"type":"alias","path":"labels"},
	"i":{"type":"integer_range"},"l":{"type":"long_range"},"f":{"type":"float_range"},"d":{"type":"double_range"},
	"at":{"type":"date_range"},
	"day":{"type":"date_range","format":"yyyy-MM-dd||yyyy"},
	"ip":{"type":"ip_range"},
	"blob":{"type":"binary"},
	"fold":{"type":"text","analyzer":"fold","fields":{"raw":{"type":"keyword","normalizer":"plain"}}},
	"complete":{"type":"text","analyzer":"complete","search_analyzer":"fold"},
	"fronts":{"type":"text","analyzer":"fronts"}
}}`)}

// typesDocuments are the documents; their numbers are their ids.
var typesDocuments = []string{
	`{"labels":{"priority":"urgent","release":["v1.2.5","v1.3.0"],"timestamp":{"created":1541458026,"closed":1541457010}},"i":{"gte":1,"lte":5},"ip":"10.0.0.0/8"}`,
	`{"labels":{"priority":"low","release":"v1.2.5"},"i":{"gt":1,"lt":3},"ip":{"gt":"10.0.0.1","lte":"10.0.0.9"},"at":{"gte":"2020-01-01","lt":"2021-01"}}`,
	`{"labels":[{"priority":"urgent"},{"priority":["high","low"],"n":null}],"i":{"gte":"1.7","lte":"5.9"},"blob":"U29tZQ=="}`,
	`{"labels":{},"i":{},"l":{"gte":-9223372036854775808},"f":{"gte":0.1,"lt":0.3},"d":{"gt":0.1,"lte":0.3}}`,
	`{"labels":null,"i":null,"at":{"gte":"2020-06-01T00:00:00","lte":1600000000000},"day":{"gte":"2020","lte":"2021"}}`,
	`{"labels":{"priority":"Urgent","b":true,"x":1.50,"y":{"z":{"k":"deep"}}},"i":[{"gte":1,"lte":2},{"gte":7}],"l":{"gte":9007199254740993,"lte":9007199254740993}}`,
	`{"split":{"a":"two words","b":null,"c":"a text above the limit"},"i":{"gte":null,"lt":null},"ip":{"gte":"::1","lte":"2001:db8::ff"}}`,
	`{"split":{"a":["two","words"]},"deep":{"flat":{"a":{"b":"c"}}},"l":{"gt":5,"lt":7},"day":{"gt":"2020-02-03","lt":"2020-02-05"}}`,
	`{"labels":{"priority":"","release":"v1.3.0 rc"},"ip":{"lte":"10.0.0.4"},"f":{"gt":-1.5},"d":{"lt":1e300},"at":{"gt":"2022-01-01"}}`,
	`{"fold":"The Café of Müller","complete":"The Café of Müller","fronts":"The Café of Müller"}`,
	`{"fold":["cafe","Straße"],"complete":"muller's cafeteria","fronts":"cafeteria 42"}`,
	`{"i":{"gte":5,"lte":5},"unknown":1}`,
}

// typesBodies are what is asked of them.
var typesBodies = []string{
	`{"query":{"term":{"labels":"urgent"}}}`,
	`{"query":{"term":{"labels.priority":"urgent"}}}`,
	`{"query":{"term":{"labels.priority":{"value":"URGENT","case_insensitive":true}}}}`,
	`{"query":{"term":{"tags.priority":"urgent"}}}`,
	`{"query":{"term":{"tags":"urgent"}}}`,
	`{"query":{"term":{"labels.release":"v1.3.0"}}}`,
	`{"query":{"term":{"labels.timestamp.created":1541458026}}}`,
	`{"query":{"term":{"labels.timestamp":1541458026}}}`,
	`{"query":{"term":{"labels.b":true}}}`,
	`{"query":{"term":{"labels.x":"1.50"}}}`,
	`{"query":{"term":{"labels.x":"1.5"}}}`,
	`{"query":{"term":{"labels.y.z.k":"deep"}}}`,
	`{"query":{"term":{"labels.none":"x"}}}`,
	`{"query":{"term":{"labels.priority":""}}}`,
	`{"query":{"terms":{"labels.priority":["urgent","high"]}}}`,
	`{"query":{"terms":{"labels":["urgent","v1.2.5"],"boost":2}}}`,
	`{"query":{"prefix":{"labels.release":"v1."}}}`,
	`{"query":{"prefix":{"labels":"v1."}}}`,
	`{"query":{"prefix":{"labels.priority":""}}}`,
	`{"query":{"range":{"labels.priority":{"gte":"high","lte":"low"}}}}`,
	`{"query":{"range":{"labels.priority":{"gt":"high","lt":"urgent"}}}}`,
	`{"query":{"range":{"labels.priority":{"gte":"high"}}}}`,
	`{"query":{"range":{"labels":{"gte":"v1.2.5"}}}}`,
	`{"query":{"wildcard":{"labels":"*gent"}}}`,
	`{"query":{"wildcard":{"labels.priority":"*gent"}}}`,
	`{"query":{"regexp":{"labels.priority":".*"}}}`,
	`{"query":{"exists":{"field":"labels"}}}`,
	`{"query":{"exists":{"field":"labels.priority"}}}`,
	`{"query":{"exists":{"field":"labels.timestamp"}}}`,
	`{"query":{"exists":{"field":"labels.timestamp.closed"}}}`,
	`{"query":{"exists":{"field":"deep"}}}`,
	`{"query":{"exists":{"field":"split.b"}}}`,
	`{"query":{"match":{"labels.priority":"urgent low"}}}`,
	`{"query":{"match":{"labels":"urgent"}}}`,
	`{"query":{"match":{"split.a":"two words"}}}`,
	`{"query":{"match":{"split":"two words"}}}`,
	`{"query":{"match":{"split.c":"a text above the limit"}}}`,
	`{"query":{"term":{"split.b":"none"}}}`,
	`{"query":{"match_phrase":{"labels.priority":"urgent"}}}`,
	`{"query":{"multi_match":{"query":"urgent","fields":["labels.priority","labels.release"]}}}`,
	`{"query":{"bool":{"should":[{"term":{"labels.priority":"urgent"}},{"term":{"labels.release":"v1.2.5"}}],"filter":{"exists":{"field":"i"}}}}}`,
	`{"query":{"term":{"deep.flat.a.b":"c"}}}`,
	`{"sort":["labels.priority","uid"]}`,
	`{"sort":[{"labels.priority":{"order":"desc","missing":"_first"}},"uid"]}`,
	`{"sort":[{"labels.release":{"order":"desc","mode":"min"}},"uid"]}`,
	`{"sort":["labels","uid"]}`,
	`{"sort":["labels.none","uid"]}`,
	`{"sort":["labels.priority","uid"],"search_after":["low","u05"]}`,
	`{"aggs":{"a":{"terms":{"field":"labels.priority"}}}}`,
	`{"aggs":{"a":{"terms":{"field":"labels.release","order":{"_key":"desc"}}},"b":{"terms":{"field":"labels"}}}}`,
	`{"aggs":{"a":{"terms":{"field":"labels.priority","missing":"none"}},"b":{"cardinality":{"field":"labels.priority"}},"c":{"value_count":{"field":"labels.release"}}}}`,
	`{"aggs":{"a":{"terms":{"field":"labels.priority","include":"u.*"}},"b":{"terms":{"field":"labels.none"}}}}`,
	`{"aggs":{"a":{"terms":{"field":"labels.priority"},"aggs":{"b":{"terms":{"field":"labels.release"}}}}}}`,
	`{"aggs":{"a":{"max":{"field":"labels.x"}}}}`,
	`{"query":{"term":{"i":1}}}`,
	`{"query":{"term":{"i":"5"}}}`,
	`{"query":{"term":{"i":"1.7"}}}`,
	`{"query":{"term":{"i":"abc"}}}`,
	`{"query":{"terms":{"i":[1,9]}}}`,
	`{"query":{"match":{"i":2}}}`,
	`{"query":{"prefix":{"i":"2"}}}`,
	`{"query":{"range":{"i":{"gt":2.5,"lt":2.7}}}}`,
	`{"query":{"range":{"i":{"gt":5,"lt":6}}}}`,
	`{"query":{"range":{"i":{"gt":5,"lt":5}}}}`,
	`{"query":{"range":{"i":{"gte":9,"lte":2}}}}`,
	`{"query":{"range":{"i":{"gte":3,"lte":6}}}}`,
	`{"query":{"range":{"i":{"gte":1,"lte":6,"relation":"within"}}}}`,
	`{"query":{"range":{"i":{"gte":1,"lt":6,"relation":"WITHIN"}}}}`,
	`{"query":{"range":{"i":{"gte":2,"lte":2,"relation":"contains"}}}}`,
	`{"query":{"range":{"i":{"gte":2,"relation":"contains"}}}}`,
	`{"query":{"range":{"i":{"lt":2,"relation":"within"}}}}`,
	`{"query":{"range":{"i":{"gte":6}}}}`,
	`{"query":{"range":{"i":{"relation":"within"}}}}`,
	`{"query":{"range":{"i":{"gte":2,"relation":"disjoint"}}}}`,
	`{"query":{"range":{"i":{"gte":2147483648}}}}`,
	`{"query":{"range":{"l":{"gte":9007199254740993,"lte":9007199254740993}}}}`,
	`{"query":{"range":{"l":{"gte":9007199254740992,"lte":9007199254740992}}}}`,
	`{"query":{"term":{"l":6}}}`,
	`{"query":{"range":{"f":{"gte":0.3,"lte":0.4}}}}`,
	`{"query":{"range":{"f":{"gt":0.05,"lt":0.3,"relation":"within"}}}}`,
	`{"query":{"range":{"f":{"gte":0.1,"lt":0.3,"relation":"contains"}}}}`,
	`{"query":{"range":{"d":{"gte":0.1,"lte":0.3,"relation":"contains"}}}}`,
	`{"query":{"range":{"d":{"gt":0.1,"lte":0.3,"relation":"contains"}}}}`,
	`{"query":{"range":{"d":{"lte":-5}}}}`,
	`{"query":{"term":{"d":0.1}}}`,
	`{"query":{"range":{"at":{"gte":"2020-06","lte":"2020-06"}}}}`,
	`{"query":{"range":{"at":{"gte":"2020-06","lte":"2020-06","relation":"contains"}}}}`,
	`{"query":{"range":{"at":{"gte":"2020","lte":"2020","relation":"within"}}}}`,
	`{"query":{"range":{"at":{"gt":"2020-09-13","time_zone":"+02:00"}}}}`,
	`{"query":{"range":{"at":{"gte":"2020-12-31","relation":"contains"}}}}`,
	`{"query":{"range":{"at":{"gte":1599999999999,"lt":1600000000001}}}}`,
	`{"query":{"range":{"at":{"gte":"01/2020","format":"MM/yyyy"}}}}`,
	`{"query":{"range":{"at":{"gte":"nonsense"}}}}`,
	`{"query":{"term":{"at":"2020"}}}`,
	`{"query":{"term":{"at":"2022-01-01"}}}`,
	`{"query":{"range":{"day":{"gte":"2020-02-04","lte":"2020-02-04","relation":"within"}}}}`,
	`{"query":{"range":{"day":{"gte":"2020-02-03","lte":"2020-02-05","relation":"within"}}}}`,
	`{"query":{"range":{"day":{"gte":"2020","lte":"2020"}}}}`,
	`{"query":{"term":{"day":"2021"}}}`,
	`{"query":{"term":{"ip":"10.0.0.5"}}}`,
	`{"query":{"term":{"ip":"10.0.0.0/8"}}}`,
	`{"query":{"range":{"ip":{"gte":"10.0.0.0","lte":"10.0.0.9","relation":"within"}}}}`,
	`{"query":{"range":{"ip":{"gt":"10.0.0.4","lt":"10.0.0.6","relation":"contains"}}}}`,
	`{"query":{"range":{"ip":{"gt":"10.255.255.255"}}}}`,
	`{"query":{"range":{"ip":{"gte":"nonsense"}}}}`,
	`{"query":{"range":{"ip":{}}}}`,
	`{"query":{"exists":{"field":"i"}}}`,
	`{"query":{"exists":{"field":"ip"}}}`,
	`{"query":{"exists":{"field":"blob"}}}`,
	`{"query":{"term":{"blob":"U29tZQ=="}}}`,
	`{"sort":["blob"]}`,
	`{"aggs":{"a":{"terms":{"field":"i"}}}}`,
	`{"aggs":{"a":{"value_count":{"field":"i"}}}}`,
	`{"aggs":{"a":{"max":{"field":"i"}}}}`,

	`{"query":{"bool":{"must_not":{"range":{"i":{"gte":3}}}}},"sort":"uid"}`,
	`{"query":{"range":{"i":{"gte":3,"boost":2}}}}`,
	`{"query":{"match":{"fold":"cafe"}}}`,
	`{"query":{"match":{"fold":{"query":"the CAFÉ","operator":"and"}}}}`,
	`{"query":{"match":{"fold":"the"}}}`,
	`{"query":{"match_phrase":{"fold":"cafe of muller"}}}`,
	`{"query":{"match":{"fold":{"query":"Caf","analyzer":"complete"}}}}`,
	`{"query":{"match":{"fold":{"query":"Caf","analyzer":"none"}}}}`,
	`{"query":{"match":{"complete":"caf"}}}`,
	`{"query":{"match":{"complete":{"query":"caf mul","operator":"and"}}}}`,
	`{"query":{"match":{"complete":"cafeter"}}}`,
	`{"query":{"match":{"fronts":"Cafe"}}}`,
	`{"query":{"term":{"fold.raw":"THE CAFE OF MÜLLER"}}}`,
	`{"query":{"terms":{"fold.raw":["CAFÉ","strasse"]}}}`,
	`{"query":{"prefix":{"fold.raw":"STRAß"}}}`,
	`{"query":{"wildcard":{"fold.raw":"*MÜL*"}}}`,
	`{"query":{"range":{"fold.raw":{"gte":"CAFÉ","lte":"D"}}}}`,
	`{"sort":["fold.raw","uid"]}`,
	`{"aggs":{"a":{"terms":{"field":"fold.raw"}}}}`,
}

// RecordTypes writes the golden file of the types from the answers of e.
func RecordTypes(t *testing.T, e storage.Engine, to io.Writer) {
	docs := make([]corpusDocument, len(typesDocuments))
	for i, source := range typesDocuments {
		docs[i] = corpusDocument{Collection: mainCollection, ID: fmt.Sprint(i), Source: withUID(source, i)}
	}
	c := loadInto(t, e, typesSpec, docs)
	write, done := goldenWriter(t, to)
	for _, d := range docs {
		write(line{Document: &d})
	}
	for _, body := range typesBodies {
		s := searchCase{Body: []byte(body), Size: 100}
		s.Want = c.ask(t, s)
		if s.Want.Error != "" {
			t.Logf("refused: %s", body)
		}
		write(line{Search: &s})
	}
	done()
}

// withUID adds a field that no two documents share.
func withUID(source string, i int) jsontext.Value {
	return jsontext.Value(fmt.Sprintf(`{"uid":"u%02d",`, i) + source[1:])
}

// testTypes asks what a real Elasticsearch was asked about the other types, and wants the same answers.
func testTypes(t *testing.T, open Open) {
	docs, cases := readGolden(t, goldenTypes)
	replay(t, loadInto(t, open(t), typesSpec, docs), cases)
}
