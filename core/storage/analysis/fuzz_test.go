package analysis_test

import (
	"testing"
	"unicode/utf8"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

// FuzzTokens holds every analyzer to what the index relies on.
func FuzzTokens(f *testing.F) {
	for _, text := range []string{"", "The dogs' 3.14", "l'été aujourd'hui", "東京ｶﾞ한국", "👍🏽 1️⃣ 🇫🇷", "א\"ב'ג", "\xff\xc3", "İI\u0307", "۱ کتاب\u200cها"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 4096 {
			t.Skip()
		}
		for _, name := range analysis.Names() {
			a, _ := analysis.Named(name)
			source := []byte(text)
			tokens := a.Tokens(&analysis.Budget{}, source, make([]analysis.Token, 1))
			if string(source) != text {
				t.Fatalf("%s changed its text %q", name, text)
			}
			last, first := uint32(0), true
			for _, token := range tokens[1:] {
				if !first && token.Position <= last {
					t.Fatalf("%s of %q: position %d after %d", name, text, token.Position, last)
				}
				if token.Start > token.End || int(token.End) > len(text) || !utf8.ValidString(text[token.Start:token.End]) {
					t.Fatalf("%s of %q: a word from %d to %d", name, text, token.Start, token.End)
				}
				if !utf8.Valid(token.Term) {
					t.Fatalf("%s of %q: %q", name, text, token.Term)
				}
				last, first = token.Position, false
			}
			if len(tokens) > len(text)+2 {
				t.Fatalf("%s of %q: %d words", name, text, len(tokens)-1)
			}
		}
	})
}
