package search_test

import (
	"math"
	"testing"

	"github.com/go-json-experiment/json"
)

// explained is an explanation as clients read it.
type explained struct {
	Value       float64     `json:"value"`
	Description string      `json:"description"`
	Details     []explained `json:"details"`
}

// TestExplain: the explanation of a hit gives its score, and its sums add up, in whatever segments the documents are.
func TestExplain(t *testing.T) {
	for name, targets := range samples() {
		for _, q := range []string{
			`{"match":{"t":"quick brown fox"}}`,
			`{"bool":{"must":[{"match":{"t":"brown"}},{"exists":{"field":"i"}}],"should":[{"term":{"b":true}},{"match_all":{"boost":2}}]}}`,
			`{"bool":{"must":[{"match_all":{}},{"bool":{"should":[{"match":{"t":"quick"}},{"match":{"te":"fox"}}]}}]}}`,
			`{"match_phrase":{"t":"quick brown"}}`,
		} {
			body := `{"explain":true,"query":` + q + `}`
			result, err := run(t, targets, body)
			if err != nil || len(result.Hits) == 0 {
				t.Fatalf("%s: %s gave %d hits, %v", name, body, len(result.Hits), err)
			}
			for _, h := range result.Hits {
				var e explained
				if err := json.Unmarshal(h.Explanation, &e); err != nil {
					t.Fatalf("%s: %s: %v", name, h.Explanation, err)
				}
				if !close32(e.Value, float64(h.Score)) {
					t.Errorf("%s: %s: %s scores %v and is explained by %s", name, body, h.ID, h.Score, h.Explanation)
				}
				e.check(t, body)
			}
		}
	}
}

// check adds up what is a sum.
func (e *explained) check(t *testing.T, body string) {
	t.Helper()
	sum := 0.0
	for i := range e.Details {
		e.Details[i].check(t, body)
		sum += e.Details[i].Value
	}
	if e.Description == "sum of:" && !close32(sum, e.Value) {
		t.Errorf("%s: the sum is %v, the value %v", body, sum, e.Value)
	}
}

func close32(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(math.Abs(a), math.Abs(b)) }
