package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestAnalysisOfACollection: synonyms and character filters that a collection defines find its documents, and highlights mark what the
// documents say, with the tags between words as Elasticsearch does. What cannot be asked for is refused with what to do about it.
func TestAnalysisOfACollection(t *testing.T) {
	nodetest.NeedsEmbedded(t, "it takes synonyms of several words")
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	n.Must("POST", "/i/_create", "")
	n.Must("PUT", "/i/c", `{
		"settings":{"analysis":{
			"char_filter":{"tags":{"type":"html_strip"}},
			"filter":{"same":{"type":"synonym_graph","synonyms":["tv, television"]},"long":{"type":"synonym","synonyms":["dns, domain name system"]}},
			"analyzer":{
				"page":{"tokenizer":"standard","char_filter":["tags"],"filter":["lowercase","long"]},
				"asked":{"tokenizer":"standard","filter":["lowercase","same"]}
			}
		}},
		"mappings":{"properties":{"page":{"type":"text","analyzer":"page","search_analyzer":"asked"},"both":{"type":"text","analyzer":"page"}}}
	}`)
	n.Must("POST", "/i/c/a/_create?refresh=wait_for", `{"page":"<p class='x'>A <b>Television</b> &amp; the domain name system</p>","both":"x"}`)
	for asked, marked := range map[string]string{
		"tv":  `<p class='x'>A <b><em>Television</b></em> &amp; the domain name system</p>`,
		"dns": `<p class='x'>A <b>Television</b> &amp; the <em>domain name system</em></p>`,
	} {
		answer := n.Must("POST", "/i/c/_search", `{"query":{"match":{"page":"`+asked+`"}},"highlight":{"fields":{"page":{"number_of_fragments":0}}}}`)
		hit, _ := answer.Get("result").(map[string]any)
		if got := fmt.Sprint(hit["hits"]); !strings.Contains(got, marked) {
			t.Errorf("%s: %s, want %s", asked, got, marked)
		}
	}
	answer := n.HTTP("POST", "/i/c/_search", `{"query":{"match":{"both":"x"}}}`)
	if answer.Status != 400 || !strings.Contains(answer.Body, "name another search_analyzer for the field [both]") {
		t.Errorf("synonyms of several words in a query: %s", answer.Body)
	}
}

// TestChangeSettingsBesideAnalysis: a collection that defines analyzers can be given other settings, the same ones again, and
// more analyzers, which fields of the same request use.
func TestChangeSettingsBesideAnalysis(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	n.Must("POST", "/i/_create", "")
	const first = `{
		"settings":{"analysis":{"filter":{"short":{"type":"truncate","length":3}},"analyzer":{"a":{"tokenizer":"standard","filter":["lowercase","short"]}}}},
		"mappings":{"properties":{"title":{"type":"text","analyzer":"a"}}}
	}`
	count := func(field, word string, want float64) {
		t.Helper()
		if got := n.Must("POST", "/i/c/_count", `{"query":{"match":{"`+field+`":"`+word+`"}}}`).Get("result.count"); got != want {
			t.Errorf("%s %s: found %v, want %v", field, word, got, want)
		}
	}
	n.Must("PUT", "/i/c", first)
	n.Must("PUT", "/i/c", first)
	n.Must("POST", "/i/c/1/_create?refresh=wait_for", `{"title":"Mountains","later":"One-Two"}`)
	n.Must("POST", "/i/c", `{"settings":{"refresh_interval":"5s"}}`)
	count("title", "mountaineer", 1)
	n.Must("POST", "/i/c", `{
		"settings":{"analysis":{"analyzer":{"b":{"tokenizer":"whitespace"}}}},
		"mappings":{"properties":{"later":{"type":"text","analyzer":"b"}}}
	}`)
	n.Must("POST", "/i/c/2/_create?refresh=wait_for", `{"title":"Mountains","later":"One-Two"}`)
	count("title", "mountaineer", 2)
	count("later", "One-Two", 1)
	count("later", "Two", 0)

	n.Must("POST", "/i/c", `{"settings":{"analysis":{"filter":{"short":{"length":6}}}}}`)
	n.Must("POST", "/i/c/3/_create?refresh=wait_for", `{"title":"Mountains"}`)
	count("title", "mountain", 1)
	if got, err := json.Marshal(n.Must("GET", "/i/c/_settings", "").Get("result")); err != nil || !strings.Contains(string(got), `"analysis.filter.short.length":"6"`) {
		t.Errorf("the settings are %s, %v", got, err)
	}
	for settings, want := range map[string]string{
		`{"analysis":null}`:                              `there is no analyzer "`,
		`{"analysis":{"foo":{"a":{"type":"custom"}}}}`:   "analysis.foo: there is no such part of analysis; there are analyzer, normalizer,",
		`{"analysis":{"analyzer":{"a":{"filter":"x"}}}}`: `there is no filter`,
		`{"analysis":[]}`:                                "null to take away all that is in it",
	} {
		if answer := n.HTTP("POST", "/i/c", `{"settings":`+settings+`}`); answer.Status != 400 || !strings.Contains(fmt.Sprint(answer.Get("error.message")), want) {
			t.Errorf("%s: %s, want %q", settings, answer.Body, want)
		}
	}
	count("title", "mountain", 1)
}
