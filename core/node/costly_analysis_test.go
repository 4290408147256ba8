package node_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// costlyAnalysis is a collection whose analyzers would make much of a short text, and that copies a text to many fields.
func costlyAnalysis() string {
	properties := make([]string, 0, 1000)
	for _, name := range []string{"mapped", "grams", "quadratic", "stripped"} {
		properties = append(properties, fmt.Sprintf(`%q:{"type":"text","analyzer":%q}`, name, name))
	}
	copies := make([]string, 900)
	for i := range copies {
		copies[i] = fmt.Sprintf(`"f%d"`, i)
		properties = append(properties, copies[i]+`:{"type":"text"}`)
	}
	return `{"settings":{"analysis":{
		"char_filter":{"m":{"type":"mapping","mappings":["a => ` + strings.Repeat("b", 200_000) + `"]}},
		"filter":{"e":{"type":"edge_ngram","min_gram":1,"max_gram":64}},
		"tokenizer":{"p":{"type":"pattern","pattern":"a.*b|a"}},
		"analyzer":{"mapped":{"tokenizer":"keyword","char_filter":["m"]},"grams":{"tokenizer":"keyword","filter":["e","e","e","e","e","e","e","e"]},
			"quadratic":{"tokenizer":"p"},"stripped":{"tokenizer":"keyword","char_filter":["html_strip"]}}}},
		"mappings":{"properties":{"copied":{"type":"text","copy_to":[` + strings.Join(copies, ",") + `]},` + strings.Join(properties, ",") + `}}}`
}

// refusedInTime tells whether a document was refused for its texts, or the machine is too slow to have come to that.
func refusedInTime(status int, answer []byte) bool {
	return status == http.StatusBadRequest && strings.Contains(string(answer), "have too much to do with the text") || status == http.StatusGatewayTimeout
}

// TestCostlyAnalysis: a text that the analyzers of its field would make too much of is refused, in a search and in a document, with
// others answered meanwhile.
func TestCostlyAnalysis(t *testing.T) {
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t)
	})
	n := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) {
		c.Limits.RequestTimeout, c.Server.MaxRequestSize = costlyTimeout, 16*config.MB
	}})
	n.Must("PUT", "/i/c", costlyAnalysis())
	n.Must("POST", "/i/c/1/_create", `{"mapped":"x"}`)

	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { watchMemory(t, done) })
	watching.Go(func() { askMeanwhile(t, n.Client.Address, done) })
	texts := map[string]string{
		"mapped": strings.Repeat("a", 10_000), "grams": strings.Repeat("a", 62), "quadratic": strings.Repeat("a", 50_000),
		"stripped": strings.Repeat("<", 10_000_000), "copied": strings.Repeat("abc def ghi ", 40_000),
	}
	var asking sync.WaitGroup
	for field, text := range texts {
		asking.Go(func() {
			status, answer, err := ask("POST", n.Client.Address, "/i/c/"+field+"/_create", fmt.Sprintf(`{%q:%q}`, field, text))
			if err != nil || !refusedInTime(status, answer) {
				t.Errorf("a document with %s: %d %.300s %v", field, status, answer, err)
			}
			if field != "copied" { // which is only many words for a search
				askCostly(t, n.Client.Address, field, fmt.Sprintf(`{"query":{"match":{%q:%q}}}`, field, text))
			}
		})
	}
	for i := range 50 {
		asking.Go(func() {
			path := fmt.Sprintf("/i/c/small%d/_create", i)
			if status, answer, err := ask("POST", n.Client.Address, path, fmt.Sprintf(`{"grams":%q}`, texts["grams"])); err != nil || !refusedInTime(status, answer) {
				t.Errorf("a small document: %d %.300s %v", status, answer, err)
			}
		})
	}
	asking.Wait()
	close(done)
	watching.Wait()
	n.Must("POST", "/i/c/2/_create", `{"mapped":"x"}`)
}
