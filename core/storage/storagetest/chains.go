package storagetest

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// chainsComparison has analyzers that the settings of a collection put together.
var chainsComparison = Comparison{
	Name: "Chains", spec: chainsSpec,
	document: generator.chainDocument,
	random:   func(g generator) searchCase { return searchCase{Body: g.chainBody(), Size: 100} },
	recorded: amount{goldenDocuments, 200}, compared: amount{goldenDocuments, 500},
}

// chainsSpec is the collection with those analyzers.
var chainsSpec = storage.Spec{Settings: jsontext.Value(`{"analysis":{
	"char_filter":{
		"signs":{"type":"mapping","mappings":["ph => f","& => and","ß=>ss","😀 => happy"]},
		"dashes":{"type":"pattern_replace","pattern":"(\\d+)-(\\d)","replacement":"$2_$1$1"}
	},
	"filter":{
		"few":{"type":"stop","stopwords":["the"]},
		"same":{"type":"synonym","synonyms":["quick, fast, speedy","fox => dog","jumps, hops"]},
		"graph":{"type":"synonym_graph","synonyms":["quick, fast, speedy","dog, hound"]},
		"long":{"type":"synonym","synonyms":["dns, domain name system","the fox => vixen"]},
		"short":{"type":"synonym","synonyms":["name system => ns","hops => big jumps"]},
		"pairs":{"type":"shingle"},
		"marked":{"type":"keyword_marker","keywords":["jumps","foxes"]},
		"vowels":{"type":"pattern_replace","pattern":"[aeiou]+","replacement":"e"}
	},
	"analyzer":{
		"same":{"tokenizer":"standard","filter":["lowercase","same"]},
		"graph":{"tokenizer":"standard","filter":["lowercase","few","graph"]},
		"long":{"tokenizer":"standard","filter":["lowercase","long"]},
		"short":{"tokenizer":"standard","filter":["lowercase","short"]},
		"pairs":{"tokenizer":"standard","filter":["lowercase","few","pairs"]},
		"marked":{"tokenizer":"standard","filter":["marked","porter_stem"]},
		"signs":{"tokenizer":"standard","char_filter":["signs","dashes"],"filter":["lowercase"]},
		"vowels":{"tokenizer":"standard","filter":["vowels","unique"]}
	},
	"normalizer":{"signs":{"char_filter":["signs"],"filter":["lowercase","vowels"]}}
}}`), Mapping: jsontext.Value(`{"dynamic":"false","properties":{
	"uid":{"type":"keyword"},
	"same":{"type":"text","search_analyzer":"same"},
	"graph":{"type":"text","analyzer":"graph","search_analyzer":"standard"},
	"both":{"type":"text","analyzer":"graph"},
	"long":{"type":"text","analyzer":"long","search_analyzer":"standard"},
	"short":{"type":"text","analyzer":"short"},
	"pairs":{"type":"text","analyzer":"pairs"},
	"marked":{"type":"text","analyzer":"marked"},
	"signs":{"type":"text","analyzer":"signs","fields":{"k":{"type":"keyword","normalizer":"signs"}}},
	"vowels":{"type":"text","analyzer":"vowels"}
}}`)}

// chainFields are its texts.
var chainFields = []string{"same", "graph", "both", "long", "short", "pairs", "marked", "signs", "vowels"}

var chainWords = strings.Fields(`the the quick fast speedy fox foxes dog hound jumps hops jump dns domain name system ns phone fone 12-3 4-5-6
	& ß😀 straße over lazy lezy`)

func (g generator) chainText(most int) string {
	words := make([]string, 1+g.IntN(most))
	for i := range words {
		words[i] = pick(g, chainWords...)
	}
	return strings.Join(words, " ")
}

func (g generator) chainDocument(i int) jsontext.Value {
	members := map[string]any{"uid": fmt.Sprintf("u%02d", i)}
	for _, field := range chainFields {
		members[field] = g.chainText(9)
		if g.chance(4) {
			members[field] = []string{g.chainText(4), g.chainText(4)}
		}
	}
	return marshal(members)
}

// chainQuery makes a search for words of one field, or of two.
func (g generator) chainQuery() map[string]any {
	field, text := pick(g, chainFields...), g.chainText(3)
	how := map[string]any{"query": text}
	switch g.IntN(6) {
	case 0:
		return map[string]any{"match_phrase": map[string]any{field: how}}
	case 1:
		return map[string]any{"match_bool_prefix": map[string]any{field: how}}
	case 2:
		how["fields"] = []string{field, pick(g, chainFields...)}
		return map[string]any{"multi_match": how}
	case 3:
		return map[string]any{"term": map[string]any{"signs.k": text}}
	}
	switch g.IntN(4) {
	case 0:
		how["operator"] = "and"
	case 1:
		how["minimum_should_match"] = 2
	case 2:
		how["fuzziness"] = 1
	}
	return map[string]any{"match": map[string]any{field: how}}
}

func (g generator) chainBody() jsontext.Value {
	body := map[string]any{"query": g.chainQuery(), "_source": false}
	if g.chance(3) {
		fields := map[string]any{}
		for _, field := range chainFields {
			fields[field] = map[string]any{"number_of_fragments": 0}
		}
		body["highlight"] = map[string]any{"fields": fields}
	}
	return marshal(body)
}
