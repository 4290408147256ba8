package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPerformanceDocument: the commands of docs/performance.md work, with less to measure and without the servers beside them.
func TestPerformanceDocument(t *testing.T) {
	all := readTranscript(t, "docs/performance.md")
	if len(all) == 0 {
		t.Fatal("docs/performance.md shows no command")
	}
	for _, e := range all {
		args := strings.Fields(e.command)
		if args[0] != "bin/sluice" {
			t.Fatalf("%q is no command of the binary", e.command)
		}
		if i := slices.Index(args, "--elasticsearch"); i >= 0 {
			args = slices.Delete(args, i, i+2)
		}
		if i := slices.Index(args, "--out"); i >= 0 {
			args[i+1] = filepath.Join(t.TempDir(), args[i+1])
		}
		if out, err := sluice(t, append(args[1:], "--documents", "1000", "--time", "10ms", "--data", t.TempDir())...); err != nil {
			t.Errorf("%s: %v: %s", e.command, err, out)
		}
	}
}

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
