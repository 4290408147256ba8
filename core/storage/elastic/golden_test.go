package elastic

import (
	"flag"
	"io"
	"os"
	"testing"

	"github.com/sluicehq/sluice/core/storage/storagetest"
)

var recording = flag.Bool("record", false, "write the golden file of storagetest from the answers of this Elasticsearch")

const (
	goldenFile     = "../storagetest/testdata/golden.jsonl.gz"
	typesFile      = "../storagetest/testdata/types.jsonl.gz"
	phrasingsFile  = "../storagetest/testdata/phrasings.jsonl.gz"
	hitsFile       = "../storagetest/testdata/hits.jsonl.gz"
	vectorsFile    = "../storagetest/testdata/vectors.jsonl.gz"
	suggestFile    = "../storagetest/testdata/suggest.jsonl.gz"
	phrasesFile    = "../storagetest/testdata/suggest_phrase.jsonl.gz"
	chainsFile     = "../storagetest/testdata/chains.jsonl.gz"
	shapesFile     = "../storagetest/testdata/shapes.jsonl.gz"
	goldenSeed     = 20260531
	goldenSearches = 1500
	hitsSearches   = 300

	goldenSuggestions = 200
	goldenChains      = 200
	goldenPhrasings   = 400
)

// TestRecord writes what the embedded engine is held to where there is no Elasticsearch.
func TestRecord(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, goldenFile, func(f io.Writer) { storagetest.Record(t, e, goldenSeed, goldenSearches, f) })
}

// TestRecordTypes is TestRecord for the other types of fields.
func TestRecordTypes(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, typesFile, func(f io.Writer) { storagetest.RecordTypes(t, e, f) })
}

// TestRecordHits is TestRecord for what surrounds hits.
func TestRecordHits(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, hitsFile, func(f io.Writer) { storagetest.RecordHits(t, e, goldenSeed, hitsSearches, f) })
}

// TestRecordVectors is TestRecord for vectors.
func TestRecordVectors(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, vectorsFile, func(f io.Writer) { storagetest.RecordVectors(t, e, goldenSeed, goldenSearches/5, f) })
}

// TestRecordSuggest is TestRecord for suggestions.
func TestRecordSuggest(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, suggestFile, func(f io.Writer) { storagetest.RecordSuggest(t, e, goldenSeed, goldenSuggestions, f) })
}

// TestRecordPhrases is TestRecord for suggestions of phrases.
func TestRecordPhrases(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, phrasesFile, func(f io.Writer) { storagetest.RecordPhrases(t, e, goldenSeed, goldenSuggestions, f) })
}

// TestRecordShapes is TestRecord for points and shapes.
func TestRecordShapes(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, shapesFile, func(f io.Writer) { storagetest.RecordShapes(t, e, goldenSeed, goldenSuggestions, f) })
}

// TestRecordChains is TestRecord for analyzers that are put together.
func TestRecordChains(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, chainsFile, func(f io.Writer) { storagetest.RecordChains(t, e, goldenSeed, goldenChains, f) })
}

// TestRecordPhrasings is TestRecord for searches in words.
func TestRecordPhrasings(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	writeGolden(t, phrasingsFile, func(f io.Writer) { storagetest.RecordPhrasings(t, e, goldenSeed, goldenPhrasings, f) })
}

func writeGolden(t *testing.T, path string, write func(io.Writer)) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	write(f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
