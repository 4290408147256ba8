package elastic

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

// searchesEnv is how many random searches are compared, for a longer run than the usual one.
const searchesEnv = "SLUICE_TEST_SEARCHES"

// embeddedEngine is the other engine, in memory.
func embeddedEngine(t *testing.T) storage.Engine {
	t.Helper()
	e, err := embedded.Open(context.Background(), embedded.Options{Dir: "data", Logger: slog.New(slog.DiscardHandler), FS: vfs.NewMem()})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// TestSideBySide: both engines answer random searches alike, other ones each time.
func TestSideBySide(t *testing.T) {
	storagetest.SideBySide(t, opened(t), embeddedEngine(t), searches(t, 2000))
}

// TestSideBySideHits is TestSideBySide for what surrounds hits.
func TestSideBySideHits(t *testing.T) {
	storagetest.SideBySideHits(t, opened(t), embeddedEngine(t), searches(t, 500))
}

// TestVectorsSideBySide is TestSideBySide for vectors.
func TestVectorsSideBySide(t *testing.T) {
	storagetest.VectorsSideBySide(t, opened(t), embeddedEngine(t), searches(t, 500))
}

// TestPhrasesSideBySide is TestSideBySide for suggestions of phrases.
func TestPhrasesSideBySide(t *testing.T) {
	storagetest.PhrasesSideBySide(t, opened(t), embeddedEngine(t), searches(t, 500))
}

// TestSuggestSideBySide is TestSideBySide for suggestions.
func TestSuggestSideBySide(t *testing.T) {
	storagetest.SuggestSideBySide(t, opened(t), embeddedEngine(t), searches(t, 500))
}

// TestChainsSideBySide is TestSideBySide for analyzers that are put together.
func TestChainsSideBySide(t *testing.T) {
	storagetest.ChainsSideBySide(t, opened(t), embeddedEngine(t), searches(t, 500))
}

// searches is how many are compared.
func searches(t *testing.T, n int) int {
	t.Helper()
	if text := os.Getenv(searchesEnv); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", searchesEnv, err)
		}
	}
	return n
}
