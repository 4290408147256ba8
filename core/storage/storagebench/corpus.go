package storagebench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	categories = 50
	statuses   = 5
	tags       = 100
	words      = 20_000
	titleWords = 12
	// begin is the first createdAt, in milliseconds, and span how many there are.
	begin = int64(1_700_000_000_000)
	span  = int64(math.MaxUint32) * 10
)

// mappingText is the mapping of the documents: every field is indexed but what the node adds.
const mappingText = `{"dynamic":"false","properties":{
"category":{"type":"keyword"},"status":{"type":"keyword"},"title":{"type":"text"},"qty":{"type":"integer"},
"price":{"type":"double"},"createdAt":{"type":"date","format":"epoch_millis"},"active":{"type":"boolean"},
"location":{"type":"geo_point"},"tags":{"type":"keyword"},
"owner":{"properties":{"name":{"type":"keyword"},"age":{"type":"integer"}}}}}`

// Document is one document, about 400 bytes.
type Document struct {
	ID     string
	Source jsontext.Value
}

// corpus makes the documents: number i is always the same.
type corpus struct {
	documents  int
	vocabulary []string
}

func newCorpus(documents int) corpus {
	r := random(0)
	seen := map[string]bool{}
	c := corpus{documents: documents}
	for len(c.vocabulary) < words {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteByte("bcdfghjklmnprstvz"[r.IntN(17)])
			b.WriteByte("aeiou"[r.IntN(5)])
		}
		if w := b.String(); !seen[w] {
			seen[w] = true
			c.vocabulary = append(c.vocabulary, w)
		}
	}
	return c
}

// random is a source of its own for number i.
func random(i int) *rand.Rand {
	return rand.New(rand.NewPCG(20, uint64(i))) //nolint:gosec // not a secret, and the same in every run
}

// owners is how many there are: each has about ten documents.
func (c corpus) owners() int { return max(c.documents/10, 1) }

// id scatters the numbers, as ids of users do. It has the 15 letters that PocketBase asks for.
func id(i int) string { return fmt.Sprintf("%015x", uint64(i)*0x9E3779B97F4A7C15>>4) } //nolint:gosec // wraps on purpose

// word gives one of the vocabulary; a few are much more frequent than the rest.
func (c corpus) word(r *rand.Rand) string {
	return c.vocabulary[int(math.Pow(r.Float64(), 4)*float64(len(c.vocabulary)))]
}

// document is number i. Numbers beyond the corpus are new documents of the same kind.
func (c corpus) document(i int) Document {
	return Document{id(i), c.source(random(i+1), fmt.Sprintf("user%d", i%c.owners()))}
}

// other is another source for the id of number i.
func (c corpus) other(i int) Document {
	return Document{id(i), c.source(random(-i-1), fmt.Sprintf("user%d", i%c.owners()))}
}

func (c corpus) source(r *rand.Rand, owner string) jsontext.Value {
	b := fmt.Appendf(make([]byte, 0, 448), `{"category":"cat%d","status":"st%d","title":"%s`, r.IntN(categories), r.IntN(statuses), c.word(r))
	for range titleWords - 1 {
		b = append(append(b, ' '), c.word(r)...)
	}
	return fmt.Appendf(b, `","qty":%d,"price":%.2f,"createdAt":%d,"active":%t,"location":{"lat":%.5f,"lon":%.5f},`+
		`"owner":{"name":"%s","age":%d},"tags":["tag%d","tag%d","tag%d"],`+
		`"_kuzzle_info":{"author":"kuid-1234567890","createdAt":1700000000000,"updater":null,"updatedAt":null}}`,
		r.IntN(10_000), r.Float64()*1000, begin+r.Int64N(span), r.IntN(2) == 0, 40+20*r.Float64(), 30*r.Float64()-5,
		owner, 18+r.IntN(60), r.IntN(tags), r.IntN(tags), r.IntN(tags))
}
