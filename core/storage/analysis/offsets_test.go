package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

// TestOffsets: every word knows where it stands in the text, however it was changed.
func TestOffsets(t *testing.T) {
	for _, tt := range []struct{ analyzer, text, want string }{
		{"standard", "The QUICK, brown", "the=The quick=QUICK brown=brown"},
		{"english", "Two Foxes' dens", "two=Two fox=Foxes den=dens"},
		{"keyword", "A b", "A b=A b"},
		{"german", "Straße Häuser", "strass=Straße haus=Häuser"},
		{"persian", "کتاب\u200Cها خوب", "كتاب=کتاب خوب=خوب"},
		{"cjk", "go 日本語 x", "go=go 日本=日本 本語=本語 x=x"},
		{"cjk", "ＡＢ ﾊﾟﾊ", "ab=ＡＢ パハ=ﾊﾟﾊ"},
		{"cjk", "山", "山=山"},
	} {
		a, ok := analysis.Named(tt.analyzer)
		if !ok {
			t.Fatalf("no analyzer %q", tt.analyzer)
		}
		var list []string
		for _, token := range a.Tokens(&analysis.Budget{}, []byte(tt.text), nil) {
			list = append(list, fmt.Sprintf("%s=%s", token.Term, tt.text[token.Start:token.End]))
		}
		if got := strings.Join(list, " "); got != tt.want {
			t.Errorf("%s of %q:\n got %s\nwant %s", tt.analyzer, tt.text, got, tt.want)
		}
	}
}
