package elastic

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server gives the address of a real Elasticsearch, or skips the test.
func server(t testing.TB) string {
	t.Helper()
	return elastictest.Shared(t)
}

// opened opens an engine that is closed with the test, unless the test closes it.
func opened(t testing.TB) *Engine {
	t.Helper()
	e, err := Open(context.Background(), Options{Addresses: []string{server(t)}})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestConformance(t *testing.T) {
	server(t)
	storagetest.Run(t, func(t *testing.T) storage.Engine { return opened(t) })
}
