package embedded

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage"
)

// few makes files of 20 writes, so that little is enough for freezes and merges.
const few = 20

// openedFew opens an engine with small files.
func openedFew(t testing.TB, dir string, fs vfs.FS) *Engine {
	t.Helper()
	e, err := Open(context.Background(), Options{Dir: dir, Logger: quiet, FS: fs, IndexDocuments: few})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// settled waits until no memory waits to become a file and no merge is due.
func settled(t testing.TB, e *Engine) {
	t.Helper()
	eventually(t, "the index does not settle", func() bool {
		for _, c := range e.catalogue.now.Load().collections {
			if !c.segments.settled() {
				e.merger.ask(c) // as the next freeze would
				return false
			}
		}
		return true
	})
}

func (s *segments) settled() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var sizes []fileSize
	for _, p := range s.parts[:len(s.parts)-1] {
		if p.file == nil || p.moving {
			return false
		}
		sizes = append(sizes, sizeOf(p))
	}
	from, to := chooseMerge(sizes, maxFileBytes)
	return s.lost == nil && from == to
}

// files gives how many files the index of a collection has.
func (e *Engine) filesOf(c storage.Collection) int {
	s := e.catalogue.now.Load().collections[c].segments
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	for _, p := range s.parts {
		if p.file != nil {
			n++
		}
	}
	return n
}

// randomWrite puts or deletes one of n documents, or several at once.
func randomWrite(t testing.TB, e *Engine, r *rand.Rand, n int) {
	t.Helper()
	var ops []storage.Op
	for range 1 + r.IntN(4)*r.IntN(10) {
		op := storage.Op{Kind: storage.OpPut, ID: fmt.Sprint(r.IntN(n)), Source: fmt.Appendf(nil, `{"k":"%d","n":%d}`, r.IntN(5), r.IntN(9))}
		if r.IntN(4) == 0 {
			op = storage.Op{Kind: storage.OpDelete, ID: op.ID}
		}
		ops = append(ops, op)
	}
	_, err := e.Write(t.Context(), things, ops, storage.BulkOptions{})
	must(t, err)
}

// checkUnmapped looks for files of the index that are still in memory.
func checkUnmapped(t *testing.T, dir string) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps") // Linux alone has it
	if err == nil && strings.Contains(string(maps), filepath.Join(dir, indexDir)) {
		t.Errorf("files are mapped after Close:\n%s", maps)
	}
}

// checkTerms searches for every keyword, and compares with what the documents say.
func checkTerms(t *testing.T, e *Engine) {
	t.Helper()
	want := map[string]map[string]int{}
	must(t, e.Scan(t.Context(), things, "", func(d storage.Document) bool {
		k := strings.Split(string(d.Source), `"`)[3]
		if want[k] == nil {
			want[k] = map[string]int{}
		}
		want[k][d.ID] = 1
		return true
	}))
	for k := range 5 {
		if got := idsFound(t, e, fmt.Sprintf(`{"query":{"term":{"k":"%d"}}}`, k)); len(got)+len(want[fmt.Sprint(k)]) > 0 && !maps.Equal(got, want[fmt.Sprint(k)]) {
			t.Errorf("k %d: found %v, want %v", k, got, want[fmt.Sprint(k)])
		}
	}
}

// TestIndexFollows compares the index, and what searches find, with the documents while memories become files and files become fewer, and after
// restarts.
func TestIndexFollows(t *testing.T) {
	for name, fs := range map[string]vfs.FS{"memory": vfs.NewMem(), "disk": nil} {
		t.Run(name, func(t *testing.T) {
			dir := "data"
			if fs == nil {
				dir = t.TempDir()
			}
			r := rand.New(rand.NewPCG(1, rand.Uint64()))
			for range 3 {
				e := openedFew(t, dir, fs)
				must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"k":{"type":"keyword"},"n":{"type":"long"}}}`)}))
				checkIndex(t, e, things)
				for range 100 {
					randomWrite(t, e, r, 300)
					checkIndex(t, e, things)
					checkTerms(t, e)
				}
				if r.IntN(2) == 0 {
					settled(t, e)
					checkIndex(t, e, things)
				}
				checkConsistent(t, e)
				must(t, e.Close())
				checkUnmapped(t, dir)
			}
		})
	}
}
