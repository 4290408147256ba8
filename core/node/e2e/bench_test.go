package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBenchStorage: the command measures the embedded engine and a node of its own, and leaves nothing behind but the tables.
func TestBenchStorage(t *testing.T) {
	data, results := t.TempDir(), filepath.Join(t.TempDir(), "results")
	out, err := sluice(t, "bench", "storage", "--documents", "1000", "--time", "10ms", "--http", "--data", data, "--out", results)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, row := range []string{"| date_histogram ", "| deleteByQuery (documents) ", "| filtered list "} {
		if !strings.Contains(out, row) {
			t.Errorf("nothing begins with %q in %s", row, out)
		}
	}
	for file, row := range map[string]string{"storage.md": "| geo, 200 km ", "http.md": "| filtered list "} {
		if table, err := os.ReadFile(filepath.Join(results, file)); err != nil || !strings.Contains(string(table), row) {
			t.Errorf("%s: %v, %s", file, err, table)
		}
	}
	if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
		t.Errorf("%d folders are left, %v", len(left), err)
	}
	for _, wrong := range [][]string{{"--documents", "10"}, {"--callers", "0"}, {"--elasticsearch", "http://127.0.0.1:1"}, {"--data", "/nowhere/at/all"}} {
		if out, err := sluice(t, append([]string{"bench", "storage", "--time", "10ms"}, wrong...)...); err == nil {
			t.Errorf("%v is taken: %s", wrong, out)
		}
	}
}
