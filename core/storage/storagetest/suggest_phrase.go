package storagetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// phrasesComparison has suggestions of phrases.
var phrasesComparison = Comparison{
	Name: "SuggestPhrases", spec: phraseSpec,
	document: generator.phraseDocument, second: 5,
	written: writtenCases(0, phraseBodies), random: func(g generator) searchCase { return g.suggestSearch(g.phraseBody()) },
	recorded: amount{3 * goldenDocuments, 200}, compared: amount{3 * goldenDocuments, 500},
}

// phraseSpec is the collection in which phrases are suggested. grams has words that follow each other as terms.
var phraseSpec = storage.Spec{Settings: jsontext.Value(`{"analysis":{
	"filter":{
		"triples":{"type":"shingle","max_shingle_size":3},
		"pairs":{"type":"shingle","output_unigrams":false},
		"same":{"type":"synonym","synonyms":["prize, price, award","quick => fast, quiet","fox => the fox"]}
	},
	"analyzer":{
		"tripled":{"tokenizer":"standard","filter":["lowercase","triples"]},
		"paired":{"tokenizer":"standard","filter":["lowercase","pairs"]},
		"alike":{"tokenizer":"standard","filter":["lowercase","same"]}
	}
}}`), Mapping: jsontext.Value(`{"dynamic":"false","properties":{
	"uid":{"type":"keyword"},
	"t":{"type":"text","fields":{"k":{"type":"keyword"},"tripled":{"type":"text","analyzer":"tripled"},"paired":{"type":"text","analyzer":"paired"},"e":{"type":"text","analyzer":"english"}}},
	"grams":{"type":"text","analyzer":"keyword","search_analyzer":"standard"},
	"joined":{"type":"keyword"},
	"n":{"type":"integer"},
	"o":{"type":"nested","properties":{"t":{"type":"text"}}},
	"empty":{"type":"text"}
}}`)}

// phraseDocument makes a document of a few words that are often the same, and lists those that follow each other.
func (g generator) phraseDocument(i int) jsontext.Value {
	words := make([]string, 1+g.IntN(5))
	for k := range words {
		words[k] = strings.ToLower(suggestWords[min(g.IntN(len(suggestWords)), g.IntN(len(suggestWords)))])
	}
	grams := slices.Clone(words)
	for n := 2; n <= 3; n++ {
		for k := range len(words) - n + 1 {
			one := slices.Clone(words[k : k+n])
			if grams = append(grams, strings.Join(one, " ")); g.chance(2) {
				slices.Reverse(one)
				grams = append(grams, strings.Join(one, " "))
			}
		}
	}
	text := marshal(strings.Join(words, " "))
	return fmt.Appendf(nil, `{"uid":"u%02d","n":%d,"t":%s,"grams":%s,"joined":%s,"o":[{"t":%s},{"t":"prize"}]}`, i, i, text, marshal(grams), marshal(grams), text)
}

// phraseOptions are those of a suggestion of phrases.
var phraseOptions = []struct {
	name   string
	values []any
}{
	{"size", []any{1, 3, 12}},
	{"shard_size", []any{1, 2, 20}},
	{"gram_size", []any{1, 2, 3, 4}},
	{"real_word_error_likelihood", []any{0.5, 0.99, 2}},
	{"confidence", []any{0, 0, 0, 0.3, 2}},
	{"max_errors", []any{0.3, 0.7, 2, 3}},
	{"separator", []any{" ", " ", "-"}},
	{"force_unigrams", []any{true, false}},
	{"token_limit", []any{3, 20}},
	{"highlight", []any{map[string]any{"pre_tag": "<b>", "post_tag": "</b>"}}},
	{"smoothing", []any{
		map[string]any{"stupid_backoff": map[string]any{"discount": 0.7}},
		map[string]any{"laplace": map[string]any{}},
		map[string]any{"laplace": map[string]any{"alpha": 0.2}},
		map[string]any{"linear": map[string]any{"trigram_lambda": 0.6, "bigram_lambda": 0.3, "unigram_lambda": 0.1}},
		map[string]any{"linear": map[string]any{"bigram_lambda": 0.5, "unigram_lambda": 0.5}},
	}},
}

// candidates makes a generator of candidates.
func (g generator) candidates() map[string]any {
	how := map[string]any{"field": pick[string](g, "t", "grams", "t.tripled", "t.k", "t.e", "o.t", "joined", "empty", "none"), "max_term_freq": pick[any](g, 0.5, 1, 100)}
	for _, option := range correctionOptions {
		if g.chance(4) {
			how[option.name] = pick(g, option.values...)
		}
	}
	return how
}

// phraseSuggestion makes a suggestion of phrases.
func (g generator) phraseSuggestion() map[string]any {
	how := map[string]any{"field": pick[string](g, "t", "grams", "grams", "t.tripled", "t.tripled", "t.paired", "joined", "t.e", "o.t", "empty", "n")}
	for _, option := range phraseOptions {
		if g.chance(3) {
			how[option.name] = pick(g, option.values...)
		}
	}
	switch {
	case how["field"] == "joined":
		how["analyzer"] = "standard"
	case g.chance(5):
		how["analyzer"] = pick[string](g, "alike", "tripled", "paired", "whitespace")
	}
	if how["field"] == "t.paired" || how["analyzer"] == "paired" {
		how["force_unigrams"] = false // otherwise it may fail with an error of the server
	}
	if !g.chance(6) {
		generators := make([]any, 1+g.IntN(2))
		for i := range generators {
			generators[i] = g.candidates()
		}
		how["direct_generator"] = generators
	}
	return map[string]any{"text": g.nearText(), "phrase": how}
}

func (g generator) phraseBody() jsontext.Value {
	suggest := map[string]any{}
	for i := range 1 + g.IntN(3) {
		suggest[fmt.Sprint("s", i)] = g.phraseSuggestion()
	}
	return marshal(map[string]any{"_source": false, "suggest": suggest})
}

// phraseBodies are written by hand: what is refused too, and what random ones seldom have.
var phraseBodies = []string{
	`{"suggest":{"text":"nobl prize","a":{"phrase":{"field":"t"}},"b":{"term":{"field":"t"}}}}`,
	`{"suggest":{"a":{"prefix":"nobl prize","phrase":{"field":"grams"}}}}`,
	`{"suggest":{"a":{"text":"","phrase":{"field":"t"}}}}`,
	`{"suggest":{"a":{"text":"nobl  😀 qiuck, PRIZ","phrase":{"field":"t","confidence":0,"max_errors":4,"highlight":{"pre_tag":"","post_tag":"!"}}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","highlight":{},"smoothing":{},"direct_generator":[]}}}}`,
	`{"suggest":{"a":{"text":"a b c d e f g h i nobl","phrase":{"field":"t","confidence":0}}}}`,
	`{"suggest":{"a":{"text":"a b c d e f g h nobl","phrase":{"field":"t","confidence":0}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"none"}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{}}}}`,
	`{"suggest":{"a":{"phrase":{"field":"t"}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","size":0}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","unknown":1}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","gram_size":0}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","max_errors":0}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","confidence":-1}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","token_limit":0}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","real_word_error_likelihood":0}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","highlight":{"pre_tag":"<"}}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","smoothing":{"none":{}}}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","smoothing":{"linear_interpolation":{"unigram_lambda":1}}}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","smoothing":{"linear":{}}}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","direct_generator":[{}]}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","direct_generator":[{"field":"t","size":0}]}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t","analyzer":"none"}}}}`,
	`{"suggest":{"a":{"text":"nobl prize","phrase":{"field":"t.paired"}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t.paired"}}}}`,
	`{"suggest":{"a":{"text":"nobl","phrase":{"field":"t.paired","gram_size":2}}}}`,
}

// nearSuggest compares what was suggested.
func nearSuggest(want, got jsontext.Value) bool {
	if near(want, got) {
		return true
	}
	x, errX := membersOf(want)
	y, errY := membersOf(got)
	if errX != nil || errY != nil || len(x) != len(y) {
		return false
	}
	for name, list := range x {
		if !near(list, y[name]) && !nearPhrases(list, y[name]) {
			return false
		}
	}
	return true
}

// suggestedPhrases is an entry of a suggestion of phrases.
type suggestedPhrases struct {
	Text    string            `json:"text"`
	Offset  int               `json:"offset"`
	Length  int               `json:"length"`
	Options []suggestedPhrase `json:"options"`
}

type suggestedPhrase struct {
	Text        string  `json:"text"`
	Highlighted string  `json:"highlighted"`
	Score       float32 `json:"score"`
}

// nearPhrases compares phrases: those with the same score, which differ by what is lost in a logarithm, may stand in any order. Of those
// that share the last score, any may be among them.
func nearPhrases(want, got jsontext.Value) bool {
	var x, y []suggestedPhrases
	strict := json.RejectUnknownMembers(true)
	if json.Unmarshal(want, &x, strict) != nil || json.Unmarshal(got, &y, strict) != nil || len(x) != 1 || len(y) != 1 {
		return false
	}
	a, b := x[0].Options, y[0].Options
	x[0].Options, y[0].Options = nil, nil
	if !reflect.DeepEqual(x, y) || len(a) != len(b) {
		return false
	}
	for i, w := range a {
		same := func(g suggestedPhrase) bool {
			return g.Text == w.Text && g.Highlighted == w.Highlighted && nearScore(g.Score, w.Score)
		}
		last := i > 0 && nearScore(w.Score, a[len(a)-1].Score)
		if !nearScore(w.Score, b[i].Score) || !last && !slices.ContainsFunc(b, same) {
			return false
		}
	}
	return true
}
