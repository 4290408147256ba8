package search_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/query"
)

// BenchmarkNeighbours looks for the ten nearest of 20,000 vectors of 384 dimensions.
func BenchmarkNeighbours(b *testing.B) {
	const dims = 384
	rng := rand.New(rand.NewPCG(1, 2))
	vector := func() string {
		numbers := make([]string, dims)
		for i := range numbers {
			numbers[i] = fmt.Sprintf("%.4f", rng.NormFloat64())
		}
		return "[" + strings.Join(numbers, ",") + "]"
	}
	c := newCollection(fmt.Sprintf(`{"properties":{"v":{"type":"dense_vector","dims":%d},"n":{"type":"integer"}}}`, dims))
	for i := range 20_000 {
		c.add(fmt.Sprint(i), fmt.Sprintf(`{"n":%d,"v":%s}`, i%100, vector()))
	}
	c.freeze()
	for name, filter := range map[string]string{"all": "", "filtered": `,"filter":{"term":{"n":7}}`} {
		body, err := query.ParseSearch(jsontext.Value(`{"knn":{"field":"v","k":10,"query_vector":` + vector() + filter + `}}`))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r, err := search.Run(context.Background(), c.targets(), search.Request{Search: body, Size: 10, Now: now})
				if err != nil || len(r.Hits) != 10 {
					b.Fatal(len(r.Hits), err)
				}
			}
		})
	}
}
