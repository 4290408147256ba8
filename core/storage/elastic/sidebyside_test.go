package elastic

import (
	"context"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

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

// TestSideBySide: both engines answer alike, also random searches, which are other ones each time.
func TestSideBySide(t *testing.T) {
	for _, c := range storagetest.Comparisons() {
		t.Run(c.Name, func(t *testing.T) { c.SideBySide(t, opened(t), embeddedEngine(t)) })
	}
}
