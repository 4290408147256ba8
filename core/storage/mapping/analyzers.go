package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// defaultAnalyzer is Elasticsearch's word for the analyzer of a text whose mapping names none. It is the standard analyzer,
// but a mapping that says standard differs from one that says nothing.
const defaultAnalyzer = "default"

// analyzers are the built-in analyzers by Elasticsearch's names, sorted.
var analyzers = []string{
	"arabic", "cjk", "danish", "default", "dutch", "english", "finnish", "french", "german", "hindi", "hungarian", "italian", "keyword",
	"norwegian", "persian", "portuguese", "romanian", "russian", "simple", "sorani", "spanish", "standard", "stop", "swedish", "turkish",
	"whitespace",
}

// Analyzers lists the names that a text field may give as its analyzer, sorted.
func Analyzers() []string { return slices.Clone(analyzers) }

func setAnalyzer(at func(*Options) *string) func(*Field, jsontext.Value) error {
	return func(f *Field, v jsontext.Value) error {
		name, err := text(v)
		if err != nil {
			return err
		}
		if !slices.Contains(analyzers, name) {
			return fmt.Errorf("there is no built-in analyzer %s; there are %s", shorten(v), strings.Join(analyzers, ", "))
		}
		*at(&f.Options) = name
		return nil
	}
}

func getAnalyzer(f *Field) string {
	if f.Analyzer == defaultAnalyzer {
		return ""
	}
	return quoteOr(f.Analyzer)
}

// getSearchAnalyzer leaves out what the other analyzer says already.
func getSearchAnalyzer(f *Field) string {
	if f.SearchAnalyzer == f.Analyzer || f.Analyzer == "" && f.SearchAnalyzer == defaultAnalyzer {
		return ""
	}
	return quoteOr(f.SearchAnalyzer)
}
