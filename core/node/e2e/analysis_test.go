package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestAnalysisOfACollection: synonyms and character filters that a collection defines find its documents, and highlights mark what the
// documents say, with the tags between words as Elasticsearch does. What cannot be asked for is refused with what to do about it.
func TestAnalysisOfACollection(t *testing.T) {
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
