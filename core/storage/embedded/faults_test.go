package embedded

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// toggle injects errors into a file system while it is set.
type toggle struct{ atomic.Bool }

func (g *toggle) set(broken bool) { g.Store(broken) }

// on fails writing operations (of the kinds, or of every kind) on files whose name contains part.
func (g *toggle) on(part string, kinds ...errorfs.OpKind) errorfs.Injector {
	return errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !g.Load() || op.Kind.ReadOrWrite() != errorfs.OpIsWrite || !strings.Contains(path.Base(op.Path), part) {
			return nil
		}
		for _, k := range kinds {
			if k == op.Kind {
				return errorfs.ErrInjected
			}
		}
		if len(kinds) == 0 {
			return errorfs.ErrInjected
		}
		return nil
	})
}

// fresh begins each log in a new file: errorfs lets through what is written to one that is used again.
type fresh struct{ vfs.FS }

func (f fresh) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Remove(old); err != nil {
		return nil, err
	}
	return f.Create(name, category)
}

// writers put documents without end, until one fails or the context ends, and remember what was acknowledged.
type writers struct {
	sync.WaitGroup
	mu           sync.Mutex
	acknowledged map[string]int64
	failures     []error
}

func (w *writers) start(ctx context.Context, e *Engine, n int) {
	w.acknowledged = map[string]int64{}
	for g := range n {
		w.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprintf("%d-%d", g, i%50)
				doc, _, err := e.Put(context.Background(), things, id, fmt.Appendf(nil, `{"k":"%d"}`, i), storage.WriteOptions{})
				w.mu.Lock()
				if err == nil {
					w.acknowledged[id] = doc.Version
				} else {
					w.failures = append(w.failures, err)
				}
				w.mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
}

// count is how many documents have been acknowledged.
func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acknowledged)
}

// snapshot is what has been acknowledged up to now.
func (w *writers) snapshot() map[string]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(map[string]int64, len(w.acknowledged))
	for id, v := range w.acknowledged {
		c[id] = v
	}
	return c
}

// checkAcknowledged opens what a power cut would have left of fs, and looks for the acknowledged writes.
func checkAcknowledged(t *testing.T, fs *vfs.MemFS, acknowledged map[string]int64) {
	t.Helper()
	e := opened(t, "data", fs)
	for id, version := range acknowledged {
		doc, err := e.Get(t.Context(), things, id)
		if err != nil || doc.Version < version {
			t.Errorf("document %q was acknowledged with version %d, found %d, %v", id, version, doc.Version, err)
		}
	}
	checkConsistent(t, e)
	must(t, e.Close())
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 10 s: %s", what)
		}
	}
}

// TestPowerCut: all that was acknowledged when the power goes is there, whatever was not synced.
func TestPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	e := withThings(t, fs)
	ctx, stop := context.WithCancel(t.Context())
	var w writers
	w.start(ctx, e, 4)
	for i := range 5 {
		eventually(t, "no writes", func() bool { return w.count() > i*30 })
		acknowledged := w.snapshot()
		checkAcknowledged(t, fs.CrashClone(vfs.CrashCloneCfg{}), acknowledged)
	}
	stop()
	w.Wait()
}

// TestBrokenLog: a write whose log record cannot be written or synced is not acknowledged, and the engine stops.
func TestBrokenLog(t *testing.T) {
	for name, kinds := range map[string][]errorfs.OpKind{
		"write": {errorfs.OpFileWrite, errorfs.OpFileWriteAt},
		"sync":  {errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo},
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewCrashableMem()
			var broken toggle
			e := withThings(t, fresh{errorfs.Wrap(fs, broken.on(".log", kinds...))})
			var w writers
			w.start(t.Context(), e, 4)
			eventually(t, "no writes", func() bool { return w.count() > 100 })
			broken.set(true)
			w.Wait()
			broken.set(false)
			for _, err := range w.failures {
				if !errors.Is(err, kerror.ServicesStorageUnexpectedError) || !errors.Is(err, errorfs.ErrInjected) {
					t.Errorf("Put: %v, want unexpected_error because of the injected one", err)
				}
			}
			checkStopped(t, e)
			_ = e.Close() // must not hang; whether the log can be closed is another matter
			checkAcknowledged(t, fs.CrashClone(vfs.CrashCloneCfg{}), w.acknowledged)
			checkAcknowledged(t, fs, w.acknowledged)
		})
	}
}

// checkStopped: nothing is answered, though the disk is well again.
func checkStopped(t *testing.T, e *Engine) {
	t.Helper()
	_, _, put := e.Put(t.Context(), things, "later", []byte(`{}`), storage.WriteOptions{})
	_, get := e.Get(t.Context(), things, "later")
	for what, err := range map[string]error{
		"Healthy": e.Healthy(t.Context()), "Put": put, "Get": get, "Drop": e.Drop(t.Context(), things),
		"Ensure": e.Ensure(t.Context(), things, storage.Spec{Keywords: []string{"new"}}),
	} {
		if !errors.Is(err, kerror.ServicesStorageUnexpectedError) {
			t.Errorf("%s after the failure: %v", what, err)
		}
	}
}

// TestFullDisk: while tables cannot be written the engine refuses writes and goes on reading; it recovers by itself.
func TestFullDisk(t *testing.T) {
	var full toggle
	e := withThings(t, errorfs.Wrap(vfs.NewMem(), full.on(".sst")))
	put(t, e, "a", `{"k":"x"}`)
	full.set(true)
	_, err := e.db.AsyncFlush()
	must(t, err)
	eventually(t, "still healthy", func() bool { return e.Healthy(t.Context()) != nil })
	_, _, err = e.Put(t.Context(), things, "b", []byte(`{}`), storage.WriteOptions{})
	if !errors.Is(err, kerror.ServicesStorageUnexpectedError) {
		t.Errorf("Put on a full disk: %v", err)
	}
	if strings.Contains(err.Error(), "injected") {
		t.Errorf("the client is told %q", err)
	}
	_, err = e.Get(t.Context(), things, "a")
	must(t, err)
	full.set(false)
	eventually(t, "still unhealthy", func() bool { return e.Healthy(t.Context()) == nil })
	put(t, e, "b", `{}`)
}

// TestFullDiskOfIndex: while files of the search index cannot be written the engine is not healthy, first because writes will be
// refused and then because they are; it recovers by itself.
func TestFullDiskOfIndex(t *testing.T) {
	var full toggle
	e, err := Open(t.Context(), Options{Dir: "data", FS: errorfs.Wrap(vfs.NewMem(), full.on(fileSuffix)), IndexBytes: 1 << 20, IndexDocuments: 100, Logger: quiet})
	must(t, err)
	t.Cleanup(func() { must(t, e.Close()) })
	must(t, e.Ensure(t.Context(), things, storage.Spec{}))
	must(t, e.Healthy(t.Context()))
	full.set(true)
	for i := 0; e.Healthy(t.Context()) == nil; i++ {
		if i > 10_000 {
			t.Fatal("still healthy")
		}
		put(t, e, fmt.Sprint(i), `{"k":"x"}`)
	}
	for i := 0; err == nil; i++ {
		if i > 100_000 {
			t.Fatal("writes are not refused")
		}
		_, _, err = e.Put(t.Context(), things, fmt.Sprint(i), []byte(`{"k":"y"}`), storage.WriteOptions{})
	}
	if healthy := e.Healthy(t.Context()); healthy == nil || healthy.Error() != err.Error() {
		t.Errorf("a write gets %v, and Healthy %v", err, healthy)
	}
	full.set(false)
	eventually(t, "still unhealthy", func() bool { return e.Healthy(t.Context()) == nil })
	put(t, e, "b", `{}`)
}

// TestOpenOnFullDisk: a start waits until the disk takes data, ends when it is told to, and loses nothing either way.
func TestOpenOnFullDisk(t *testing.T) {
	disk := vfs.NewCrashableMem()
	e := withThings(t, disk)
	put(t, e, "a", `{"k":"x"}`)
	left := disk.CrashClone(vfs.CrashCloneCfg{})
	var full toggle
	full.set(true)
	o := Options{Dir: "data", FS: errorfs.Wrap(left, full.on(".sst")), Logger: quiet}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if e, err := Open(ctx, o); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "takes some") {
		t.Fatalf("opened %v: %v", e, err)
	}
	full.set(false)
	eventually(t, "the opening that was given up still holds the folder", func() bool {
		e, err := Open(t.Context(), o)
		if err == nil {
			must(t, e.Close())
		}
		return err == nil
	})

	full.set(true)
	room := time.AfterFunc(300*time.Millisecond, func() { full.set(false) })
	defer room.Stop()
	o.FS = errorfs.Wrap(disk.CrashClone(vfs.CrashCloneCfg{}), full.on(".sst"))
	again, err := Open(t.Context(), o)
	must(t, err)
	_, err = again.Get(t.Context(), things, "a")
	must(t, err)
	must(t, again.Close())
}

// TestHarmlessBackgroundError: a failure that keeps nothing from being written refuses nothing.
func TestHarmlessBackgroundError(t *testing.T) {
	var h health
	l := listener(&h, quiet)
	l.BackgroundError(errors.New("no statistics"))
	l.CompactionEnd(pebble.CompactionInfo{Err: pebble.ErrCancelledCompaction})
	must(t, h.writable())
}

// TestCloseWaits: a running Scan ends in peace, what it starts meanwhile is refused.
func TestCloseWaits(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	put(t, e, "a", `{}`)
	put(t, e, "b", `{}`)
	closed := make(chan error, 1)
	visited := 0
	err := e.Scan(t.Context(), things, "", func(storage.Document) bool {
		if visited++; visited == 1 {
			go func() { closed <- e.Close() }()
			eventually(t, "the gate is open", func() bool {
				_, err := e.Get(t.Context(), things, "a")
				return errors.Is(err, kerror.ServicesStorageNotConnected)
			})
		}
		return true
	})
	must(t, err)
	must(t, <-closed)
	if visited != 2 {
		t.Errorf("Scan visited %d documents", visited)
	}
	if err := e.Close(); !errors.Is(err, kerror.ServicesStorageNotConnected) {
		t.Errorf("second Close: %v", err)
	}
}
