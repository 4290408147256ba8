package analysis_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

// TestCustomLikeElasticsearch compares analyzers and normalizers that settings define with what Elasticsearch 8.14 made of
// the same settings. The first line of the file has them.
func TestCustomLikeElasticsearch(t *testing.T) {
	f, err := os.Open("testdata/custom.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var set *analysis.Set
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			Settings   jsontext.Value `json:"settings"`
			Analyzer   string         `json:"analyzer"`
			Normalizer string         `json:"normalizer"`
			Text       string         `json:"text"`
			Tokens     [][2]any       `json:"tokens"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Settings != nil {
			if set, err = analysis.ParseSet(line.Settings); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var want, got []string
		for _, token := range line.Tokens {
			want = append(want, fmt.Sprintf("%v:%s", token[1], token[0]))
		}
		if a, ok := set.Analyzer(line.Analyzer); ok {
			for _, token := range a.Tokens(&analysis.Budget{}, []byte(line.Text), nil) {
				got = append(got, fmt.Sprintf("%d:%s", token.Position, token.Term))
			}
		} else if n, ok := set.Normalizer(line.Normalizer); ok {
			got = append(got, "0:"+string(n.Apply(&analysis.Budget{}, []byte(line.Text))))
		} else {
			t.Fatalf("%s%s is not defined", line.Analyzer, line.Normalizer)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s%s of %q:\n got %q\nwant %q", line.Analyzer, line.Normalizer, line.Text, got, want)
		}
	}
}

func TestParseSet(t *testing.T) {
	for _, settings := range []string{``, `{}`, `{"number_of_replicas":1}`, `{"index":{"refresh_interval":"1s"}}`, `{"analysis":null}`, `{"analysis":{"analyzer":{"a":{}}}}`} {
		if set, err := analysis.ParseSet(jsontext.Value(settings)); err != nil || set != nil {
			t.Errorf("%s: %v, %v", settings, set, err)
		}
	}
	taken := `{"analysis":{"filter":{"f":{"type":null,"stopwords":null},"g":null,"h":{"type":"stop","stopwords":["a",1,true]}}}}`
	if _, err := analysis.ParseSet(jsontext.Value(taken)); err != nil {
		t.Errorf("%s: %v", taken, err)
	}
	set, err := analysis.ParseSet(jsontext.Value(`{"index":{"analysis":{"analyzer":{"mine":{"type":"french"}}}},"index.analysis":{"analyzer.default.type":"simple"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := set.Analyzer("default"); !ok || len(a.Tokens(&analysis.Budget{}, []byte("a1b"), nil)) != 2 {
		t.Error("the default is not the one that is defined")
	}
	if names := strings.Join(set.Analyzers(), " "); !strings.Contains(names, "keyword mine norwegian") || strings.Count(names, "default") != 1 {
		t.Error(names)
	}
	if _, ok := set.Analyzer("none"); ok {
		t.Error("found")
	}
	if _, ok := (*analysis.Set)(nil).Normalizer("none"); ok {
		t.Error("found")
	}
}

// TestStopWords: the lists of languages are known by their names, and an analyzer of a language can leave out other words.
func TestStopWords(t *testing.T) {
	for _, c := range []struct{ definition, text, want string }{
		{`"filter":{"f":{"type":"stop","stopwords":"_french_"}},"analyzer":{"a":{"tokenizer":"standard","filter":["f"]}}`, "le chat dans het rouge", "chat het rouge"},
		{`"filter":{"f":{"type":"stop","stopwords":["_french_","_dutch_","rouge"],"ignore_case":true}},"analyzer":{"a":{"tokenizer":"standard","filter":["f"]}}`, "Le chat dans het Rouge", "chat"},
		{`"analyzer":{"a":{"type":"standard","stopwords":"_german_"}}`, "Der Hund und the", "hund the"},
		{`"analyzer":{"a":{"type":"german"}}`, "der Hund und x", "hund x"},
		{`"analyzer":{"a":{"type":"german","stopwords":["x","_english_"]}}`, "der Hund the x", "der hund"},
		{`"analyzer":{"a":{"type":"german","stopwords":"_none_"}}`, "der Hund", "der hund"},
		{`"analyzer":{"a":{"type":"cjk"}}`, "the 一二 fox", "一二 fox"},
		{`"analyzer":{"a":{"type":"cjk","stopwords":"fox"}}`, "the 一二 fox", "the 一二"},
	} {
		set, err := analysis.ParseSet(jsontext.Value(`{"analysis":{` + c.definition + `}}`))
		if err != nil {
			t.Fatalf("%s: %v", c.definition, err)
		}
		a, _ := set.Analyzer("a")
		var got []string
		for _, token := range a.Tokens(&analysis.Budget{}, []byte(c.text), nil) {
			got = append(got, string(token.Term))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s of %q: %q, want %q", c.definition, c.text, got, c.want)
		}
	}
}

func TestParseSetRefuses(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf(`"f%d":{"type":"trim"}`, i)
	}
	for settings, want := range map[string]string{
		`[]`:             "settings",
		`{"analysis":3}`: "analysis",
		`{"analysis":{"analysers":{"a":{"type":"french"}}}}`:                                   "analysis.analysers: there is no such part of analysis; there are analyzer,",
		`{"analysis.analyzer.a":"french"}`:                                                     "analysis.analyzer.a: expected an object",
		`{"analysis":{"analyzer":{"a.b":{"type":"french"}}}}`:                                  "analysis.analyzer.a.b.type: expected no object here; a name has no dots",
		`{"analysis":{"filter":{` + strings.Join(many, ",") + `}}}`:                            "more than 100",
		`{"index.analysis.analyzer.a.stopwords":"x"}`:                                          `analysis.analyzer.a.type: there is no analyzer ""`,
		`{"analysis":{"analyzer":{"a":{"type":"klingon"}}}}`:                                   `there is no analyzer "klingon"; there are custom, arabic`,
		`{"analysis":{"analyzer":{"a":{"type":"custom"}}}}`:                                    "analysis.analyzer.a.tokenizer: it is missing",
		`{"analysis":{"analyzer":{"a":{"tokenizer":"nope"}}}}`:                                 `there is no tokenizer "nope"`,
		`{"analysis":{"analyzer":{"a":{"tokenizer":"standard","filter":["nope"]}}}}`:           `analysis.analyzer.a: analysis.filter.nope: there is no filter "nope"`,
		`{"analysis":{"analyzer":{"a":{"tokenizer":"standard","filter":[{}]}}}}`:               "analysis.analyzer.a.filter: expected",
		`{"analysis":{"analyzer":{"a":{"tokenizer":"standard","foo":1}}}}`:                     "analysis.analyzer.a.foo: not an option",
		`{"analysis":{"analyzer":{"a":{"type":"french","stopwords":"_klingon_"}}}}`:            "the list _klingon_ is not supported; there are _none_ and those of arabic, danish",
		`{"analysis":{"analyzer":{"a":{"type":"french","stem_exclusion":["x"]}}}}`:             "analysis.analyzer.a.stem_exclusion: not an option",
		`{"analysis":{"analyzer":{"a":{"tokenizer":"standard","char_filter":["x"]}}}}`:         `there is no character filter "x"`,
		`{"analysis":{"char_filter":{"a":{"type":"mapping"}}}}`:                                "analysis.char_filter.a.mappings: it is missing",
		`{"analysis":{"analyzer":{"a":{"tokenizer":"standard","position_increment_gap":5}}}}`:  "position_increment_gap",
		`{"analysis":{"tokenizer":{"a":{"type":"ngram","min_gram":1,"max_gram":5}}}}`:          "analysis.tokenizer.a.max_gram: it is more than 1 above",
		`{"analysis":{"tokenizer":{"a":{"type":"edge_ngram","min_gram":5}}}}`:                  "it is less than min_gram",
		`{"analysis":{"tokenizer":{"a":{"type":"edge_ngram","token_chars":["x"]}}}}`:           "expected some of digit",
		`{"analysis":{"filter":{"a":{"type":"edge_ngram","max_gram":1000}}}}`:                  "from 1 to 64",
		`{"analysis":{"filter":{"a":{"type":"edge_ngram","preserve_original":1}}}}`:            "expected true or false",
		`{"analysis":{"filter":{"a":{"type":"stop","stopwords":"_klingon_"}}}}`:                "the list _klingon_",
		`{"analysis":{"filter":{"a":{"type":"stemmer","language":"klingon"}}}}`:                "expected one of arabic",
		`{"analysis":{"filter":{"a":{"type":"stemmer","language":3}}}}`:                        "expected a text",
		`{"analysis":{"filter":{"a":{"x":1}}}}`:                                                `there is no filter ""`,
		`{"analysis":{"normalizer":{"a":{"type":"custom","filter":["stop"]}}}}`:                `a normalizer cannot use the filter "stop"`,
		`{"analysis":{"normalizer":{"a":{"type":"nope"}}}}`:                                    "there are custom and lowercase",
		`{"analysis":{"tokenizer":{"a":{"type":"char_group"}}}}`:                               "tokenize_on_chars: it is missing",
		`{"analysis":{"tokenizer":{"a":{"type":"char_group","tokenize_on_chars":["ab"]}}}}`:    "expected characters, or some of digit",
		`{"analysis":{"tokenizer":{"a":{"type":"pattern","pattern":"x","group":1}}}}`:          "group: expected a whole number from -1 to 0",
		`{"analysis":{"char_filter":{"a":{"type":"mapping","mappings":["a"]}}}}`:               `"a" is no rule such as`,
		`{"analysis":{"char_filter":{"a":{"type":"mapping","mappings":["a\\=>b"]}}}}`:          "is no rule such as",
		`{"analysis":{"char_filter":{"a":{"type":"mapping","mappings":["a=>b","a=>c"]}}}}`:     `several rules for "a"`,
		`{"analysis":{"char_filter":{"a":{"type":"mapping","mappings":["=>b"]}}}}`:             "replaces nothing",
		`{"analysis":{"char_filter":{"a":{"type":"pattern_replace"}}}}`:                        "analysis.char_filter.a.pattern: it is missing",
		refusedPattern(`(?=x)y`, ""):                                                           "is not supported",
		refusedPattern(`(?<=x)y`, ""):                                                          "is not supported",
		refusedPattern(`(x)\\1`, ""):                                                           "is not supported",
		refusedPattern(`[a-z&&[^b]]`, ""):                                                      "a class of characters in another",
		refusedPattern(`x++`, ""):                                                              "it is no regular expression",
		refusedPattern(`(`, ""):                                                                "it is no regular expression",
		refusedPattern(`\\p{javaLowerCase}`, ""):                                               "as a property of characters",
		refusedPattern(strings.Repeat("x", 1025), ""):                                          "longer than 1024 bytes",
		refusedPattern(`(x)`, `$2`):                                                            "$2 is no group of the pattern",
		refusedPattern(`(x)`, `$`):                                                             "$ is no group",
		refusedPattern(`(x)`, `${a}`):                                                          "is no group of the pattern",
		refusedPattern(`(x)`, `\\`):                                                            "ends with a backslash",
		`{"analysis":{"filter":{"a":{"type":"pattern_replace","pattern":"x","flags":"XX"}}}}`:  `"XX" is not supported; there are CASE_INSENSITIVE`,
		`{"analysis":{"filter":{"a":{"type":"keyword_marker"}}}}`:                              "expected either this or keywords_pattern",
		`{"analysis":{"filter":{"a":{"type":"keep"}}}}`:                                        "keep_words: it is missing",
		`{"analysis":{"filter":{"a":{"type":"shingle","max_shingle_size":5}}}}`:                "max_shingle_size: with output_unigrams",
		`{"analysis":{"filter":{"a":{"type":"shingle","min_shingle_size":3}}}}`:                "it is less than min_shingle_size",
		`{"analysis":{"filter":{"a":{"type":"synonym"}}}}`:                                     "synonyms_path and synonyms_set are not supported",
		`{"analysis":{"filter":{"a":{"type":"synonym","synonyms":["a=>b=>c"]}}}}`:              "more than one arrow",
		`{"analysis":{"filter":{"a":{"type":"synonym","synonyms":["a"],"format":"wordnet"}}}}`: "only solr is supported",
		refusedSynonyms(`"the => a"`, "synonym", `"stop",`):                                    "leave nothing of",
		refusedSynonyms(`"a b => c"`, "synonym_graph", ""):                                     "which synonym_graph does not support yet: use synonym",
		refusedSynonyms(`"a => b"`, "synonym", `"ngram",`):                                     `synonyms cannot follow the filter "ngram": put them before it`,
		refusedSynonyms(`"`+strings.Repeat("x a,", 400)+`"`, "synonym", ""):                    "more than 100,000 words",
	} {
		if set, err := analysis.ParseSet(jsontext.Value(settings)); err == nil || !strings.Contains(err.Error(), want) || set != nil {
			t.Errorf("%.120s: %v; want %q", settings, err, want)
		}
	}
}

// refusedPattern are settings with a pattern in JSON and what it is replaced by.
func refusedPattern(pattern, with string) string {
	return `{"analysis":{"char_filter":{"a":{"type":"pattern_replace","pattern":"` + pattern + `","replacement":"` + with + `"}}}}`
}

// refusedSynonyms are settings of an analyzer with rules after other filters.
func refusedSynonyms(rules, kind, filters string) string {
	return `{"analysis":{"filter":{"a":{"type":"` + kind + `","synonyms":[` + rules + `]}},"analyzer":{"m":{"tokenizer":"standard","filter":[` + filters + `"a"]}}}}`
}

// grown takes a text apart within a small budget, and gives how many words that pays for.
func grown(t *testing.T, a *analysis.Analyzer, text string) (tokens []analysis.Token, most int) {
	const work, wordWork = 1 << 20, 24
	b := analysis.NewBudget(t.Context(), work)
	tokens = a.Tokens(b, []byte(text), nil)
	bytes := 0
	for _, token := range tokens {
		bytes += len(token.Term)
	}
	if bytes > 64*work {
		t.Fatalf("%d bytes of %q", bytes, text)
	}
	if b.Err() != nil {
		tokens = nil
	}
	return tokens, work / wordWork
}

// FuzzParseSet: nothing panics, and what is accepted takes texts apart within bounds.
func FuzzParseSet(f *testing.F) {
	f.Add(`{"analysis":{"tokenizer":{"t":{"type":"edge_ngram","min_gram":2,"max_gram":5,"token_chars":["letter"]}},"analyzer":{"a":{"tokenizer":"t","filter":["lowercase"]}}}}`, "The Fox")
	f.Add(`{"index":{"analysis":{"filter":{"n":{"type":"ngram","preserve_original":true}},"analyzer":{"a":{"tokenizer":"standard","filter":["trim","asciifolding","n"]}}}}}`, "Æ ß")
	f.Add(chainSettings, "<b>&amp;<p class='x'><script>x</script><!-- <![CDATA[ <?x?>")
	f.Add(chainSettings, "the domain name server & phone, x,y 12-3")
	f.Add(`{"analysis":{"normalizer":{"a":{"filter":["uppercase","trim"]}}}}`, " é ")
	f.Fuzz(func(t *testing.T, settings, text string) {
		set, err := analysis.ParseSet(jsontext.Value(settings))
		if err != nil || len(text) > 1024 {
			return
		}
		text = strings.ToValidUTF8(text, "")
		for _, name := range set.Analyzers() {
			a, _ := set.Analyzer(name)
			tokens, most := grown(t, a, text)
			if len(tokens) > most {
				t.Fatalf("%d words of %q", len(tokens), text)
			}
			for _, token := range tokens {
				if token.Start > token.End || int(token.End) > len(text) {
					t.Fatalf("a word from %d to %d of %q", token.Start, token.End, text)
				}
			}
		}
		for _, name := range set.Normalizers() {
			n, _ := set.Normalizer(name)
			n.Apply(&analysis.Budget{}, []byte(text))
		}
	})
}
