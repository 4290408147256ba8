package analysis_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

// TestBrokenMarkup: what never ends is text, or hides the rest as in Elasticsearch, and is not looked for again and again, which would
// take this test longer than it may.
func TestBrokenMarkup(t *testing.T) {
	set, err := analysis.ParseSet(jsontext.Value(`{"analysis":{"analyzer":{"a":{"tokenizer":"keyword","char_filter":["html_strip"]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := set.Analyzer("a")
	for piece, hides := range map[string]bool{
		"<": false, `<a "`: false, "<! ": false, "<? ": false, "<a b='": false, "&": false, "&a": false, "<!--": true, "<script>": true,
	} {
		rest := strings.Repeat(piece, 1<<14)
		want := "x" + rest
		if hides {
			want = "x"
		}
		if tokens := a.Tokens(&analysis.Budget{}, []byte("<b>x</b>"+rest), nil); len(tokens) != 1 || string(tokens[0].Term) != want {
			t.Errorf("%q many times is not what it was: %d words", piece, len(tokens))
		}
	}
}
