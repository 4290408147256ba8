package embedded

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func openError(t *testing.T, o Options, says string) error {
	t.Helper()
	o.Logger = quiet
	e, err := Open(context.Background(), o)
	if err == nil {
		_ = e.Close()
		t.Fatalf("Open succeeded, want an error that says %q", says)
	}
	if !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("Open: %v; want the directory and %q", err, says)
	}
	return err
}

func TestOpenFreshIsQuick(t *testing.T) {
	best := time.Hour
	for range 3 {
		start := time.Now()
		e := opened(t, t.TempDir(), nil)
		best = min(best, time.Since(start))
		must(t, e.Close())
	}
	t.Logf("opened a fresh directory in %s", best)
	if best > 100*time.Millisecond && !raceEnabled {
		t.Errorf("opening a fresh directory takes %s", best)
	}
}

func TestOpenRefusals(t *testing.T) {
	t.Run("no directory", func(t *testing.T) { openError(t, Options{}, "no data directory") })
	t.Run("in use", func(t *testing.T) {
		dir := t.TempDir()
		opened(t, dir, nil)
		openError(t, Options{Dir: dir}, "stop the other process")
	})
	t.Run("in use by another process", func(t *testing.T) {
		fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpLock {
				return syscall.EAGAIN // what fcntl gives
			}
			return nil
		}))
		openError(t, Options{Dir: "data", FS: fs}, "stop the other process")
	})
	t.Run("not writable", func(t *testing.T) {
		fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpLock {
				return &os.PathError{Op: "open", Path: op.Path, Err: syscall.EACCES}
			}
			return nil
		}))
		openError(t, Options{Dir: "data", FS: fs}, "give the user")
	})
	t.Run("a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(file, nil, 0o600))
		openError(t, Options{Dir: file}, "make the data directory")
	})
	t.Run("another format", func(t *testing.T) {
		fs := vfs.NewMem()
		e := opened(t, "data", fs)
		must(t, e.db.Set(formatKey, []byte{99}, pebble.Sync))
		must(t, e.Close())
		err := openError(t, Options{Dir: "data", FS: fs}, "another version")
		if !errors.Is(err, kerror.ServicesStorageVersionMismatch) {
			t.Errorf("Open: %v", err)
		}
	})
}

// TestReopen: the catalogue, documents, versions of deleted documents and collection numbers are there again.
func TestReopen(t *testing.T) {
	ctx, fs := t.Context(), vfs.NewMem()
	e := withThings(t, fs)
	put(t, e, "a", `{"k":"x"}`)
	put(t, e, "gone", `{"k":"x"}`)
	must(t, e.Delete(ctx, things, "gone", storage.WriteOptions{}))
	other := things
	other.Name = "other"
	must(t, e.Ensure(ctx, other, storage.Spec{}))
	must(t, e.Drop(ctx, other))
	truncated := things
	truncated.Name = "truncated"
	spec := storage.Spec{Mapping: []byte(`{"dynamic":"true"}`), Settings: []byte(`{"s":1}`)}
	must(t, e.Ensure(ctx, truncated, spec))
	_, _, err := e.Put(ctx, truncated, "a", []byte(`{"n":1}`), storage.WriteOptions{})
	must(t, err)
	must(t, e.Truncate(ctx, truncated))
	must(t, e.CreateIndex(ctx, storage.Internal, "empty"))
	last := e.catalogue.lastNumber
	must(t, e.Close())

	e = opened(t, "data", fs)
	docs, err := e.Find(ctx, things, "k", "x", 10)
	must(t, err)
	if len(docs) != 1 || docs[0].ID != "a" {
		t.Errorf("Find after reopening gave %v", docs)
	}
	if doc := put(t, e, "gone", `{}`); doc.Version != 2 {
		t.Errorf("created again with version %d", doc.Version)
	}
	spec, err = e.Describe(ctx, truncated)
	must(t, err)
	if string(spec.Mapping) != `{"dynamic":"true","properties":{"n":{"type":"long"}}}` || string(spec.Settings) != `{"s":1}` {
		t.Errorf("Describe after reopening gave %s, %s", spec.Mapping, spec.Settings)
	}
	indexes, err := e.Indexes(ctx, storage.Internal)
	must(t, err)
	if len(indexes) != 1 || indexes[0] != "empty" {
		t.Errorf("Indexes after reopening gave %q", indexes)
	}
	must(t, e.Ensure(ctx, other, storage.Spec{}))
	if e.catalogue.lastNumber != last+1 {
		t.Errorf("collection number %d follows %d", e.catalogue.lastNumber, last)
	}
	checkConsistent(t, e)
}

// damage changes one byte in the middle of every file whose name ends so.
func damage(t *testing.T, dir, suffix string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	must(t, err)
	if len(files) == 0 {
		t.Fatalf("no %s files", suffix)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		must(t, err)
		if at := bytes.Index(b, []byte("MARK")); at >= 0 {
			b[at] ^= 1
		}
		must(t, os.WriteFile(file, b, 0o600))
	}
}

func TestDamagedTable(t *testing.T) {
	dir := t.TempDir()
	e := withDisk(t, dir)
	put(t, e, "a", `{"k":"MARK`+strings.Repeat("0123456789abcdef", 300)+`"}`)
	must(t, e.db.Flush())
	must(t, e.Close())
	damage(t, dir, ".sst")

	e, err := Open(t.Context(), Options{Dir: dir, Logger: quiet})
	if err != nil {
		return // found at once: as good
	}
	defer e.Close()
	doc, err := e.Get(t.Context(), things, "a")
	if !errors.Is(err, kerror.ServicesStorageUnexpectedError) || !pebble.IsCorruptionError(err) {
		t.Errorf("Get of a damaged document gave %.40s, %v", doc.Source, err)
	}
	if err := e.Healthy(t.Context()); !errors.Is(err, kerror.ServicesStorageUnexpectedError) {
		t.Errorf("Healthy: %v", err)
	}
	if _, _, err := e.Put(t.Context(), things, "b", []byte(`{}`), storage.WriteOptions{}); !errors.Is(err, kerror.ServicesStorageUnexpectedError) {
		t.Errorf("Put: %v", err)
	}
}

// TestDamagedLog: damage to an acknowledged record is not taken for a torn tail. (Within the last 32 KiB of the log it
// would be, see doc.go.)
func TestDamagedLog(t *testing.T) {
	dir := t.TempDir()
	e := withDisk(t, dir)
	put(t, e, "a", `{"k":"MARK"}`)
	for range 50 {
		put(t, e, "b", `{"n":"`+strings.Repeat("n", 2000)+`"}`)
	}
	killed := filepath.Join(t.TempDir(), "killed")
	must(t, os.CopyFS(killed, os.DirFS(dir)))
	must(t, e.Close())
	damage(t, killed, ".log")
	openError(t, Options{Dir: killed}, "damaged")
}

// TestCloseEmptiesTheLog: what happens to the log of an engine that ended well harms no document.
func TestCloseEmptiesTheLog(t *testing.T) {
	dir := t.TempDir()
	e := withDisk(t, dir)
	put(t, e, "a", `{"k":"v"}`)
	must(t, e.Close())
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	must(t, err)
	for _, log := range logs {
		must(t, os.Truncate(log, 0))
	}
	_, err = withDisk(t, dir).Get(t.Context(), things, "a")
	must(t, err)
}

func withDisk(t *testing.T, dir string) *Engine {
	e := opened(t, dir, nil)
	must(t, e.Ensure(t.Context(), things, storage.Spec{Keywords: []string{"k"}}))
	return e
}
