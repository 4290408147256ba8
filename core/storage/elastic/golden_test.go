package elastic

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/core/storage/storagetest"
)

var recording = flag.Bool("record", false, "write the golden files of storagetest from the answers of this Elasticsearch")

// TestRecord writes what the embedded engine is held to where there is no Elasticsearch.
func TestRecord(t *testing.T) {
	if !*recording {
		t.Skip("only with -record")
	}
	for _, c := range storagetest.Comparisons() {
		t.Run(c.Name, func(t *testing.T) {
			e := opened(t)
			f, err := os.Create(filepath.Join("../storagetest", c.File()))
			if err != nil {
				t.Fatal(err)
			}
			c.Record(t, e, f)
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
