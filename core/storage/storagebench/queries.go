package storagebench

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// question is a kind of search: body gives number i of it, a whole search body, which is asked for as many hits.
type question struct {
	name string
	hits int
	body func(c corpus, i int) jsontext.Value
}

// pageHits is how many hits a search shows that is not for an aggregation.
const pageHits = 10

// questions are the rows of searches. Each number asks for something else, so that no engine answers from memory of an answer.
var questions = []question{
	{"term", pageHits, func(_ corpus, i int) jsontext.Value {
		return text(`{"query":{"term":{"category":"cat%d"}}}`, random(i).IntN(categories))
	}},
	{"bool, range, sort", pageHits, filteredList},
	{"match", pageHits, func(c corpus, i int) jsontext.Value {
		r := random(i)
		return text(`{"query":{"match":{"title":"%s %s"}}}`, c.vocabulary[20+r.IntN(400)], c.vocabulary[500+r.IntN(5000)])
	}},
	{"match_all, sort", pageHits, func(_ corpus, i int) jsontext.Value {
		return text(`{"query":{"match_all":{}},"sort":[{"%s":"%s"}]}`, pick(i/2, "createdAt", "qty", "price"), pick(i, "desc", "asc"))
	}},
	{"geo, 200 km", pageHits, func(_ corpus, i int) jsontext.Value {
		r := random(i)
		return text(`{"query":{"geo_distance":{"distance":"200km","location":{"lat":%.4f,"lon":%.4f}}}}`, 42+16*r.Float64(), 20*r.Float64())
	}},
	{"terms aggregation", 0, func(_ corpus, i int) jsontext.Value {
		return text(`{"aggs":{"by":{"terms":{"field":"%s","size":%d}}}}`, pick(i, "category", "tags", "status"), 10+i%40)
	}},
	{"filtered aggregation", 0, func(_ corpus, i int) jsontext.Value {
		return text(`{"query":{"range":{"qty":{"gte":%d,"lt":%[2]d}}},"aggs":{"by":{"terms":{"field":"category"},"aggs":{"price":{"stats":{"field":"price"}}}}}}`,
			i%7000, i%7000+2000)
	}},
	{"date_histogram", 0, func(_ corpus, i int) jsontext.Value {
		return text(`{"query":{"term":{"status":"st%d"}},"aggs":{"by":{"date_histogram":{"field":"createdAt","calendar_interval":"%s"}}}}`,
			i%statuses, pick(i, "day", "week", "month"))
	}},
}

// selection is a status in a tenth of the time, of which the newest documents are listed.
type selection struct {
	status   string
	from, to int64
}

func newSelection(i int) selection {
	r := random(i)
	from := begin + r.Int64N(span/10*9)
	return selection{fmt.Sprintf("st%d", r.IntN(statuses)), from, from + span/10}
}

// body is the search for it.
func (s selection) body() jsontext.Value {
	return text(`{"query":{"bool":{"filter":[{"term":{"status":"%s"}},{"range":{"createdAt":{"gte":%d,"lt":%d}}}]}},"sort":[{"createdAt":"desc"}]}`,
		s.status, s.from, s.to)
}

func filteredList(_ corpus, i int) jsontext.Value { return newSelection(i).body() }

// counted is a query to count by.
func counted(i int) jsontext.Value {
	r := random(i)
	from := r.IntN(500)
	return text(`{"bool":{"filter":[{"term":{"status":"st%d"}},{"range":{"price":{"gte":%d,"lt":%d}}}]}}`, r.IntN(statuses), from, from+500)
}

// portions is how many disjoint portions make all documents.
const portions = categories * statuses

// portion is the query for one of them.
func portion(i int) jsontext.Value {
	i %= portions
	return text(`{"bool":{"filter":[{"term":{"category":"cat%d"}},{"term":{"status":"st%d"}}]}}`, i/statuses, i%statuses)
}

// owned is the query for the documents of an owner.
func owned(name string) jsontext.Value { return text(`{"query":{"term":{"owner.name":"%s"}}}`, name) }

func text(format string, args ...any) jsontext.Value { return fmt.Appendf(nil, format, args...) }

func pick(i int, of ...string) string { return of[i%len(of)] }
