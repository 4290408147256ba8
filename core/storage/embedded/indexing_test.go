package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// idsFound gives the ids that a search finds, each as often as it does.
func idsFound(t testing.TB, e *Engine, body string) map[string]int {
	t.Helper()
	found, err := e.Search(context.Background(), storage.Search{Targets: []storage.Collection{things}, Body: []byte(body), Size: storage.MaxWindow})
	must(t, err)
	ids := map[string]int{}
	for _, h := range found.Hits {
		ids[h.ID]++
	}
	return ids
}

// TestNeverTwice: a document that is updated all the time is in every search, once.
func TestNeverTwice(t *testing.T) {
	const documents, searches = 30, 300
	e := openedFew(t, t.TempDir(), nil)
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"k":{"type":"keyword"}}}`)}))
	for i := range documents {
		put(t, e, fmt.Sprint(i), `{"k":"v"}`)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				var ops []storage.Op
				for range 1 + rand.IntN(3) {
					ops = append(ops, storage.Op{Kind: storage.OpPut, ID: fmt.Sprint(w + 3*rand.IntN(documents/3)), Source: []byte(`{"k":"v"}`)})
				}
				if _, err := e.Write(context.Background(), things, ops, storage.BulkOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range searches {
		ids := idsFound(t, e, `{"query":{"term":{"k":"v"}}}`)
		for i := range documents {
			if n := ids[fmt.Sprint(i)]; n != 1 {
				t.Errorf("document %d was found %d times", i, n)
			}
		}
	}
	stop()
	wg.Wait()
	if e.filesOf(things) == 0 {
		t.Error("no files were made")
	}
	checkConsistent(t, e)
	checkFiles(t, e)
}

// TestFoundAtOnce: a search that begins after a write returned sees it.
func TestFoundAtOnce(t *testing.T) {
	e := openedFew(t, "data", vfs.NewMem())
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"k":{"type":"keyword"}}}`)}))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				id := fmt.Sprintf("%d-%d", w, i)
				if _, _, err := e.Put(context.Background(), things, id, fmt.Appendf(nil, `{"k":%q}`, id), storage.WriteOptions{}); err != nil {
					t.Error(err)
				}
				if n, err := e.Count(context.Background(), []storage.Collection{things}, fmt.Appendf(nil, `{"term":{"k":%q}}`, id)); n != 1 || err != nil {
					t.Errorf("%s was found %d times, %v", id, n, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestIndexDiskFails: while files of the index cannot be written searches and writes go on, until the memory is full; then
// writes are refused. When the disk is well again all goes on.
func TestIndexDiskFails(t *testing.T) {
	for name, kinds := range map[string][]errorfs.OpKind{
		"create": {errorfs.OpCreate}, "write": {errorfs.OpFileWrite}, "sync": {errorfs.OpFileSync}, "rename": {errorfs.OpRename},
	} {
		t.Run(name, func(t *testing.T) {
			var broken toggle
			fs := errorfs.Wrap(vfs.NewMem(), broken.on(".seg", kinds...))
			e, err := Open(t.Context(), Options{Dir: "data", Logger: quiet, FS: fs, IndexDocuments: few, IndexBytes: 1 << 16})
			must(t, err)
			t.Cleanup(func() { _ = e.Close() })
			must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"k":{"type":"keyword"}}}`)}))
			r := rand.New(rand.NewPCG(9, 10))
			for range 20 {
				randomWrite(t, e, r, 100)
			}
			broken.set(true)
			var refused error
			for i := 0; refused == nil; i++ {
				_, _, refused = e.Put(t.Context(), things, fmt.Sprint("late ", i), fmt.Appendf(nil, `{"k":"late %d"}`, i), storage.WriteOptions{})
				if i > 100_000 {
					t.Fatal("nothing is refused")
				}
			}
			if !errors.Is(refused, kerror.ServicesStorageUnexpectedError) || !errors.Is(refused, errorfs.ErrInjected) {
				t.Errorf("refused with %v", refused)
			}
			checkIndex(t, e, things)
			broken.set(false)
			eventually(t, "writes are refused still", func() bool {
				_, _, err := e.Put(t.Context(), things, "again", []byte(`{}`), storage.WriteOptions{})
				return err == nil
			})
			checkConsistent(t, e)
			checkFiles(t, e)
			must(t, e.Close())
			e, err = Open(t.Context(), Options{Dir: "data", Logger: quiet, FS: fs, IndexDocuments: few})
			must(t, err)
			t.Cleanup(func() { _ = e.Close() })
			checkConsistent(t, e)
		})
	}
}

// TestIndexPowerCut: what a power cut leaves is enough to bring the index back, whatever was being written.
func TestIndexPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	e := openedFew(t, "data", fs)
	must(t, e.Ensure(t.Context(), things, storage.Spec{Keywords: []string{"k"}}))
	ctx, stop := context.WithCancel(t.Context())
	var w writers
	w.start(ctx, e, 4)
	for i := range 10 {
		eventually(t, "no writes", func() bool { return w.count() > i*10 })
		left := openedFew(t, "data", fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(11, uint64(i)))}))
		if left.lost.Load() > 0 {
			t.Error("the power cut damaged the index")
		}
		checkConsistent(t, left)
		must(t, left.Close())
	}
	stop()
	w.Wait()
}

// TestIndexPowerCutAfterStart: the folder of the search index is there after a power cut, however soon after the first start it
// came.
func TestIndexPowerCutAfterStart(t *testing.T) {
	fs := vfs.NewCrashableMem()
	opened(t, "data", fs)
	left := fs.CrashClone(vfs.CrashCloneCfg{})
	if _, err := left.Stat(left.PathJoin("data", indexDir)); err != nil {
		t.Error(err)
	}
}

// TestIndexBudget: many collections together need no more memory than they may.
func TestIndexBudget(t *testing.T) {
	const collections, limit = 40, 1 << 18
	e, err := Open(t.Context(), Options{Dir: "data", Logger: quiet, FS: vfs.NewMem(), IndexBytes: limit})
	must(t, err)
	t.Cleanup(func() { _ = e.Close() })
	c := func(i int) storage.Collection {
		return storage.Collection{Scope: storage.Public, Index: "lab", Name: fmt.Sprint("c", i)}
	}
	for i := range collections {
		must(t, e.Ensure(t.Context(), c(i), storage.Spec{Mapping: []byte(`{"properties":{"t":{"type":"text"}}}`)}))
	}
	files := 0
	for i := range 1500 {
		_, _, err := e.Put(t.Context(), c(i%collections), fmt.Sprint(i), fmt.Appendf(nil, `{"t":"word%d and some others of %d"}`, i, i), storage.WriteOptions{})
		must(t, err)
		e.budget.mu.Lock()
		need := e.budget.active.Load() + e.budget.waiting
		e.budget.mu.Unlock()
		if need > limit*5/4 {
			t.Fatalf("after %d writes the indexes need %d bytes, the limit is %d", i, need, limit)
		}
	}
	for i := range collections {
		checkIndex(t, e, c(i))
		files += e.filesOf(c(i))
	}
	if files == 0 {
		t.Error("nothing became a file")
	}
	must(t, e.DropIndex(t.Context(), storage.Public, "lab"))
	if active := e.budget.active.Load(); active != 0 {
		t.Errorf("nothing is left but %d bytes", active)
	}
	eventually(t, "bytes wait though nothing is left", func() bool {
		e.budget.mu.Lock()
		defer e.budget.mu.Unlock()
		return e.budget.waiting == 0
	})
	checkFiles(t, e)
}

// TestIdleCollectionsGiveWay: a busy collection is written in files about as large when many that nobody writes to took most of
// the memory before.
func TestIdleCollectionsGiveWay(t *testing.T) {
	const limit, busy = 1 << 20, 3000
	alone, beside := filesOfBusy(t, limit, busy, 0), filesOfBusy(t, limit, busy, 150)
	t.Logf("%d files alone, %d beside idle collections", alone, beside)
	if beside > alone+8 { // some more, until the idle ones have made way
		t.Errorf("%d writes made %d files beside idle collections, and %d alone", busy, beside, alone)
	}
}

// filesOfBusy gives how many files things ever had after some writes, when other collections had one document each before.
func filesOfBusy(t *testing.T, limit int64, writes, idle int) uint64 {
	t.Helper()
	e, err := Open(t.Context(), Options{Dir: "data", Logger: quiet, FS: vfs.NewMem(), IndexBytes: limit})
	must(t, err)
	t.Cleanup(func() { _ = e.Close() })
	spec := storage.Spec{Mapping: []byte(`{"properties":{"t":{"type":"text"}}}`)}
	for i := range idle {
		c := storage.Collection{Scope: storage.Public, Index: "lab", Name: fmt.Sprint("idle", i)}
		must(t, e.Ensure(t.Context(), c, spec))
		_, _, err := e.Put(t.Context(), c, "one", []byte(`{"t":"a document like others"}`), storage.WriteOptions{})
		must(t, err)
	}
	must(t, e.Ensure(t.Context(), things, spec))
	for i := range writes {
		put(t, e, fmt.Sprint(i), fmt.Sprintf(`{"t":"word%d and some others of %d"}`, i, i))
	}
	settled(t, e)
	s := e.catalogue.now.Load().collections[things].segments
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lastFile
}

// TestCollectionsCostLittle: ten times the collections need as many goroutines and open files, and as many files of the index each,
// also after a restart.
func TestCollectionsCostLittle(t *testing.T) {
	dir := t.TempDir()
	e := opened(t, dir, nil)
	made := 0
	var before, after cost
	for _, n := range []int{10, 100} {
		for ; made < n; made++ {
			writeAndTurn(t, e, storage.Collection{Scope: storage.Public, Index: "lab", Name: fmt.Sprint("c", made)})
		}
		settled(t, e)
		before, after = after, costOf(t, e)
	}
	must(t, e.Close())
	again := costOf(t, opened(t, dir, nil))
	t.Logf("%+v, %+v, after a restart %+v", before, after, again)
	for _, now := range []cost{after, again} {
		if now.goroutines > before.goroutines+5 || now.open > before.open+20 {
			t.Errorf("10 collections cost %+v, 100 cost %+v", before, now)
		}
		if now.files > 100*(tierFiles-1) {
			t.Errorf("%d files for 100 collections", now.files)
		}
	}
}

// writeAndTurn makes a collection whose documents came in several memories, each of which becomes a file.
func writeAndTurn(t *testing.T, e *Engine, address storage.Collection) {
	t.Helper()
	must(t, e.Ensure(t.Context(), address, storage.Spec{Mapping: []byte(`{"properties":{"n":{"type":"long"}}}`)}))
	c, err := e.catalogue.find(address)
	must(t, err)
	for i := range 5 {
		_, _, err := e.Put(t.Context(), address, fmt.Sprint(i), []byte(`{"n":1}`), storage.WriteOptions{})
		must(t, err)
		e.turnPart(c, c.segments.last)
	}
}

// cost is what an engine needs besides memory.
type cost struct{ goroutines, open, files int }

func costOf(t *testing.T, e *Engine) cost {
	t.Helper()
	now := cost{goroutines: runtime.NumGoroutine()}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil { // Linux alone has it
		now.open = len(open)
	}
	for address := range e.catalogue.now.Load().collections {
		now.files += e.filesOf(address)
	}
	return now
}

// TestFewSmallFiles: a collection has few small files though nobody merges, as when memories come faster than merges.
func TestFewSmallFiles(t *testing.T) {
	e := openedFew(t, "data", vfs.NewMem())
	e.merger.end()
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"k":{"type":"keyword"},"n":{"type":"long"}}}`)}))
	r := rand.New(rand.NewPCG(14, 15))
	for range 100 {
		randomWrite(t, e, r, 500)
	}
	eventually(t, "memories wait", func() bool {
		e.budget.mu.Lock()
		defer e.budget.mu.Unlock()
		return e.budget.waiting == 0
	})
	if n := e.filesOf(things); n == 0 || n >= tierFiles {
		t.Errorf("%d files", n)
	}
	checkIndex(t, e, things)
	checkConsistent(t, e)
	checkFiles(t, e)
}

// TestLargeBulk: ten thousand documents in one Write are found at once, and after a restart.
func TestLargeBulk(t *testing.T) {
	fs := vfs.NewMem()
	e := opened(t, "data", fs)
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"k":{"type":"keyword"}}}`)}))
	results, err := e.Write(t.Context(), things, putOps(10_000, `{"k":"v"}`), storage.BulkOptions{})
	must(t, err)
	for _, r := range results {
		must(t, r.Err)
	}
	for range 2 {
		n, err := e.Count(t.Context(), []storage.Collection{things}, []byte(`{"term":{"k":"v"}}`))
		if must(t, err); n != 10_000 {
			t.Errorf("Count gave %d", n)
		}
		checkConsistent(t, e)
		must(t, e.Close())
		e = opened(t, "data", fs)
	}
}

// TestTiers merges files as they come, and looks at how many there are, how large, and how often a document is written.
func TestTiers(t *testing.T) {
	const perDocument = 100
	r := rand.New(rand.NewPCG(12, 13))
	for round := range 50 {
		most := int64(1) << 60
		if round%2 > 0 {
			most = 50_000 * perDocument
		}
		var files []fileSize
		var written, total, largest int
		of := func(n int) fileSize { return fileSize{n, n, int64(n) * perDocument} }
		for range 1000 {
			n := 1 + r.IntN(1000)
			total += n
			files = append(files, of(n))
			if i := r.IntN(len(files)); r.IntN(5) == 0 {
				files[i].living = r.IntN(files[i].living + 1)
			}
			for from, to := chooseMerge(files, most); from < to; from, to = chooseMerge(files, most) {
				sum := 0
				for _, f := range files[from:to] {
					sum += f.living
				}
				written += sum
				largest = max(largest, sum)
				rest := append([]fileSize(nil), files[to:]...)
				if files = files[:from]; sum > 0 {
					files = append(files, of(sum))
				}
				files = append(files, rest...)
			}
			// Of the largest that may be, any four are too large together.
			if least := int64(total) * perDocument * tierFiles / most; int64(len(files)) > 10*(tierFiles-1)+least {
				t.Fatalf("%d files: %v", len(files), files)
			}
		}
		if int64(largest)*perDocument > most {
			t.Errorf("a file of %d documents", largest)
		}
		if written > 12*total {
			t.Errorf("%d documents were written %d times", total, written)
		}
	}
}
