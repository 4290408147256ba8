package audit

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Old files are named after the time of their rotation, so that they sort by it, and before the file in use:
// audit-2026-11-22T20-38-00.000.log, with .gz once it is compressed.
const (
	oldTime    = "2006-01-02T15-04-05.000"
	compressed = ".gz"
	unfinished = ".tmp"
)

// old are the files that are full. A goroutine compresses and removes them; close waits for it.
type old struct {
	o           FileOptions
	stem, end   string
	due         chan struct{}
	looksAfter  sync.WaitGroup
	closeSignal func()
}

func newOld(o FileOptions) *old {
	end := filepath.Ext(o.Path)
	x := &old{o: o, stem: strings.TrimSuffix(o.Path, end) + "-", end: end, due: make(chan struct{}, 1)}
	x.closeSignal = sync.OnceFunc(func() { close(x.due) })
	x.looksAfter.Go(func() {
		for range x.due {
			if err := x.lookAfter(time.Now()); err != nil {
				o.Logger.Error("old files of the audit log could not be compressed or removed; it is tried again", "error", err)
			}
		}
	})
	return x
}

// tidy has the old files looked after.
func (x *old) tidy() {
	select {
	case x.due <- struct{}{}:
	default: // it is about to happen
	}
}

func (x *old) close() {
	x.closeSignal()
	x.looksAfter.Wait()
}

// add makes the file in use an old one. Two of one millisecond get a millisecond each.
func (x *old) add(path string, now time.Time) error {
	for ; ; now = now.Add(time.Millisecond) {
		name := x.stem + now.UTC().Format(oldTime) + x.end
		if exists(name) || exists(name+compressed) {
			continue
		}
		return os.Rename(path, name)
	}
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// files are the names of the old files, oldest first.
func (x *old) files() ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(x.o.Path))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := filepath.Join(filepath.Dir(x.o.Path), e.Name())
		if _, ok := x.rotated(name); ok && e.Type().IsRegular() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// rotated reads the time from the name of an old file.
func (x *old) rotated(name string) (time.Time, bool) {
	text, ok := strings.CutPrefix(strings.TrimSuffix(name, compressed), x.stem)
	if !ok || !strings.HasSuffix(text, x.end) {
		return time.Time{}, false
	}
	at, err := time.Parse(oldTime, strings.TrimSuffix(text, x.end))
	return at, err == nil
}

// lastHash is where the chain of a new file begins: the last line of the newest old one.
func (x *old) lastHash() (string, error) {
	names, err := x.files()
	if err != nil || len(names) == 0 {
		return begin, err
	}
	last := begin
	err = eachLine(names[len(names)-1], func(line []byte, _ bool) { last = hashOf(line) })
	return last, err
}

// lookAfter removes what is too old or too much, and compresses the rest.
func (x *old) lookAfter(now time.Time) error {
	names, err := x.files()
	if err != nil {
		return err
	}
	var errs []error
	for i, name := range names {
		at, _ := x.rotated(name)
		if len(names)-i > x.o.MaxFiles || x.o.MaxAge > 0 && now.Sub(at) > x.o.MaxAge {
			errs = append(errs, os.Remove(name))
		} else if x.o.Compress && !strings.HasSuffix(name, compressed) {
			errs = append(errs, compress(name))
		}
	}
	return errors.Join(errs...)
}

// compress puts a compressed copy in place of a file. The file stays until the copy is whole and on the disk; one that a crash
// left half done is written again.
func compress(name string) (err error) {
	from, err := os.Open(name) //nolint:gosec // a name from the operator's folder
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // it was only read
	half := name + compressed + unfinished
	to, err := os.OpenFile(half, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // as above
	if err != nil {
		return err
	}
	z := gzip.NewWriter(to)
	_, copied := io.Copy(z, from)
	if err := errors.Join(copied, z.Close(), to.Sync(), to.Close()); err != nil {
		return errors.Join(fmt.Errorf("compress %s: %w", name, err), os.Remove(half))
	}
	if err := os.Rename(half, name+compressed); err != nil {
		return err
	}
	return os.Remove(name)
}
