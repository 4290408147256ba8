package embedded

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// slowDisk is how long a single operation may take before it is logged.
const slowDisk = 5 * time.Second

// Open opens the engine in o.Dir, and makes it there when the directory is empty. ctx bounds nothing but the start: a
// cancelled one fails it.
//
// Its errors are for operators: they name the directory and say what to do.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Dir == "" {
		return nil, errors.New("open storage: no data directory given")
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.IndexBytes == 0 {
		o.IndexBytes = defaultIndexBytes
	}
	if o.IndexDocuments == 0 {
		o.IndexDocuments = defaultIndexDocuments
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	disk := io.Closer(unwatched{})
	if o.FS == nil {
		// Pebble would do the same, but leak the watcher when its Open fails.
		o.FS, disk = vfs.WithDiskHealthChecks(vfs.Default, slowDisk, nil, warnOfSlowDisk(o.Logger))
	}
	e, err := open(ctx, o)
	if err != nil {
		_ = disk.Close()
		return nil, err
	}
	e.disk = disk
	return e, nil
}

// open opens the database in a complete o.
func open(ctx context.Context, o Options) (*Engine, error) {
	lock, err := lockDir(o)
	if err != nil {
		return nil, err
	}
	// The database shares the lock and keeps it; taking it first only tells "in use" from "not writable".
	defer lock.Close() //nolint:errcheck // it was locked only
	e := newEngine(o)
	log := pebbleLog{log: o.Logger, open: new(atomic.Bool)}
	po := o.pebble(e.health, log)
	po.Lock = lock
	if e.db, err = e.openDatabase(ctx, o.Dir, po); err != nil {
		return nil, explain(o.Dir, err)
	}
	if err := e.loadAll(ctx, o); err != nil {
		return nil, errors.Join(explain(o.Dir, err), e.db.Close())
	}
	log.open.Store(true)
	return e, nil
}

// waitingReport is how often a start that takes long says what it waits for.
const waitingReport = 5 * time.Second

// openedDatabase is what the opening of a database ends with.
type openedDatabase struct {
	db  *pebble.DB
	err error
}

// openDatabase opens the database. It waits for as long as a full disk takes no data, and says so, since all that is missing is
// room. Nothing ends the opening itself: when ctx ends it is left to the end of the process, or closed should it come to an end.
func (e *Engine) openDatabase(ctx context.Context, dir string, o *pebble.Options) (*pebble.DB, error) {
	done := make(chan openedDatabase, 1)
	go func() {
		db, err := pebble.Open(dir, o)
		done <- openedDatabase{db, err}
	}()
	report := time.NewTicker(waitingReport)
	defer report.Stop()
	for {
		select {
		case r := <-done:
			return r.db, r.err
		case <-report.C:
			e.reportOpening(dir)
		case <-ctx.Done():
			go func() {
				if r := <-done; r.err == nil {
					_ = r.db.Close() // nobody waits for it
				}
			}()
			return nil, errors.Join(context.Cause(ctx), e.health.writable())
		}
	}
}

func (e *Engine) reportOpening(dir string) {
	if c := e.health.behind.Load(); c != nil {
		e.log.Error("waiting for the storage to open: its disk takes no data, free space on it", "folder", dir, "error", rootCause(c.err))
		return
	}
	e.log.Info("waiting for the storage to open: it reads what was written before the node ended", "folder", dir)
}

// rootCause is an error without what was noted on its way.
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func newEngine(o Options) *Engine {
	e := &Engine{
		health: new(health), locks: documentLocks{seed: maphash.MakeSeed()}, log: o.Logger, slots: newSlots(), answers: newAnswers(),
		most: uint64(o.IndexDocuments), budget: budget{half: o.IndexBytes / 2}, //nolint:gosec // not negative
	}
	e.readers.heavy = make(chan struct{}, runtime.GOMAXPROCS(0))
	e.freezer = newWorker(e.freeze, noPause)
	e.merger = newWorker(e.tidy, mergePause)
	return e
}

// loadAll reads what the database says about collections and their search indexes.
func (e *Engine) loadAll(ctx context.Context, o Options) (err error) {
	if e.catalogue, err = loadCatalogue(e.db); err != nil {
		return err
	}
	if e.files, err = openIndexFiles(o); err != nil {
		return err
	}
	if err = e.openIndexes(ctx); err != nil {
		e.closeIndexes()
	}
	return err
}

// lockDir makes the directory and takes its lock.
func lockDir(o Options) (*pebble.Lock, error) {
	if err := o.FS.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open storage: make the data directory %q: %w", o.Dir, err)
	}
	lock, err := pebble.LockDirectory(o.Dir, o.FS)
	if _, isPath := errors.AsType[*fs.PathError](err); isPath {
		return nil, fmt.Errorf("open storage: cannot write in %q, give the user that runs this process the right to: %w", o.Dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open storage: %q is in use: stop the other process, or give this one a directory of its own: %w", o.Dir, err)
	}
	return lock, nil
}

func explain(dir string, err error) error {
	switch {
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("open storage: the data in %q is damaged, restore a backup: %w", dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open storage: cannot write in %q, give the user that runs this process the right to: %w", dir, err)
	}
	return fmt.Errorf("open storage in %q: %w", dir, err)
}

// unwatched is the closer of a file system that brings its own.
type unwatched struct{}

func (unwatched) Close() error { return nil }
