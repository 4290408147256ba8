package elastic

import (
	"flag"
	"os"
	"testing"

	"github.com/sluicehq/sluice/core/storage/storagetest"
)

var recording = flag.Bool("record", false, "write the golden file of storagetest from the answers of this Elasticsearch")

const (
	goldenFile     = "../storagetest/testdata/golden.jsonl.gz"
	goldenSeed     = 20260531
	goldenSearches = 1500
)

// TestRecord writes what the embedded engine is held to where there is no Elasticsearch.
func TestRecord(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	e := opened(t)
	f, err := os.Create(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	storagetest.Record(t, e, goldenSeed, goldenSearches, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
