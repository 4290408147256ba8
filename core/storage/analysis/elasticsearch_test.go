package analysis_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

var recording = flag.Bool("record", false, "write testdata/chains.jsonl from the answers of the Elasticsearch at SLUICE_TEST_ELASTICSEARCH")

// chainSettings define the parts of the chains.
const chainSettings = `{"analysis":{
	"char_filter":{
		"kept":{"type":"html_strip","escaped_tags":["b","P"]},
		"signs":{"type":"mapping","mappings":["ph => f","& => \\u0020and\\u0020","ß=>ss",":) => _happy_","pho=>","😀 => x","xyz => 😀"]},
		"digits":{"type":"pattern_replace","pattern":"(\\d+)-(\\d)","replacement":"$2_$1$1"},
		"spaces":{"type":"pattern_replace","pattern":"[\\s,]+","replacement":" "},
		"any":{"type":"pattern_replace","pattern":"FOX|é.","flags":"CASE_INSENSITIVE|DOTALL","replacement":"\\$longer$0"}
	},
	"tokenizer":{
		"comma":{"type":"pattern","pattern":"\\s*,\\s*"},
		"quoted":{"type":"pattern","pattern":"'([^']*)'|(x)","group":1},
		"marks":{"type":"char_group","tokenize_on_chars":["whitespace","-","\\n","digit","é"]},
		"two":{"type":"ngram","min_gram":1,"max_gram":2}
	},
	"filter":{
		"stops":{"type":"stop","stopwords":["the","of"]},
		"stacked":{"type":"unique","only_on_same_position":true},
		"begin":{"type":"edge_ngram","min_gram":1,"max_gram":3},
		"stem":{"type":"stemmer","language":"english"},
		"marks":{"type":"keyword_marker","keywords":["Running","jumps"],"ignore_case":true},
		"patterned":{"type":"keyword_marker","keywords_pattern":"r.*|x"},
		"vowels":{"type":"pattern_replace","pattern":"([aeiou])(.)?","replacement":"$2$1"},
		"first":{"type":"pattern_replace","pattern":"[aeiou]","replacement":"","all":false},
		"three":{"type":"limit","max_token_count":3},
		"few":{"type":"keep","keep_words":["Fox","dog"],"keep_words_case":true},
		"single":{"type":"synonym","synonyms":["quick, fast, speedy","fox => dog","# none","the => a","x\\,y => comma","dog => wolf, fox"]},
		"graph":{"type":"synonym_graph","synonyms":["quick, fast, speedy","fox => dog, the","of => x"],"lenient":true},
		"first_only":{"type":"synonym","expand":false,"synonyms":["quick, fast, speedy","dog,fox"]},
		"several":{"type":"synonym","synonyms":["dns, domain name system","name => label of it","name server => ns","of dns => x y z","fox jumps, hop"]},
		"again":{"type":"synonym","synonyms":["dns => d n s","label => tag"]},
		"pairs":{"type":"shingle"},
		"triples":{"type":"shingle","min_shingle_size":2,"max_shingle_size":4,"output_unigrams":false,"token_separator":"+","filler_token":"-"}
	},
	"analyzer":{
		"chars":{"tokenizer":"standard","char_filter":["signs"]},
		"replaced":{"tokenizer":"whitespace","char_filter":["digits","spaces"]},
		"both":{"tokenizer":"standard","char_filter":["any","signs"],"filter":["lowercase"]},
		"whole":{"tokenizer":"keyword","char_filter":["spaces","signs"]},
		"html":{"tokenizer":"standard","char_filter":["html_strip"]},
		"markup":{"tokenizer":"keyword","char_filter":["html_strip"]},
		"escaped":{"tokenizer":"whitespace","char_filter":["kept","signs"]},
		"commas":{"tokenizer":"comma","char_filter":["signs"]},
		"quoted":{"tokenizer":"quoted"},
		"marks1":{"tokenizer":"marks","filter":["lowercase"]},
		"nonwords":{"tokenizer":"pattern","filter":["lowercase"]},
		"pieces":{"tokenizer":"two","char_filter":["signs"]},
		"unique":{"tokenizer":"standard","filter":["stops","unique"]},
		"stacked":{"tokenizer":"standard","filter":["begin","first","stacked"]},
		"marks":{"tokenizer":"standard","filter":["marks","stem"]},
		"patterned":{"tokenizer":"standard","filter":["patterned","porter_stem","begin"]},
		"vowels":{"tokenizer":"whitespace","filter":["vowels","trim"]},
		"three":{"tokenizer":"standard","filter":["stops","three"]},
		"few":{"tokenizer":"standard","filter":["lowercase","few"]},
		"single":{"tokenizer":"standard","filter":["single"]},
		"stopped":{"tokenizer":"standard","filter":["stops","first_only"]},
		"graph":{"tokenizer":"standard","filter":["lowercase","stops","graph"]},
		"several":{"tokenizer":"standard","filter":["several"]},
		"again":{"tokenizer":"standard","char_filter":["signs"],"filter":["lowercase","several","again","unique"]},
		"pairs":{"tokenizer":"standard","filter":["stops","pairs"]},
		"triples":{"tokenizer":"standard","filter":["stops","triples"]},
		"mixed":{"tokenizer":"standard","filter":["single","pairs","stacked"]}
	},
	"normalizer":{"normal":{"char_filter":["signs","spaces"],"filter":["vowels","uppercase"]}}
}}`

// chainPieces are what the texts of a chain consist of; those of other chains are everyday's.
var chainPieces = map[string]string{
	"chars":    "ph|pho|phone|&|ß|:)|😀|xyz| |a|b c|.",
	"replaced": "12-3|4-5-6| |,|, \t|x|é|😀|\n|\u000b|\u00a0",
	"both":     "fox|Fox|éa|é\n| |ph|pho|😀|&|q",
	"whole":    "fox|Fox|éa| , |ph|pho|😀|&|q",
	"html":     markup,
	"markup":   markup,
	"escaped":  "fox|<b>|</b>|<p>|</P>|<p class='x'>|ph|&amp;| |ß|<i>",
	"commas":   "fox|,| , |, |é|😀| |ph|\n",
	"quoted":   "fox|'|'|x| |😀|''",
	"marks1":   "Fox|-|1| |é|É|😀|\n|,",
	"nonwords": "Fox|-|1| |é|😀|\n|,|_",
	"pieces":   "fox|éa| |ph|pho|😀|&|xyz|ß",
	"several":  "dns |domain |name |system |server |of |fox |jumps |hop |x ",
	"again":    "DNS |domain |name |system |server |of |fox |jumps |ph|hop |& ",
	"normal":   "ph|&| ,|a|e|xyz|b",
}

const markup = `fox|Hound |<b>|</b>|<p>|</p>|<p class="a>b">|<br/>|<a href='x y'>|</a>|&amp;|&eacute;|&nbsp;|&#65;|&#x1F600;|&none;|&lang;|<!-- x <b> -->|` +
	`<script type="x">if (a<b) {}</script>|<style>b{}</style>|<![CDATA[x <b> y]]>|<!DOCTYPE html>|<?xml x?>|1 < 2|é|😀| `

const everyday = "the |of |Fox |fox |quick |fast |speedy |running |runs |jumps |dog |dog, |over |x,y |x |a |wolf |comma "

// chainText makes a text for a chain.
func chainText(name string, random *rand.Rand) string {
	pieces := strings.Split(everyday, "|")
	if own, ok := chainPieces[name]; ok {
		pieces = strings.Split(own, "|")
	}
	var text strings.Builder
	for range random.IntN(9) {
		text.WriteString(pieces[random.IntN(len(pieces))])
	}
	return text.String()
}

func chainSet(t *testing.T) (set *analysis.Set, names []string) {
	t.Helper()
	set, err := analysis.ParseSet(jsontext.Value(chainSettings))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(set.Analyzers(), set.Normalizers()) {
		if strings.Contains(chainSettings, `"`+name+`":{"tokenizer"`) || name == "normal" {
			names = append(names, name)
		}
	}
	return set, names
}

// word is a word as both tell it.
type word struct {
	Term     string `json:"token"`
	Position uint32 `json:"position"`
	Start    int    `json:"start_offset"`
	End      int    `json:"end_offset"`
}

// chained gives what a chain makes of a text, with offsets in UTF-16.
func chained(set *analysis.Set, name, text string) []word {
	var list []word
	if a, ok := set.Analyzer(name); ok {
		for _, token := range a.Tokens(&analysis.Budget{}, []byte(text), nil) {
			list = append(list, word{string(token.Term), token.Position, in16(text[:token.Start]), in16(text[:token.End])})
		}
		return list
	}
	n, _ := set.Normalizer(name)
	return append(list, word{Term: string(n.Apply(&analysis.Budget{}, []byte(text))), End: in16(text)})
}

func in16(text string) int {
	n := 0
	for _, c := range text {
		n++
		if c > 0xffff {
			n++
		}
	}
	return n
}

type chainLine struct {
	Chain string `json:"chain"`
	Text  string `json:"text"`
	Words []word `json:"words"`
}

// TestChains compares the words of chains, their positions and where they stand with those recorded from Elasticsearch 8.14.
func TestChains(t *testing.T) {
	data, err := os.ReadFile("testdata/chains.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	set, names := chainSet(t)
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var line chainLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		names = slices.DeleteFunc(names, func(name string) bool { return name == line.Chain })
		compareChain(t, set, line)
	}
	if len(names) > 0 {
		t.Errorf("nothing is recorded of %s", names)
	}
}

func compareChain(t *testing.T, set *analysis.Set, want chainLine) {
	t.Helper()
	if got := chained(set, want.Chain, want.Text); !slices.Equal(got, want.Words) {
		t.Errorf("%s of %q:\n got %v\nwant %v", want.Chain, want.Text, got, want.Words)
	}
}

// TestChainsSideBySide compares with a running Elasticsearch, over texts that differ every time.
func TestChainsSideBySide(t *testing.T) {
	server := os.Getenv("SLUICE_TEST_ELASTICSEARCH")
	switch {
	case server != "":
	case os.Getenv("SLUICE_TEST_ALL") == "1":
		t.Fatal("SLUICE_TEST_ELASTICSEARCH is not set: make elasticsearch starts a server")
	default:
		t.Skip("no Elasticsearch: run make elasticsearch, then set SLUICE_TEST_ELASTICSEARCH=http://127.0.0.1:9200")
	}
	seed := uint64(time.Now().UnixNano())
	index := fmt.Sprintf("%s/k-analysis-%d", server, seed)
	ask(t, http.MethodPut, index, `{"settings":`+chainSettings+`}`, nil)
	defer ask(t, http.MethodDelete, index, "", nil)
	set, names := chainSet(t)
	random, texts := rand.New(rand.NewPCG(seed, 0)), 100
	if *recording {
		texts = 12
	}
	var file bytes.Buffer
	for _, name := range names {
		for range texts {
			line := chainLine{Chain: name, Text: chainText(name, random)}
			line.Words = analyzed(t, index, name, line.Text)
			compareChain(t, set, line)
			if err := json.MarshalWrite(&file, line); err != nil {
				t.Fatal(err)
			}
			file.WriteByte('\n')
		}
	}
	if *recording {
		if err := os.WriteFile("testdata/chains.jsonl", file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func analyzed(t *testing.T, index, name, text string) []word {
	t.Helper()
	option := "analyzer"
	if name == "normal" {
		option = "normalizer"
	}
	body, err := json.Marshal(map[string]string{option: name, "text": text})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Tokens []word `json:"tokens"`
	}
	ask(t, http.MethodPost, index+"/_analyze", string(body), &answer)
	return answer.Tokens
}

func ask(t *testing.T, method, url, body string, answer any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v", method, url, got, err)
	}
	if answer != nil {
		if err := json.Unmarshal(got, answer); err != nil {
			t.Fatal(err)
		}
	}
}
