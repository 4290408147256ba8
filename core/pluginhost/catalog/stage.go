package catalog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// ErrNotPinned says that the operator has not trusted the file.
var ErrNotPinned = errors.New("not pinned")

// ErrChanged says that the file is another than the one the operator trusted.
var ErrChanged = errors.New("not the file that was pinned")

// Staged is the private copy of an executable: what is hashed is what is run.
type Staged struct {
	Path string
	Sum  Sum
	// Pinned is false for what runs in development mode without a line in the lock file.
	Pinned bool
}

// Stage copies the executable of f into dir, which only this user may enter, and compares the copy with its line in the lock
// file at lockPath. A file without a line gives ErrNotPinned beside the copy, which the caller may run all the same in
// development mode; a file that differs from its line is never to be run.
func Stage(f Found, l Lock, lockPath, dir string) (Staged, error) {
	s := Staged{Path: filepath.Join(dir, f.ID)}
	if err := copyExecutable(f.File, s.Path); err != nil {
		return Staged{}, fmt.Errorf("copy %s: %w", f.File, err)
	}
	var err error
	if s.Sum, err = HashFile(s.Path); err != nil {
		return Staged{}, fmt.Errorf("hash the copy of %s: %w", f.File, err)
	}
	name, err := LockName(lockPath, f.File)
	if err != nil {
		return Staged{}, err
	}
	want, pinned := l.Sum(name)
	switch {
	case !pinned:
		return s, fmt.Errorf("%w: %s has no line in %s; if you trust the file: sluice plugin pin %s", ErrNotPinned, name, lockPath, f.File)
	case want != s.Sum:
		return Staged{}, fmt.Errorf("%s is %w in %s: it has %s, pinned is %s; if you trust the change: sluice plugin pin %s",
			f.File, ErrChanged, lockPath, s.Sum, want, f.File)
	}
	s.Pinned = true
	return s, nil
}

// copyExecutable holds off every fork of this process while the copy is open for writing: a child would inherit the
// descriptor, and a file that somebody has open for writing does not run ("text file busy").
func copyExecutable(from, to string) (err error) {
	source, err := os.Open(from) //nolint:gosec // a file of the plugins folder
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // nothing was written
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o500) //nolint:gosec // it is to be executed, by this user only
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
