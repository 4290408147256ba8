package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// indexDir is the folder, in that of the engine, of the files of all search indexes.
const indexDir = "index"

// fileSuffix ends the name of a complete file.
const fileSuffix = ".seg"

// indexFiles are the files of all search indexes. A file is written once, under a name that is not used again while the engine is
// open, and counts from the moment on when the manifest of its collection names it.
type indexFiles struct {
	fs  vfs.FS
	dir string
	log *slog.Logger

	mu sync.Mutex
	// held counts those who keep files from being removed; doomed are the files that go once it is 0.
	held   int
	doomed []string
}

func openIndexFiles(o Options) (*indexFiles, error) {
	f := &indexFiles{fs: o.FS, dir: o.FS.PathJoin(o.Dir, indexDir), log: o.Logger}
	if err := o.FS.MkdirAll(f.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the search index: %w", err)
	}
	// Without this a power cut may take the folder away, with all synced files in it.
	if err := segment.SyncDir(o.FS, o.Dir); err != nil {
		return nil, fmt.Errorf("make the folder of the search index durable: %w", err)
	}
	return f, nil
}

func fileName(collection uint32, number uint64) string {
	return fmt.Sprintf("%08x-%016x"+fileSuffix, collection, number)
}

func (f *indexFiles) path(collection uint32, number uint64) string {
	return f.fs.PathJoin(f.dir, fileName(collection, number))
}

// remove removes files that no manifest names, later when somebody holds them. One that cannot be removed is tried again at the
// next start.
func (f *indexFiles) remove(collection uint32, numbers ...uint64) {
	names := make([]string, len(numbers))
	for i, n := range numbers {
		names[i] = fileName(collection, n)
	}
	f.removeNamed(names)
}

func (f *indexFiles) removeNamed(names []string) {
	f.mu.Lock()
	if f.held > 0 {
		f.doomed = append(f.doomed, names...)
		names = nil
	}
	f.mu.Unlock()
	for _, name := range names {
		if err := f.fs.Remove(f.fs.PathJoin(f.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.log.Warn("a file of the search index could not be removed, it is tried again at the next start", "file", name, "error", err)
		}
	}
}

// hold keeps files from being removed until release is called.
func (f *indexFiles) hold() (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held++
	return func() {
		f.mu.Lock()
		var names []string
		if f.held--; f.held == 0 {
			names, f.doomed = f.doomed, nil
		}
		f.mu.Unlock()
		f.removeNamed(names)
	}
}

// sweep removes what is not in use.
func (f *indexFiles) sweep(used map[string]bool) error {
	names, err := f.fs.List(f.dir)
	if err != nil {
		return fmt.Errorf("list the files of the search index: %w", err)
	}
	var orphans []string
	for _, name := range names {
		if !used[name] {
			orphans = append(orphans, name)
		}
	}
	f.removeNamed(orphans)
	return nil
}
