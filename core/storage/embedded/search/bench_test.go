package search_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/query"
)

const benchMapping = `{"properties":{"category":{"type":"keyword"},"status":{"type":"keyword"},"tags":{"type":"keyword"},"qty":{"type":"integer"},
	"price":{"type":"double"},"createdAt":{"type":"date"},"active":{"type":"boolean"},"title":{"type":"text"},"owner":{"type":"keyword"},"location":{"type":"geo_point"}}}`

// benchViews is one file of 100k documents.
var benchViews = sync.OnceValue(func() *collection {
	rng := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 3000)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i)
	}
	word := func() string { return words[min(len(words)-1, int(rng.ExpFloat64()*300))] }
	c := newCollection(benchMapping)
	for i := range 100_000 {
		title := word()
		for range 7 {
			title += " " + word()
		}
		c.add(fmt.Sprintf("document-%06d", i), fmt.Sprintf(`{"category":"c%d","status":"s%d","tags":["t%d","t%d"],"qty":%d,"price":%.2f,"createdAt":%d,"active":%t,
			"title":%q,"owner":"owner-%d","location":{"lat":%f,"lon":%f}}`, rng.IntN(50), rng.IntN(5), rng.IntN(200), rng.IntN(200), rng.IntN(1000), rng.Float64()*500,
			1700000000000+rng.Int64N(1e10), rng.IntN(2) == 0, title, rng.IntN(5000), rng.Float64()*180-90, rng.Float64()*360-180))
	}
	c.freeze()
	return c
})

func BenchmarkRun(b *testing.B) {
	for _, bench := range []struct{ name, body string }{
		{"match_all", `{}`},
		{"term", `{"query":{"term":{"category":"c7"}}}`},
		{"term_rare", `{"query":{"term":{"owner":"owner-77"}}}`},
		{"term_sort", `{"query":{"term":{"status":"s1"}},"sort":[{"createdAt":"desc"}]}`},
		{"term_range_sort", `{"query":{"bool":{"filter":[{"term":{"status":"s1"}},{"range":{"createdAt":{"gte":1702000000000,"lt":1707000000000}}}]}},"sort":[{"createdAt":"desc"}]}`},
		{"must_term_range_sort", `{"query":{"bool":{"must":[{"term":{"status":"s1"}},{"range":{"createdAt":{"gte":1702000000000,"lt":1707000000000}}}]}},"sort":[{"createdAt":"desc"}]}`},
		{"must_term_range", `{"query":{"bool":{"must":[{"term":{"status":"s1"}},{"range":{"createdAt":{"gte":1702000000000,"lt":1707000000000}}}]}}}`},
		{"match", `{"query":{"match":{"title":"word3 word40"}}}`},
		{"match_and", `{"query":{"match":{"title":{"query":"word3 word40","operator":"and"}}}}`},
		{"match_filter", `{"query":{"bool":{"must":[{"match":{"title":"word3 word40"}}],"filter":[{"term":{"category":"c7"}}]}}}`},
		{"phrase", `{"query":{"match_phrase":{"title":"word3 word4"}}}`},
		{"sort_all", `{"sort":[{"createdAt":"desc"}]}`},
		{"sort_two", `{"sort":[{"qty":"desc"},{"price":"asc"}]}`},
		{"sort_keyword", `{"sort":[{"owner":"asc"}]}`},
		{"tags_range", `{"query":{"bool":{"filter":[{"term":{"tags":"t9"}},{"term":{"active":true}},{"range":{"qty":{"gte":100,"lt":600}}}]}}}`},
		{"geo", `{"query":{"geo_distance":{"distance":"500km","location":{"lat":40,"lon":-74}}}}`},
		{"count_term_range", `{"size":0,"query":{"bool":{"filter":[{"term":{"status":"s1"}},{"range":{"price":{"gte":100,"lt":200}}}]}}}`},
		{"range_narrow", `{"query":{"range":{"createdAt":{"gte":1702000000000,"lt":1702001000000}}}}`},
		{"wildcard", `{"query":{"wildcard":{"owner":"owner-1*7"}}}`},
		{"ids", `{"query":{"ids":{"values":["document-000077"]}}}`},
		{"should_ten", `{"query":{"match":{"title":"word1 word2 word3 word4 word5 word6 word7 word8 word9 word10"}}}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c := benchViews()
			s, err := query.ParseSearch([]byte(bench.body))
			if err != nil {
				b.Fatal(err)
			}
			size := 10
			if s.Size == 0 {
				size = 0
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := search.Run(context.Background(), c.targets(), search.Request{Search: s, Size: size, Now: time.Now()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPage reads the page in the middle of a scroll.
func BenchmarkPage(b *testing.B) {
	for _, bench := range []struct{ name, body string }{
		{"match_all", `{}`},
		{"position", `{"sort":["_doc"]}`},
		{"term", `{"query":{"term":{"status":"s1"}}}`},
		{"range", `{"query":{"range":{"qty":{"gte":100}}}}`},
		{"sort", `{"sort":[{"createdAt":"desc"}]}`},
		{"sort_two", `{"sort":[{"createdAt":"desc"},"price"]}`},
		{"term_sort", `{"query":{"term":{"status":"s1"}},"sort":[{"createdAt":"desc"}]}`},
		{"sort_keyword", `{"sort":["owner"]}`},
		{"match", `{"query":{"match":{"title":"word3 word40"}}}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c := benchViews()
			s, err := query.ParseSearch([]byte(bench.body))
			if err != nil {
				b.Fatal(err)
			}
			r := search.Request{Search: s, Size: 2000, Now: time.Now()}
			for range 2 {
				page, err := search.Run(context.Background(), c.targets(), r)
				if err != nil {
					b.Fatal(err)
				}
				r.After, r.Size = page.Next, 100
			}
			b.ReportAllocs()
			for b.Loop() {
				if page, err := search.Run(context.Background(), c.targets(), r); err != nil || len(page.Hits) != r.Size {
					b.Fatal(len(page.Hits), err)
				}
			}
		})
	}
}
