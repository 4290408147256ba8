package elastic

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serverEnv names the Elasticsearch that the tests use. They work in indexes of their own.
const serverEnv = "SLUICE_TEST_ELASTICSEARCH"

// server gives the address of a real Elasticsearch, or skips the test.
func server(t testing.TB) string {
	t.Helper()
	address := os.Getenv(serverEnv)
	switch {
	case address != "":
	case os.Getenv("SLUICE_TEST_ALL") == "1":
		t.Fatalf("%s is not set: make elasticsearch starts a server", serverEnv)
	default:
		t.Skipf("no Elasticsearch: run make elasticsearch, then set %s=http://127.0.0.1:9200", serverEnv)
	}
	return address
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
