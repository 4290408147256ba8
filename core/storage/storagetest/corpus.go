package storagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// corpusMapping has a field of every type, and of every option that changes what searches find.
const corpusMapping = `{"dynamic":"false","properties":{
	"uid":{"type":"keyword"},
	"kw":{"type":"keyword"},
	"tags":{"type":"keyword","ignore_above":12},
	"lower":{"type":"keyword","normalizer":"lowercase"},
	"nul":{"type":"keyword","null_value":"NULL"},
	"hidden":{"type":"keyword","index":false},
	"flat":{"type":"keyword","doc_values":false},
	"title":{"type":"text","fields":{"raw":{"type":"keyword"},"english":{"type":"text","analyzer":"english"}}},
	"body":{"type":"text","copy_to":["all"]},
	"plain":{"type":"text","norms":false,"analyzer":"simple"},
	"words":{"type":"text","analyzer":"whitespace","search_analyzer":"standard"},
	"all":{"type":"text"},
	"n":{"type":"long"},"i":{"type":"integer"},"s":{"type":"short"},"b":{"type":"byte"},
	"d":{"type":"double"},"f":{"type":"float"},"h":{"type":"half_float"},
	"bad":{"type":"integer","ignore_malformed":true},
	"unindexed":{"type":"integer","index":false},
	"bo":{"type":"boolean"},
	"at":{"type":"date"},
	"day":{"type":"date","format":"yyyy-MM-dd||dd/MM/yyyy"},
	"ip":{"type":"ip"},
	"loc":{"type":"geo_point"},
	"o":{"properties":{"k":{"type":"keyword"},"n":{"type":"integer"},"t":{"type":"text"}}},
	"items":{"type":"nested","properties":{"name":{"type":"keyword"},"qty":{"type":"integer"},"note":{"type":"text"},
		"parts":{"type":"nested","properties":{"code":{"type":"keyword"},"n":{"type":"integer"}}}}},
	"other":{"type":"alias","path":"kw"}
}}`

// goldenDocuments is how many documents most golden files have.
const goldenDocuments = 120

// corpusComparison is the largest one: most of the query language, and aggregations.
var corpusComparison = Comparison{
	Name: "Golden", spec: storage.Spec{Mapping: jsontext.Value(corpusMapping)},
	document: generator.document, second: 4,
	written: writtenCases(1000, writtenBodies, aroundBodies, writtenTexts), random: generator.search, following: true,
	recorded: amount{goldenDocuments, 1500}, compared: amount{2 * goldenDocuments, 2000},
}

// What is in the documents, and what queries look for.
var (
	keywords = []string{"red", "green", "blue", "Blue", "BLUE", "dark blue", "x-1", "x-2", "x*y", "é", "", "10", "9", "true"}
	words    = strings.Fields("the quick brown fox foxes jumps jumping jumped over a lazy dog dogs and runs running runner cities city " +
		"happy happily O'Reilly's café CAFE naïve Müller 日本語 wi-fi foo_bar 42 3.14 a.b.c user@example.org not no to be or")
	ips    = []string{"10.0.0.1", "10.0.0.2", "10.0.1.7", "192.168.1.1", "::1", "2001:db8::1", "2001:db8::ff", "::ffff:10.0.0.1"}
	bigs   = []string{"0", "-1", "1", "7", "42", "9007199254740993", "9007199254740992", "-9223372036854775808", "9223372036854775807"}
	floats = []string{"0", "-0.5", "0.1", "0.5", "1", "1.5", "2.25", "3.14159", "100", "1e10", "-7.75", "65504"}
)

// generator makes documents and searches.
type generator struct {
	*rand.Rand
	// sound lets no clause suit its field badly. It holds inside of other clauses: Elasticsearch does not look for errors in
	// those that cannot matter.
	sound bool
	// young asks for clauses too of which nobody has seen yet, with many random documents, that the engines answer them alike.
	young bool
}

func newGenerator(seed uint64) generator { return generator{Rand: rand.New(rand.NewPCG(seed, 1))} }

// chance is true in one of n.
func (g generator) chance(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g generator, list ...T) T { return list[g.IntN(len(list))] }

func (g generator) sentence(most int) string {
	var list []string
	for range g.IntN(most) + 1 {
		// Words at the front are the common ones.
		list = append(list, words[min(g.IntN(len(words)), g.IntN(len(words)))])
	}
	return strings.Join(list, pick(g, " ", " ", ", ", " - "))
}

// one or a few of what next gives.
func (g generator) several(next func() any) any {
	switch g.IntN(6) {
	case 0:
		return []any{next(), next()}
	case 1:
		list := make([]any, g.IntN(4))
		for i := range list {
			list[i] = next()
		}
		return list
	}
	return next()
}

func raw(s string) jsontext.Value { return jsontext.Value(s) }

func (g generator) keyword() any { return keywords[g.IntN(len(keywords))] }
func (g generator) big() any     { return raw(bigs[g.IntN(len(bigs))]) }
func (g generator) float() any   { return raw(floats[g.IntN(len(floats))]) }
func (g generator) half() any {
	return raw(pick(g, "0", "-0.5", "0.1", "1.5", "3.14159", "1000", "65504"))
}
func (g generator) small() any { return g.IntN(21) - 10 }

// date is from 2019 to 2025, so that no search for now finds a border.
func (g generator) date() any {
	year, month, day := 2019+g.IntN(7), 1+g.IntN(12), 1+g.IntN(28)
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("%d-%02d-%02d", year, month, day)
	case 1:
		return fmt.Sprintf("%d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, g.IntN(24), g.IntN(60), g.IntN(60), g.IntN(1000))
	case 2:
		return fmt.Sprintf("%d-%02d-%02dT%02d:30:00+02:00", year, month, day, g.IntN(24))
	}
	return 1546300800000 + g.Int64N(6*365*86400)*1000
}

func (g generator) dateText() string {
	for {
		if text, ok := g.date().(string); ok {
			return text
		}
	}
}

func (g generator) day() any {
	if g.chance(2) {
		return fmt.Sprintf("%d-%02d-%02d", 2019+g.IntN(7), 1+g.IntN(12), 1+g.IntN(28))
	}
	return fmt.Sprintf("%02d/%02d/%d", 1+g.IntN(28), 1+g.IntN(12), 2019+g.IntN(7))
}

func (g generator) coordinates() (lat, lon float64) {
	if g.chance(3) { // near the date line and the poles
		return pick(g, -89.5, 89.5, 0.0) + g.Float64()/4, pick(g, -179.9, 179.9, 0.0) + g.Float64()/20
	}
	return 48 + g.Float64()*2, 2 + g.Float64()*2
}

func (g generator) point() any {
	lat, lon := g.coordinates()
	switch g.IntN(4) {
	case 0:
		return []float64{lon, lat}
	case 1:
		return fmt.Sprintf("%v,%v", lat, lon)
	case 2:
		return fmt.Sprintf("POINT (%v %v)", lon, lat)
	}
	return map[string]any{"lat": lat, "lon": lon}
}

// points is several points. A pair of numbers would be one point.
func (g generator) points() any {
	if g.chance(5) {
		return []any{map[string]any{"lat": 48.5, "lon": 2.5}, g.point()}
	}
	return g.point()
}

func (g generator) items() any {
	list := make([]any, g.IntN(4))
	for i := range list {
		item := map[string]any{"name": g.keyword(), "qty": g.IntN(10), "note": g.sentence(5)}
		if g.chance(3) {
			delete(item, "qty")
		}
		if g.chance(2) {
			item["parts"] = []any{map[string]any{"code": g.keyword(), "n": g.IntN(5)}, map[string]any{"code": g.keyword()}}
		}
		list[i] = item
	}
	return list
}

// document makes a document in which about a third of the fields is missing.
func (g generator) document(number int) jsontext.Value {
	text := func(most int) func() any { return func() any { return g.sentence(most) } }
	fields := map[string]func() any{
		"kw": g.keyword, "tags": func() any { return pick(g, g.keyword(), any("a text above the limit")) }, "lower": g.keyword,
		"nul":    func() any { return pick[any](g, g.keyword(), nil) },
		"hidden": g.keyword, "flat": g.keyword,
		"title": text(6), "body": text(30), "plain": text(8), "words": text(8),
		"n": g.big, "i": g.small, "s": g.small, "b": g.small,
		"d": g.float, "f": g.float, "h": g.half,
		"bad": func() any { return pick(g, g.small(), any("seven")) }, "unindexed": g.small,
		"bo": func() any { return pick[any](g, true, false, "true") },
		"at": g.date, "day": g.day,
		"ip":       func() any { return pick(g, ips...) },
		"o":        func() any { return map[string]any{"k": g.keyword(), "n": g.small(), "t": g.sentence(4)} },
		"unmapped": func() any { return g.keyword() },
	}
	doc := map[string]any{"uid": fmt.Sprintf("u%04d", number)}
	for _, name := range sorted(fields) {
		if !g.chance(3) {
			doc[name] = g.several(fields[name])
		}
	}
	if !g.chance(3) {
		doc["loc"] = g.points()
	}
	if !g.chance(3) {
		doc["items"] = g.items()
	}
	return marshal(doc)
}

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func marshal(v any) jsontext.Value {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // the generator's own values can be written
	}
	return b
}
