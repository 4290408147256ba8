package embedded

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// withFiles makes a directory whose index has files and dead documents, and what is not in files yet.
func withFiles(t *testing.T, dir string) {
	t.Helper()
	e := openedFew(t, dir, nil)
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"k":{"type":"keyword"}}}`)}))
	r := rand.New(rand.NewPCG(2, 3))
	for range 60 {
		randomWrite(t, e, r, 200)
	}
	settled(t, e)
	randomWrite(t, e, r, 200)
	if e.filesOf(things) == 0 {
		t.Fatal("there are no files")
	}
	must(t, e.Close())
}

func indexFilesIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, indexDir, "*.seg"))
	must(t, err)
	if len(files) == 0 {
		t.Fatal("there are no files")
	}
	return files
}

// TestDamagedIndex: whatever happens to a file of the index, no search gives wrong hits, and the index comes back.
func TestDamagedIndex(t *testing.T) {
	for name, damage := range map[string]func(file string, b []byte) error{
		"missing":       func(file string, _ []byte) error { return os.Remove(file) },
		"empty":         func(file string, _ []byte) error { return os.Truncate(file, 0) },
		"cut off":       func(file string, b []byte) error { return os.Truncate(file, int64(len(b)-1)) },
		"first byte":    func(file string, b []byte) error { b[0] ^= 1; return os.WriteFile(file, b, 0o600) },
		"last byte":     func(file string, b []byte) error { b[len(b)-1] ^= 1; return os.WriteFile(file, b, 0o600) },
		"byte anywhere": func(file string, b []byte) error { b[rand.IntN(len(b))] ^= 1; return os.WriteFile(file, b, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			withFiles(t, dir)
			for _, file := range indexFilesIn(t, dir) {
				b, err := os.ReadFile(file)
				must(t, err)
				must(t, damage(file, b))
			}
			e := openedFew(t, dir, nil)
			for range 5 {
				randomWrite(t, e, rand.New(rand.NewPCG(4, 5)), 200)
			}
			checkSelect(t, e)
			checkConsistent(t, e)
			eventually(t, "the engine is not healthy again", func() bool { return e.Healthy(t.Context()) == nil })
			checkFiles(t, e)
			must(t, e.Close())
			e = openedFew(t, dir, nil)
			checkConsistent(t, e)
		})
	}
}

// checkSelect compares what a search for everything gives, once it gives something, with what is stored.
func checkSelect(t *testing.T, e *Engine) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		got := map[string]bool{}
		err := e.Select(t.Context(), things, storage.Selection{Batch: 7}, func(docs []storage.Document) error {
			for _, d := range docs {
				got[d.ID] = true
			}
			return nil
		})
		if errors.Is(err, kerror.ServicesStorageUnexpectedError) && time.Now().Before(end) {
			time.Sleep(time.Millisecond)
			continue
		}
		must(t, err)
		stored := 0
		must(t, e.Scan(t.Context(), things, "", func(d storage.Document) bool {
			if stored++; !got[d.ID] {
				t.Errorf("Select does not give %q", d.ID)
			}
			return true
		}))
		if len(got) != stored {
			t.Errorf("Select gave %d documents, %d are stored", len(got), stored)
		}
		return
	}
}

// checkFiles looks for files that no manifest names, and the other way round, once all is quiet.
func checkFiles(t *testing.T, e *Engine) {
	t.Helper()
	settled(t, e)
	var names []string
	want := map[string]bool{}
	defer func() {
		if t.Failed() {
			t.Logf("files: %v, in manifests: %v", names, want)
		}
	}()
	eventually(t, "the files are not those of the manifests", func() bool {
		clear(want)
		for _, c := range e.catalogue.now.Load().collections {
			m, err := readManifest(e.db, c.number)
			must(t, err)
			for _, f := range m.Files {
				want[fileName(c.number, f.Number)] = true
			}
		}
		var err error
		names, err = e.files.fs.List(e.files.dir)
		must(t, err)
		for _, name := range names {
			if !want[name] {
				return false
			}
		}
		return len(names) == len(want)
	})
}

// TestDamageWhileOpen: a search that finds damage fails, and the next ones until the index is there again.
func TestDamageWhileOpen(t *testing.T) {
	e := openedFew(t, t.TempDir(), nil)
	must(t, e.Ensure(t.Context(), things, storage.Spec{}))
	r := rand.New(rand.NewPCG(6, 7))
	for range 50 {
		randomWrite(t, e, r, 200)
	}
	c, err := e.catalogue.find(things)
	must(t, err)
	watched{engine: e, coll: c}.look(segment.ErrDamaged)
	if err := e.Healthy(t.Context()); err == nil && c.segments.isLost() {
		t.Error("Healthy is nil though an index is lost")
	}
	ctx, stop := context.WithCancel(t.Context())
	var w writers
	w.start(ctx, e, 3)
	checkSelectSoon(t, e)
	stop()
	w.Wait()
	checkConsistent(t, e)
	checkFiles(t, e)
	must(t, e.Healthy(t.Context()))
}

// TestDiskTakesAFileAway: a page of the index that cannot be read any more fails the search, not the process.
func TestDiskTakesAFileAway(t *testing.T) {
	dir := t.TempDir()
	e := openedFew(t, dir, nil)
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"k":{"type":"keyword"}}}`)}))
	_, err := e.Write(t.Context(), things, putOps(3000, `{"k":"v"}`), storage.BulkOptions{})
	must(t, err)
	checkFiles(t, e) // what was merged is removed, too
	for _, file := range indexFilesIn(t, dir) {
		must(t, os.Truncate(file, 0))
	}
	query := storage.Search{Targets: []storage.Collection{things}, Body: []byte(`{"query":{"term":{"k":"v"}}}`), Size: 10}
	if _, err := e.Search(t.Context(), query); !errors.Is(err, kerror.ServicesStorageUnexpectedError) {
		t.Errorf("Search: %v", err)
	}
	checkSelect(t, e)
	checkConsistent(t, e)
	if n := idsFound(t, e, `{"query":{"term":{"k":"v"}}}`); len(n) != 3000 {
		t.Errorf("%d documents are found", len(n))
	}
}

// checkSelectSoon waits until searches work again.
func checkSelectSoon(t *testing.T, e *Engine) {
	t.Helper()
	pinnedSoon(t, e, things).letGo()
}

// TestRebuildInterrupted closes and drops while an index is being made again, and goes on after a restart.
func TestRebuildInterrupted(t *testing.T) {
	fs := vfs.NewMem()
	e := openedFew(t, "data", fs)
	must(t, e.Ensure(t.Context(), things, storage.Spec{}))
	r := rand.New(rand.NewPCG(8, rand.Uint64()))
	for range 300 {
		randomWrite(t, e, r, 3000)
	}
	interrupted := 0
	for range 12 {
		c, err := e.catalogue.find(things)
		must(t, err)
		e.lose(c, segment.ErrDamaged)
		for range r.IntN(30) {
			randomWrite(t, e, r, 3000)
		}
		time.Sleep(time.Duration(r.IntN(5)) * time.Millisecond)
		if c.segments.isRefilling() {
			interrupted++
		}
		must(t, e.Close())
		e = openedFew(t, "data", fs)
		if r.IntN(3) == 0 {
			checkConsistent(t, e)
		}
	}
	if interrupted == 0 {
		t.Error("nothing was interrupted")
	}
	checkConsistent(t, e)
	checkFiles(t, e)
	c, err := e.catalogue.find(things)
	must(t, err)
	e.lose(c, segment.ErrDamaged)
	must(t, e.Drop(t.Context(), things))
	eventually(t, "files are left", func() bool { names, _ := fs.List(e.files.dir); return len(names) == 0 })
	must(t, e.Healthy(t.Context()))
}
