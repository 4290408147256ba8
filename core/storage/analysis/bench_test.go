package analysis_test

import (
	"testing"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

func BenchmarkTokens(b *testing.B) {
	for _, bb := range []struct{ name, analyzer, text string }{
		{"standard/lower", "standard", "the quick brown fox jumps over lazy dogs"},
		{"standard/mixed", "standard", "The Quick brown fox jumps over Lazy dogs"},
		{"standard/unicode", "standard", "Über schöne Straßen fährt früh der Zug"},
		{"english", "english", "the quick brown foxes jumped over lazy dogs"},
		{"french", "french", "l'avion rapide survole les grandes maisons blanches"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			a, _ := analysis.Named(bb.analyzer)
			text, tokens := []byte(bb.text), []analysis.Token(nil)
			var budget analysis.Budget
			b.ReportAllocs()
			for b.Loop() {
				budget.Reset()
				tokens = a.Tokens(&budget, text, tokens[:0])
			}
		})
	}
}
