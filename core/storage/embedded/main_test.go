package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

// childEnv names the role of a child process: this test binary, started again.
const childEnv = "EMBEDDED_TEST_CHILD"

// What a child needs to know: the directory that it opens, and the files that break.
const (
	dirEnv  = "EMBEDDED_TEST_DIR"
	partEnv = "EMBEDDED_TEST_PART"
)

func TestMain(m *testing.M) {
	switch role := os.Getenv(childEnv); role {
	case "":
		goleak.VerifyTestMain(patient{m})
	case "storm":
		storm(os.Getenv(dirEnv))
	case "fatal":
		fatal(os.Getenv(dirEnv), os.Getenv(partEnv))
	default:
		fmt.Fprintln(os.Stderr, "no such role:", role)
		os.Exit(64)
	}
}

// patient gives goroutines that were told to end the time to do so on a busy machine: Close of a file that Pebble watches does
// not wait for the one that watches it.
type patient struct{ *testing.M }

func (p patient) Run() int {
	code := p.M.Run()
	for end := time.Now().Add(10 * time.Second); goleak.Find() != nil && time.Now().Before(end); {
		continue
	}
	return code
}

var (
	things = storage.Collection{Scope: storage.Public, Index: "lab", Name: "things"}
	quiet  = slog.New(slog.DiscardHandler)
)

// opened opens an engine that is closed with the test, unless the test closes it. A nil fs is the real disk.
func opened(t testing.TB, dir string, fs vfs.FS) *Engine {
	t.Helper()
	e, err := Open(context.Background(), Options{Dir: dir, Logger: quiet, FS: fs})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// withThings opens an engine in memory that has the collection things with the keyword k.
func withThings(t testing.TB, fs vfs.FS) *Engine {
	t.Helper()
	e := opened(t, "data", fs)
	must(t, e.Ensure(context.Background(), things, storage.Spec{Keywords: []string{"k"}}))
	return e
}

func put(t testing.TB, e *Engine, id, source string) storage.Document {
	t.Helper()
	doc, _, err := e.Put(context.Background(), things, id, []byte(source), storage.WriteOptions{})
	must(t, err)
	return doc
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Engine { return opened(t, "data", vfs.NewMem()) })
}

func TestConformanceOnDisk(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Engine { return openedFew(t, t.TempDir(), nil) })
}
