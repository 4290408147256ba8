package aggregation_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// TestPagesOfComposite goes through more combinations than are kept at once: every one comes once and in order.
func TestPagesOfComposite(t *testing.T) {
	const n = 12_000
	docs := make([]string, n)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"k":"v%05d","l":[%d,%d]}`, i*7919%n, i%3, i%3)
	}
	p := memory(t, parse(t, `{"properties":{"k":{"type":"keyword"},"l":{"type":"long"}}}`), docs, all)
	after, seen := "", 0
	for {
		answer := aggregate(t, `{"c":{"composite":{"sources":[{"k":{"terms":{"field":"k"}}},{"l":{"terms":{"field":"l"}}}],"size":1500`+after+`}}}`, p)
		var page struct {
			C struct {
				AfterKey jsontext.Value `json:"after_key"`
				Buckets  []struct {
					Key struct {
						K string `json:"k"`
					} `json:"key"`
					Count int `json:"doc_count"`
				} `json:"buckets"`
			} `json:"c"`
		}
		if err := json.Unmarshal([]byte(answer), &page); err != nil {
			t.Fatalf("%.300s: %v", answer, err)
		}
		for _, b := range page.C.Buckets {
			if b.Key.K != fmt.Sprintf("v%05d", seen) || b.Count != 1 {
				t.Fatalf("bucket %d is %+v", seen, b)
			}
			seen++
		}
		if page.C.AfterKey == nil {
			break
		}
		after = `,"after":` + string(page.C.AfterKey)
	}
	if seen != n {
		t.Errorf("%d buckets, want %d", seen, n)
	}
}

// TestPercentilesOfMany is about values that are summed up in groups.
func TestPercentilesOfMany(t *testing.T) {
	const n = 30_000
	docs := make([]string, n)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"l":%d}`, i*7919%n)
	}
	p := memory(t, parse(t, `{"properties":{"l":{"type":"long"}}}`), docs, all)
	var answer struct {
		A struct {
			Values map[string]float64 `json:"values"`
		} `json:"a"`
	}
	got := aggregate(t, `{"a":{"percentiles":{"field":"l","percents":[0,0.1,1,25,50,75,99,99.9,100]}}}`, p)
	if err := json.Unmarshal([]byte(got), &answer); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	for text, x := range answer.A.Values {
		percent, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		// Groups are the smaller the nearer they are to the ends.
		share := percent / 100
		if tolerance := n * (0.03*math.Sqrt(share*(1-share)) + 1.0/n); math.Abs(x-share*n) > tolerance {
			t.Errorf("%s %%: %g, want %g within %g", text, x, share*n, tolerance)
		}
	}
	if len(answer.A.Values) != 9 {
		t.Error(got)
	}
}
