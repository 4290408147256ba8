package aggregation_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// TestMappingsThatDiffer collects from two collections; the answers are Elasticsearch's.
func TestMappingsThatDiffer(t *testing.T) {
	first := memory(t, parse(t, `{"properties":{"k":{"type":"keyword"},"l":{"type":"long"},"x":{"type":"boolean"},"d":{"type":"date"}}}`),
		[]string{`{"k":["a","b"],"l":[1,5,-7],"x":true,"d":0}`, `{"k":"c","l":2}`}, all)
	second := memory(t, parse(t, `{"properties":{"k":{"type":"text","fielddata":true},"l":{"type":"double"},"y":{"type":"keyword"},"x":{"type":"keyword"},"d":{"type":"long"}}}`),
		[]string{`{"k":"A d","l":[1,2.5],"y":"k","x":"t","d":5}`}, all)
	for _, tt := range []struct{ aggs, want string }{
		{
			`{"a":{"terms":{"field":"k"}}}`,
			`{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"a","doc_count":2},{"key":"b","doc_count":1},{"key":"c","doc_count":1},{"key":"d","doc_count":1}]}}`,
		},
		{
			`{"a":{"terms":{"field":"l","min_doc_count":0},"aggs":{"s":{"sum":{"field":"l"}}}}}`,
			`{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":1.0,"doc_count":2,"s":{"value":2.5}},{"key":-7.0,"doc_count":1,"s":{"value":-1.0}},{"key":2.0,"doc_count":1,"s":{"value":2.0}},{"key":2.5,"doc_count":1,"s":{"value":3.5}},{"key":5.0,"doc_count":1,"s":{"value":-1.0}}]}}`,
		},
		{`{"a":{"terms":{"field":"y"}}}`, `{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"k","doc_count":1}]}}`},
		{
			`{"a":{"terms":{"field":"y","missing":"m"}}}`,
			`{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"m","doc_count":2},{"key":"k","doc_count":1}]}}`,
		},
		{`{"a":{"max":{"field":"d"}}}`, `{"a":{"value":5.0,"value_as_string":"1970-01-01T00:00:00.005Z"}}`},
		{`{"a":{"cardinality":{"field":"l"}}}`, `{"a":{"value":6}}`}, // 1 and 1.0 are two
	} {
		if got := aggregate(t, tt.aggs, first, second); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.aggs, got, tt.want)
		}
	}
	for _, aggs := range []string{`{"a":{"terms":{"field":"x"}}}`, `{"a":{"terms":{"field":"k"},"aggs":{"b":{"terms":{"field":"x"}}}}}`} {
		if got := aggregate(t, aggs, first, second); !strings.Contains(got, "different types") {
			t.Errorf("%s: %s", aggs, got)
		}
	}
}

func TestManyTerms(t *testing.T) {
	m := parse(t, `{"properties":{"k":{"type":"keyword"},"l":{"type":"long"}}}`)
	docs := make([]string, 3000)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"k":"v%04d","l":%d}`, i*7%3000, i%1000)
	}
	p := memory(t, m, docs, all)
	got := aggregate(t, `{"k":{"terms":{"field":"k","size":3}},"l":{"terms":{"field":"l","size":2,"order":{"_key":"desc"}}}}`, p)
	want := `{"k":{"doc_count_error_upper_bound":0,"sum_other_doc_count":2997,"buckets":[{"key":"v0000","doc_count":1},{"key":"v0001","doc_count":1},{"key":"v0002","doc_count":1}]},` +
		`"l":{"doc_count_error_upper_bound":0,"sum_other_doc_count":2994,"buckets":[{"key":999,"doc_count":3},{"key":998,"doc_count":3}]}}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestTooManyBuckets has more buckets in the answer than may be, though no aggregation has so many for itself.
func TestTooManyBuckets(t *testing.T) {
	m := parse(t, `{"properties":{"a":{"type":"long"},"b":{"type":"long"}}}`)
	docs := make([]string, 300)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"a":%d,"b":%d}`, i, i)
	}
	p := memory(t, m, docs, all)
	const aggs = `{"a":{"terms":{"field":"a","size":%d},"aggs":{"b":{"terms":{"field":"b","size":300,"min_doc_count":0}}}}}`
	if got := aggregate(t, fmt.Sprintf(aggs, 300), p); !strings.Contains(got, "too many buckets") {
		t.Errorf("%.200s", got)
	}
	got := aggregate(t, fmt.Sprintf(aggs, 200), p)
	if !jsontext.Value(got).IsValid() || strings.Count(got, `"key"`) != 200*301 {
		t.Errorf("%d buckets: %.200s", strings.Count(got, `"key"`), got)
	}
}

func TestCardinalityOfMany(t *testing.T) {
	m := parse(t, `{"properties":{"k":{"type":"keyword"}}}`)
	docs := make([]string, 6000)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"k":["v%d","v%d"]}`, i, i/2)
	}
	p := memory(t, m, docs, all)
	for precision, bound := range map[int]float64{40_000: 0, 100_000: 0, 3000: 0.05, 0: 0.05} {
		got := aggregate(t, fmt.Sprintf(`{"a":{"cardinality":{"field":"k","precision_threshold":%d}}}`, precision), p, file(t, p))
		var answer struct {
			A struct {
				Value float64 `json:"value"`
			} `json:"a"`
		}
		if err := json.Unmarshal([]byte(got), &answer); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if math.Abs(answer.A.Value-6000) > bound*6000 {
			t.Errorf("precision %d: %s", precision, got)
		}
	}
}

// TestFielddataThatCameLater aggregates a text that was indexed before its mapping had fielddata.
func TestFielddataThatCameLater(t *testing.T) {
	p := memory(t, parse(t, `{"properties":{"t":{"type":"text","analyzer":"stop"}}}`), []string{`{"t":"The fox"}`, `{"t":"a fox, a dog"}`, `{"t":"the"}`, `{}`}, all)
	for _, p := range []part{p, file(t, p)} {
		p.mapping = parse(t, `{"properties":{"t":{"type":"text","analyzer":"stop","fielddata":true}}}`)
		got := aggregate(t, `{"a":{"terms":{"field":"t","missing":"none"}},"b":{"value_count":{"field":"t"}}}`, p)
		want := `{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"fox","doc_count":2},{"key":"none","doc_count":2},{"key":"dog","doc_count":1}]},"b":{"value":3}}`
		if got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

func TestWithoutDocuments(t *testing.T) {
	got := aggregate(t, `{"a":{"terms":{"field":"k"},"meta":{"x" : 1}},"b":{"avg":{"field":"l"}},"c":{"stats":{"field":"l"}}}`)
	want := `{"a":{"meta":{"x":1},"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[]},"b":{"value":null},"c":{"count":0,"min":null,"max":null,"avg":null,"sum":0.0}}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestSumThatOverflows answers what JSON cannot say as Elasticsearch does.
func TestSumThatOverflows(t *testing.T) {
	p := memory(t, parse(t, `{"properties":{"d":{"type":"double"}}}`), []string{`{"d":[1e308,1e308]}`}, all)
	if got := aggregate(t, `{"a":{"sum":{"field":"d"}}}`, p); got != `{"a":{"value":"Infinity"}}` {
		t.Error(got)
	}
}
