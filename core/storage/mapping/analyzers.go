package mapping

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
)

// defaultAnalyzer is Elasticsearch's word for the analyzer of a text whose mapping names none. It is the standard analyzer,
// but a mapping that says standard differs from one that says nothing.
const defaultAnalyzer = "default"

func setAnalyzer(at func(*Options) *string) func(*Field, jsontext.Value) error {
	return func(f *Field, v jsontext.Value) error {
		name, err := text(v)
		if err != nil {
			return err
		}
		*at(&f.Options) = name
		return nil
	}
}

// setAnalysis finds the analyzers and the normalizer that a field names.
func (f *Field) setAnalysis(set *analysis.Set) error {
	var err error
	switch {
	case f.Type == Text, f.Type == Completion:
		if f.analyzer, err = analyzerNamed(f, "analyzer", f.IndexAnalyzer(), set); err != nil || f.SearchAnalyzer == "" {
			return err
		}
		_, err = analyzerNamed(f, "search_analyzer", f.SearchAnalyzer, set)
	case f.Normalizer != "":
		var ok bool
		if f.normalizer, ok = set.Normalizer(f.Normalizer); !ok {
			return badOption(f.Path, "normalizer", noSuch("normalizer", f.Normalizer, set.Normalizers()))
		}
		if f.null != nil {
			plain, err := text(jsontext.Value(f.NullValue))
			var b analysis.Budget
			f.null = &Value{Text: f.Normalize(&b, []byte(plain))}
			return cmp.Or(err, b.Err())
		}
	}
	return err
}

func analyzerNamed(f *Field, option, name string, set *analysis.Set) (*analysis.Analyzer, error) {
	a, ok := set.Analyzer(name)
	if !ok {
		return nil, badOption(f.Path, option, noSuch("analyzer", name, set.Analyzers()))
	}
	return a, nil
}

func noSuch(what, name string, there []string) string {
	return fmt.Sprintf("there is no %s %q; there are %s, and those that the settings of the collection define under analysis", what, shortenText(name),
		strings.Join(there, ", "))
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
