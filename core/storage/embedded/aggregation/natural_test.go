package aggregation_test

import (
	"strings"
	"testing"
)

// TestUnsignedKeys: numbers without sign stand for themselves, also beyond 2^53, where they are not the same as floating-point
// numbers. Beside numbers with a sign they become floating.
func TestUnsignedKeys(t *testing.T) {
	m := parse(t, `{"properties":{"u":{"type":"unsigned_long"}}}`)
	docs := []string{
		`{"u":18446744073709551615}`, `{"u":18446744073709551614}`, `{"u":9007199254740993}`, `{"u":[18446744073709551614,18446744073709551614]}`,
		`{}`, `{"u":9007199254740992}`, `{"u":0}`,
	}
	one, other := memory(t, m, docs, func(i int) bool { return i%2 == 0 }), memory(t, m, docs, func(i int) bool { return i%2 == 1 })
	signed := memory(t, parse(t, `{"properties":{"u":{"type":"long"}}}`), []string{`{"u":-1}`, `{"u":9007199254740993}`}, all)
	const around = `"doc_count_error_upper_bound":0,"sum_other_doc_count":0,`
	for _, c := range []struct {
		aggs, want string
		parts      []part
	}{
		{
			`{"a":{"terms":{"field":"u","order":{"_key":"desc"}}}}`,
			`{"a":{` + around + `"buckets":[{"key":18446744073709551615,"doc_count":1},{"key":18446744073709551614,"doc_count":2},` +
				`{"key":9007199254740993,"doc_count":1},{"key":9007199254740992,"doc_count":1},{"key":0,"doc_count":1}]}}`, nil,
		},
		{
			`{"a":{"terms":{"field":"u","include":["18446744073709551615",9007199254740993,5],"missing":5,"order":{"_key":"asc"}}}}`,
			`{"a":{` + around + `"buckets":[{"key":5,"doc_count":1},{"key":9007199254740993,"doc_count":1},{"key":18446744073709551615,"doc_count":1}]}}`, nil,
		},
		{
			`{"a":{"composite":{"size":3,"sources":[{"u":{"terms":{"field":"u","order":"desc"}}}]}}}`,
			`{"a":{"after_key":{"u":9007199254740993},"buckets":[{"key":{"u":18446744073709551615},"doc_count":1},` +
				`{"key":{"u":18446744073709551614},"doc_count":2},{"key":{"u":9007199254740993},"doc_count":1}]}}`, nil,
		},
		{
			`{"a":{"composite":{"after":{"u":9007199254740993},"sources":[{"u":{"terms":{"field":"u"}}}]}}}`,
			`{"a":{"after_key":{"u":18446744073709551615},"buckets":[{"key":{"u":18446744073709551614},"doc_count":2},` +
				`{"key":{"u":18446744073709551615},"doc_count":1}]}}`, nil,
		},
		{`{"a":{"cardinality":{"field":"u"}}}`, `{"a":{"value":5}}`, nil},
		{`{"a":{"cardinality":{"field":"u","missing":"18446744073709551613"}},"b":{"cardinality":{"field":"u","missing":0}}}`, `{"a":{"value":6},"b":{"value":5}}`, nil},
		{
			`{"a":{"terms":{"field":"u","order":{"_key":"asc"},"size":1}},"b":{"max":{"field":"u"}}}`,
			`{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":5,"buckets":[{"key":0,"doc_count":1}]},"b":{"value":1.8446744073709552E19}}`, nil,
		},
		{
			`{"a":{"terms":{"field":"u","order":{"_key":"asc"}}}}`,
			`{"a":{` + around + `"buckets":[{"key":-1.0,"doc_count":1},{"key":0.0,"doc_count":1},{"key":9.007199254740992E15,"doc_count":3},` +
				`{"key":1.8446744073709552E19,"doc_count":3}]}}`,
			[]part{one, signed, other},
		},
		{
			`{"a":{"terms":{"field":"u","order":{"_key":"asc"}}}}`,
			`{"a":{` + around + `"buckets":[{"key":-1.0,"doc_count":1},{"key":0.0,"doc_count":1},{"key":9.007199254740992E15,"doc_count":3},` +
				`{"key":1.8446744073709552E19,"doc_count":3}]}}`,
			[]part{signed, one, other},
		},
	} {
		if c.parts == nil {
			c.parts = []part{one, file(t, other)}
		}
		if got := aggregate(t, c.aggs, c.parts...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.aggs, got, c.want)
		}
	}
	for _, aggs := range []string{
		`{"a":{"terms":{"field":"u","missing":-1}}}`, `{"a":{"terms":{"field":"u","include":[1.5]}}}`, `{"a":{"terms":{"field":"u","exclude":["x"]}}}`,
		`{"a":{"cardinality":{"field":"u","missing":true}}}`, `{"a":{"composite":{"after":{"u":18446744073709551616},"sources":[{"u":{"terms":{"field":"u"}}}]}}}`,
	} {
		if got := aggregate(t, aggs, one); !strings.Contains(got, "expected a whole number from 0 to 18446744073709551615") {
			t.Errorf("%s: %s", aggs, got)
		}
	}
}
