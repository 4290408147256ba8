package aggregation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/aggregation"
	"github.com/sluicehq/sluice/core/storage/query"
)

// BenchmarkCollect collects 100 000 documents.
func BenchmarkCollect(b *testing.B) {
	m := parse(b, `{"properties":{"k":{"type":"keyword"},"some":{"type":"keyword"},"many":{"type":"keyword"},"l":{"type":"long"},"d":{"type":"double"}}}`)
	r := rand.New(rand.NewPCG(1, 2))
	docs := make([]string, 100_000)
	for i := range docs {
		some := ""
		if i%2 == 0 {
			some = fmt.Sprintf(`"some":["s%d","s%d"],`, r.IntN(20), r.IntN(20))
		}
		docs[i] = fmt.Sprintf(`{"k":"value%d",%s"many":"id%d","l":%d,"d":%g}`, r.IntN(20), some, i, r.IntN(1000), r.Float64())
	}
	whole := file(b, memory(b, m, docs, all))
	half := file(b, memory(b, m, docs, func(i int) bool { return i%2 == 0 }))
	for _, bb := range []struct{ name, aggs string }{
		{"terms", `{"a":{"terms":{"field":"k"}}}`},
		{"terms of several values", `{"a":{"terms":{"field":"some"}}}`},
		{"terms of all different", `{"a":{"terms":{"field":"many"}}}`},
		{"terms of numbers", `{"a":{"terms":{"field":"l"}}}`},
		{"sum", `{"a":{"sum":{"field":"d"}}}`},
		{"stats in terms", `{"a":{"terms":{"field":"k"},"aggs":{"b":{"stats":{"field":"l"}}}}}`},
		{"terms in terms", `{"a":{"terms":{"field":"k"},"aggs":{"b":{"terms":{"field":"k"}}}}}`},
		{"cardinality", `{"a":{"cardinality":{"field":"k"}}}`},
		{"cardinality of all different", `{"a":{"cardinality":{"field":"many"}}}`},
	} {
		s, err := query.ParseSearch(jsontext.Value(`{"aggs":` + bb.aggs + `}`))
		if err != nil {
			b.Fatal(err)
		}
		for name, p := range map[string]part{"all": whole, "half": half} {
			b.Run(bb.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					plan, err := aggregation.New(b.Context(), s.Aggregations, now)
					if err != nil {
						b.Fatal(err)
					}
					if err := plan.Collect(b.Context(), aggregation.Part{Mapping: p.mapping, View: p.view}, p.docs); err != nil {
						b.Fatal(err)
					}
					if _, err := plan.Result(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
