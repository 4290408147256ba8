// Package catalog knows which plugins there are and which of them are trusted. It reads files; it starts no process and
// speaks to none. The plugin host and the command line import it.
package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Sum is the SHA-256 of a file.
type Sum [sha256.Size]byte

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// Lock is the operator's list of files that may run, each with the only content it may have. A file that is not in it is not
// trusted. The zero value is empty and ready for Pin. It is not safe for concurrent use while Pin is called.
type Lock struct {
	sums map[string]Sum
}

// Sum gives what the file at path must hash to; false when it is not pinned. Paths are those of LockName.
func (l Lock) Sum(path string) (Sum, bool) {
	sum, ok := l.sums[path]
	return sum, ok
}

// Paths lists what is pinned, sorted.
func (l Lock) Paths() []string { return slices.Sorted(maps.Keys(l.sums)) }

// Pin adds a file, or replaces its line. It refuses a path that LockName would not give.
func (l *Lock) Pin(path string, sum Sum) error {
	if err := checkName(path); err != nil {
		return err
	}
	if l.sums == nil {
		l.sums = map[string]Sum{}
	}
	l.sums[path] = sum
	return nil
}

// LockName gives the name of file in the lock file at lockPath: its path relative to the folder of the lock file, with
// slashes. Links are not followed.
func LockName(lockPath, file string) (string, error) {
	lock, err := filepath.Abs(lockPath)
	if err != nil {
		return "", fmt.Errorf("find the lock file: %w", err)
	}
	target, err := filepath.Abs(file)
	if err != nil {
		return "", fmt.Errorf("find the plugin: %w", err)
	}
	relative, err := filepath.Rel(filepath.Dir(lock), target)
	if err != nil {
		return "", fmt.Errorf("name %s in %s: %w", file, lockPath, err)
	}
	name := filepath.ToSlash(relative)
	return name, checkName(name)
}

// checkName refuses what would not come back from a line of the lock file, and what has two names.
func checkName(name string) error {
	control := strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\\' })
	if name == "" || name == "." || control || strings.HasPrefix(name, "/") || filepath.ToSlash(filepath.Clean(name)) != name {
		return fmt.Errorf("%q cannot stand in a lock file: want a clean relative path without backslashes and control characters", name)
	}
	return nil
}

// HashFile gives the SHA-256 of the regular file at path.
func HashFile(path string) (Sum, error) {
	var sum Sum
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return sum, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	if err != nil {
		return sum, err
	}
	if !info.Mode().IsRegular() {
		return sum, fmt.Errorf("%s is no regular file", path)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	copy(sum[:], h.Sum(nil))
	return sum, nil
}

// ReadLock reads the lock file at path; a missing file is the empty Lock, with which nothing is trusted. A malformed line, and
// a path that is there twice, is an error with its line: such a file says nothing that can be relied on.
func ReadLock(path string) (Lock, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{}, nil
	}
	if err != nil {
		return Lock{}, fmt.Errorf("read the lock file: %w", err)
	}
	var l Lock
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		name, sum, err := parseLine(line)
		if _, twice := l.Sum(name); err == nil && twice {
			err = fmt.Errorf("%s is pinned twice", name)
		}
		if err == nil {
			err = l.Pin(name, sum)
		}
		if err != nil {
			return Lock{}, fmt.Errorf("lock file %s line %d: %w", path, i+1, err)
		}
	}
	return l, nil
}

// parseLine reads "<hex>  <path>", the form of sha256sum; a star in place of the second space marks a binary file there.
func parseLine(line string) (string, Sum, error) {
	var sum Sum
	const digits = 2 * sha256.Size
	if len(line) < digits+3 || line[digits] != ' ' || line[digits+1] != ' ' && line[digits+1] != '*' {
		return "", sum, errors.New("want the SHA-256 in hexadecimal, two spaces and a path")
	}
	if _, err := hex.Decode(sum[:], []byte(line[:digits])); err != nil {
		return "", sum, fmt.Errorf("read the SHA-256: %w", err)
	}
	return line[digits+2:], sum, nil
}

// WriteLock writes the lock file at path, sorted by path, in the form of sha256sum. The file is replaced as a whole: a reader
// and a crash see the old or the new one. Two writers at the same time do not see each other; the last one wins.
func WriteLock(path string, l Lock) error {
	var b strings.Builder
	for _, name := range l.Paths() {
		fmt.Fprintf(&b, "%s  %s\n", l.sums[name], name)
	}
	if err := replaceFile(path, b.String()); err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	return nil
}

// replaceFile writes text beside path, makes it durable and renames it.
func replaceFile(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator names the folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
