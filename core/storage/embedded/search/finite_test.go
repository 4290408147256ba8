package search_test

import (
	"encoding/json"
	"math"
	"testing"
)

// TestFiniteScores: whatever they are made of, scores are numbers that 32 bits and JSON hold.
func TestFiniteScores(t *testing.T) {
	c := newCollection(`{"properties":{"t":{"type":"text"},"d":{"type":"double"},"v":{"type":"dense_vector","dims":2},"n":{"type":"nested","properties":{"k":{"type":"keyword"}}}}}`)
	c.add("1", `{"t":"a b","d":1e308,"v":[1,2],"n":[{"k":"x"},{"k":"x"}]}`)
	c.add("2", `{"t":"a c","d":-1e308,"v":[1,2],"n":[{"k":"x"}]}`)
	c.freeze()
	c.add("3", `{"t":"a c","d":5,"v":[2,2],"n":[{"k":"x"}]}`)
	const most = `"boost":3.4e38`
	for _, q := range []string{
		`{"match_all":{` + most + `}}`,
		`{"bool":{"must":[{"match_all":{` + most + `}},{"constant_score":{"filter":{"match_all":{}},` + most + `}}]}}`,
		`{"bool":{"should":[{"match":{"t":{"query":"a b c",` + most + `}}},{"match":{"t":{"query":"a b",` + most + `}}}]}}`,
		`{"bool":{` + most + `,"must":{"bool":{` + most + `,"must":{"term":{"t":{"value":"a",` + most + `}}}}}}}`,
		`{"dis_max":{"tie_breaker":0,"queries":[{"bool":{` + most + `,"must":{"match_all":{` + most + `}}}},{"match_all":{` + most + `}}]}}`,
		`{"boosting":{"positive":{"match_all":{` + most + `}},"negative":{"term":{"t":"b"}},"negative_boost":1e308,` + most + `}}`,
		`{"boosting":{"positive":{"bool":{"must":[{"match_all":{` + most + `}},{"match_all":{` + most + `}}]}},"negative":{"match_all":{}},"negative_boost":0}}`,
		`{"multi_match":{"query":"a","fields":["t^3e38"],` + most + `}}`,
		`{"multi_match":{"query":"a","type":"cross_fields","fields":["t^3e38"],` + most + `}}`,
		`{"query_string":{"query":"a^3e38","fields":["t^3e38"],` + most + `}}`,
		`{"query_string":{"query":"a^99999999999999999999999999999999999999999999","fields":["t"]}}`,
		`{"function_score":{"query":{"match_all":{` + most + `}},"functions":[{"weight":1e308},{"weight":1e308}],"score_mode":"sum","boost_mode":"sum","max_boost":1e308}}`,
		`{"function_score":{"query":{"match_all":{` + most + `}},"weight":3e38,"min_score":1,"max_boost":1e308}}`,
		`{"function_score":{"boost_mode":"replace","gauss":{"d":{"origin":5,"scale":5e-324}}}}`,
		`{"function_score":{"boost_mode":"replace","exp":{"d":{"origin":5,"scale":5e-324}}}}`,
		`{"function_score":{"boost_mode":"replace","linear":{"d":{"origin":-1e308,"scale":1e308,"decay":0.9999}}}}`,
		`{"function_score":{"boost_mode":"replace","linear":{"d":{"origin":5,"scale":5e-324,"decay":5e-324}}}}`,
		`{"nested":{"path":"n","score_mode":"sum","query":{"constant_score":{"filter":{"term":{"n.k":"x"}},` + most + `}},` + most + `}}`,
		`{"knn":{"field":"v","query_vector":[1,1],"num_candidates":10,` + most + `}}`,
		`{"match_phrase":{"t":{"query":"a c",` + most + `}}}`,
	} {
		body := `{"explain":true,"query":` + q + `}`
		r, err := run(t, c.targets(), body)
		if err != nil || len(r.Hits) == 0 {
			t.Errorf("%s: %d hits, %v", q, len(r.Hits), err)
		}
		for _, h := range r.Hits {
			if !(h.Score >= 0 && h.Score <= math.MaxFloat32) {
				t.Errorf("%s: the score %v", q, h.Score)
			}
			var explained struct{ Value float32 }
			if err := json.Unmarshal(h.Explanation, &explained); err != nil {
				t.Errorf("%s: %v in %s", q, err, h.Explanation)
			}
		}
	}
}
