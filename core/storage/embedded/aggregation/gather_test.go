package aggregation_test

import (
	"fmt"
	"testing"
)

// A segment whose documents are all collected answers from what its terms know, the same as document by document.
func TestWholeSegments(t *testing.T) {
	m := parse(t, `{"properties":{"k":{"type":"keyword"},"t":{"type":"text","fielddata":true},"ip":{"type":"ip"}}}`)
	docs := make([]string, 400)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"k":["a%d","b%d"],"t":"one one w%d","ip":"10.0.0.%d"}`, i%3, i%4, i%5, i%2)
		if i%10 == 0 {
			docs[i] = `{}`
		}
	}
	one := memory(t, m, docs, all)
	whole := file(t, one)
	for _, field := range []string{"k", "t", "ip"} {
		for _, rest := range []string{``, `,"size":2`, `,"order":{"_key":"desc"}`, `,"min_doc_count":100`, `,"missing":"10.0.0.7"`} {
			body := `{"a":{"terms":{"field":"` + field + `"` + rest + `}}}`
			if got, want := aggregate(t, body, whole), aggregate(t, body, one); got != want {
				t.Errorf("%s: %s, want %s", body, got, want)
			}
			if got, want := aggregate(t, body, whole, one), aggregate(t, body, one, one); got != want {
				t.Errorf("twice: %s: %s, want %s", body, got, want)
			}
		}
	}
	body := `{"a":{"terms":{"field":"k","include":"a.*","exclude":["a1"]}},"b":{"terms":{"field":"k"},"aggs":{"c":{"value_count":{"field":"ip"}}}}}`
	if got, want := aggregate(t, body, whole), aggregate(t, body, one); got != want {
		t.Errorf("%s: %s, want %s", body, got, want)
	}
}
