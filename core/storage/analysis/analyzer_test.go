package analysis_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

// words gives the words of a text as "position:term".
func words(t testing.TB, analyzer, text string) string {
	t.Helper()
	a, ok := analysis.Named(analyzer)
	if !ok {
		t.Fatalf("no analyzer %q", analyzer)
	}
	var list []string
	for _, token := range a.Tokens(&analysis.Budget{}, []byte(text), nil) {
		list = append(list, fmt.Sprintf("%d:%s", token.Position, token.Term))
	}
	return strings.Join(list, " ")
}

func TestTokens(t *testing.T) {
	for _, tt := range []struct{ analyzer, text, want string }{
		{"standard", "The QUICK brown-foxes' 3.14 wi-fi, don't!", "0:the 1:quick 2:brown 3:foxes 4:3.14 5:wi 6:fi 7:don't"},
		{"standard", "", ""},
		{"default", "Ünïcode ẞ", "0:ünïcode 1:ß"},
		{"simple", "Don't 3x", "0:don 1:t 2:x"},
		{"whitespace", " A-b\tc ", "0:A-b 1:c"},
		{"keyword", " A b ", "0: A b "},
		{"keyword", "", "0:"},
		{"stop", "The fox and the hound", "1:fox 4:hound"},
		{"english", "The dog's running", "1:dog 2:run"},
	} {
		if got := words(t, tt.analyzer, tt.text); got != tt.want {
			t.Errorf("%s of %q:\n got %s\nwant %s", tt.analyzer, tt.text, got, tt.want)
		}
	}
}

// TestElasticsearch compares with what Elasticsearch 8.14 made of the same texts.
func TestElasticsearch(t *testing.T) {
	data, err := os.ReadFile("testdata/elasticsearch.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var line struct {
			Analyzer string   `json:"analyzer"`
			Text     string   `json:"text"`
			Tokens   [][2]any `json:"tokens"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, token := range line.Tokens {
			want = append(want, fmt.Sprintf("%v:%s", token[1], token[0]))
		}
		if got := words(t, line.Analyzer, line.Text); got != strings.Join(want, " ") {
			t.Errorf("%s of %q:\n got %q\nwant %q", line.Analyzer, line.Text, got, strings.Join(want, " "))
		}
	}
}

func TestNamedUnknown(t *testing.T) {
	if _, ok := analysis.Named("klingon"); ok {
		t.Error("found")
	}
	if !slices.IsSorted(analysis.Names()) {
		t.Error("not sorted")
	}
}
