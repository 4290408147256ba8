package storagetest

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// suggestComparison has suggestions of completions and of words.
var suggestComparison = Comparison{
	Name: "Suggest", spec: suggestSpec,
	document: generator.suggestDocument, second: 5,
	written: writtenCases(100, suggestBodies), random: func(g generator) searchCase { return g.suggestSearch(g.suggestBody()) },
	recorded: amount{2 * goldenDocuments, 200}, compared: amount{2 * goldenDocuments, 500},
}

// suggestSpec is the collection in which is suggested.
var suggestSpec = storage.Spec{Settings: jsontext.Value(`{"analysis":{
	"filter":{"few":{"type":"stop","stopwords":["the"]}},
	"analyzer":{"folded":{"tokenizer":"standard","filter":["lowercase","asciifolding"]},"fewer":{"tokenizer":"standard","filter":["lowercase","few"]}}
}}`), Mapping: jsontext.Value(`{"dynamic":"false","properties":{
	"uid":{"type":"keyword"},
	"c":{"type":"completion"},
	"fold":{"type":"completion","analyzer":"folded","search_analyzer":"simple"},
	"holes":{"type":"completion","analyzer":"fewer"},
	"close":{"type":"completion","analyzer":"fewer","preserve_position_increments":false},
	"joined":{"type":"completion","preserve_separators":false},
	"short":{"type":"completion","analyzer":"standard","max_input_length":8},
	"t":{"type":"text","fields":{"c":{"type":"completion","analyzer":"standard"},"k":{"type":"keyword"},"e":{"type":"text","analyzer":"english"}}},
	"n":{"type":"integer"},
	"o":{"type":"nested","properties":{"t":{"type":"text"}}},
	"other":{"type":"alias","path":"c"}
}}`)}

// suggestWords are what texts are made of, many of them near to each other.
var suggestWords = strings.Fields(`the nobel noble nobles novel prize prices prise price winner winter winners wine peace piece place quick
	quack quiet queen fox fax box lazy hazy crazy über uber ubers straße strasse café cafe 北京 the a an Hello World hello`)

// suggestTexts makes texts that begin differently: Elasticsearch gives fewer options than asked for when a document has several that
// match.
func (g generator) suggestTexts() []string {
	texts := make([]string, 0, 3)
	begun := map[rune]bool{'t': true}
	for range 1 + g.IntN(3) {
		words := make([]string, 1+g.IntN(4))
		for k := range words {
			words[k] = pick(g, suggestWords...)
		}
		first := []rune(strings.ReplaceAll(strings.ToLower(words[0]), "ü", "u"))[0]
		if len(texts) > 0 && begun[first] {
			continue
		}
		begun[first] = true
		if texts = append(texts, strings.Join(words, " ")); first == 't' {
			break
		}
	}
	return texts
}

// suggestDocument makes a document of a few words.
func (g generator) suggestDocument(i int) jsontext.Value {
	texts := g.suggestTexts()
	weighted := marshal(map[string]any{"input": texts, "weight": 1 + 7*i})
	if g.chance(5) {
		weighted = marshal([]any{map[string]any{"input": texts[0], "weight": fmt.Sprint(10_000 + i)}, map[string]any{"input": texts, "weight": i}})
	}
	return fmt.Appendf(nil, `{"uid":"u%02d","n":%d,"c":%s,"fold":%s,"holes":%s,"close":%s,"joined":%s,"short":%s,"t":%s,"o":[{"t":%s}]}`, i, i,
		weighted, weighted, weighted, weighted, weighted, weighted, marshal(texts), marshal(texts[0]))
}

// misspell changes a word, or cuts it.
func (g generator) misspell(word string) string {
	runes := []rune(word)
	i := g.IntN(len(runes))
	switch g.IntN(5) {
	case 0:
		runes[i] = 'e'
	case 1:
		runes = append(runes[:i], runes[i+1:]...)
	case 2:
		runes = append(runes[:i], append([]rune{'i'}, runes[i:]...)...)
	case 3:
		runes = runes[:i]
	}
	return string(runes)
}

func (g generator) nearText() string {
	words := make([]string, 1+g.IntN(3))
	for i := range words {
		words[i] = pick(g, suggestWords...)
		if i == len(words)-1 || g.chance(3) {
			words[i] = g.misspell(words[i])
		}
	}
	return strings.Join(words, " ")
}

// completion makes a suggestion of texts. When several texts of a document may match all are asked for: of which of them Elasticsearch
// leaves out beyond size, or for skip_duplicates, there is no rule.
func (g generator) completion() map[string]any {
	how := map[string]any{"field": pick[string](g, "c", "fold", "holes", "close", "joined", "short", "other")}
	if g.chance(3) {
		how["size"] = 1 + g.IntN(12)
	}
	if g.chance(4) {
		how["skip_duplicates"] = true
	}
	s := map[string]any{"completion": how, "prefix": g.nearText()}
	switch {
	case g.chance(5):
		delete(s, "prefix")
		delete(how, "skip_duplicates")
		how["size"] = 1000
		s["regex"] = pick[string](g, "n.*", "[wn]i?n", "p(r|l)", "a|the?", "h.l+o", "qu..k", ".", "~(n).*", "wor(ld)?")
	case g.chance(2):
		fuzzy := map[string]any{}
		if g.chance(2) {
			fuzzy["fuzziness"] = pick[string](g, "0", "1", "2", "AUTO")
		}
		if g.chance(3) {
			fuzzy["transpositions"] = false
		}
		if g.chance(3) {
			delete(how, "skip_duplicates")
			fuzzy["prefix_length"], how["size"] = g.IntN(3), 1000
		}
		if g.chance(3) {
			fuzzy["min_length"] = g.IntN(6)
		}
		if g.chance(3) {
			fuzzy["unicode_aware"] = true
		}
		how["fuzzy"] = fuzzy
	}
	return s
}

// correctionOptions are those of a suggestion of terms.
var correctionOptions = []struct {
	name   string
	values []any
}{
	{"size", []any{1, 2, 8}},
	{"sort", []any{"score", "frequency"}},
	{"suggest_mode", []any{"missing", "popular", "always"}},
	{"max_edits", []any{1, 2}},
	{"prefix_length", []any{0, 1, 2}},
	{"min_word_length", []any{1, 3, 5}},
	{"min_doc_freq", []any{0.02, 1, 3}},
	{"accuracy", []any{0.3, 0.7}},
	{"string_distance", []any{"internal", "damerau_levenshtein", "levenshtein", "jaro_winkler", "ngram"}},
	{"max_inspections", []any{10}},
}

// correction makes a suggestion of terms.
func (g generator) correction() map[string]any {
	how := map[string]any{"field": pick[string](g, "t", "t.k", "t.e", "o.t", "n"), "max_term_freq": pick[any](g, 0.01, 0.5, 1, 100)}
	for _, option := range correctionOptions {
		if g.chance(3) {
			how[option.name] = pick(g, option.values...)
		}
	}
	return map[string]any{"text": g.nearText(), "term": how}
}

// suggestBody makes a search that asks for suggestions.
func (g generator) suggestBody() jsontext.Value {
	suggest := map[string]any{}
	for i := range 1 + g.IntN(3) {
		one := g.completion()
		if g.chance(2) {
			one = g.correction()
		}
		suggest[fmt.Sprint("s", i)] = one
	}
	return marshal(map[string]any{"_source": pick[any](g, false, "uid", []string{"uid", "n"}), "suggest": suggest})
}

// suggestSearch asks one collection, or now and then several.
func (g generator) suggestSearch(body jsontext.Value) searchCase {
	s := searchCase{Body: body}
	if g.chance(8) {
		s.Targets = []string{secondCollection, mainCollection, emptyCollection}
	}
	return s
}

// suggestBodies are written by hand: what is refused too, and what random ones seldom have.
var suggestBodies = []string{
	`{"suggest":{}}`,
	`{"suggest":{"text":"nobel"}}`,
	`{"suggest":{"text":"nobel","a":{"completion":{"field":"c"}},"b":{"term":{"field":"t"}}}}`,
	`{"suggest":{"a":{"text":"shown","prefix":"nob","completion":{"field":"c"}}}}`,
	`{"suggest":{"a":{"prefix":"","completion":{"field":"c"}}}}`,
	`{"suggest":{"a":{"regex":"","completion":{"field":"c"}}}}`,
	`{"suggest":{"a":{"prefix":"n","completion":{"field":"c","analyzer":"keyword","shard_size":1}}}}`,
	`{"suggest":{"a":{"prefix":"the","completion":{"field":"holes"}}}}`,
	`{"suggest":{"a":{"prefix":"n","completion":{"field":"none"}}}}`,
	`{"suggest":{"a":{"prefix":"n","completion":{"field":"t"}}}}`,
	`{"suggest":{"a":{"prefix":"n","completion":{}}}}`,
	`{"suggest":{"a":{"prefix":"n","completion":{"field":"c","size":0}}}}`,
	`{"suggest":{"a":{"prefix":"n","completion":{"field":"c","unknown":0}}}}`,
	`{"suggest":{"a":{"prefix":"n","unknown":1,"completion":{"field":"c"}}}}`,
	`{"suggest":{"a":{"prefix":"n"}}}`,
	`{"suggest":{"a":{"completion":{"field":"c"}}}}`,
	`{"suggest":{"a":{"regex":"n","completion":{"field":"c","fuzzy":{}}}}}`,
	`{"suggest":{"a":{"regex":"(","completion":{"field":"c"}}}}`,
	`{"suggest":{"a":{"prefix":"nobl","completion":{"field":"c","fuzzy":true}}}}`,
	`{"suggest":{"a":{"prefix":"nobl","completion":{"field":"c","fuzzy":{"fuzziness":3}}}}}`,
	`{"suggest":{"a":{"text":"nobl","term":{"field":"none"}}}}`,
	`{"suggest":{"a":{"text":"","term":{"field":"t"}}}}`,
	`{"suggest":{"a":{"text":"nobl","term":{"field":"t","max_edits":3}}}}`,
	`{"suggest":{"a":{"text":"nobl","term":{"field":"t","accuracy":1.5}}}}`,
	`{"suggest":{"a":{"text":"nobl","term":{"field":"t","min_word_length":0}}}}`,
	`{"suggest":{"a":{"text":"nobl","term":{"field":"t","max_term_freq":2.5}}}}`,
	`{"suggest":{"a":{"text":"nobl","term":{"field":"t","suggest_mode":"never"}}}}`,
	`{"suggest":{"a":{"text":"nobl","term":{"field":"t","analyzer":"none"}}}}`,
	`{"suggest":{"a":{"text":"nobl nobl 😀 quikc","term":{"field":"t","size":1}}}}`,
	`{"query":{"exists":{"field":"c"}},"sort":"uid","_source":false}`,
	`{"query":{"prefix":{"c":"n"}}}`,
	`{"sort":["c"]}`,
	`{"aggs":{"a":{"terms":{"field":"c"}}}}`,
	`{"aggs":{"a":{"value_count":{"field":"c"}}}}`,
}
