package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
)

// restoring is the folder, in the data folder, that a backup is copied to and looked at before it counts.
const restoring = ".restoring"

// Restore makes a data folder of a backup. The data folder must be empty or not there, which that of a node never is. check
// opens the copy of the documents and fails when it is not what was written. After an error the data folder is empty.
func Restore(ctx context.Context, from, dataDir string, check func(ctx context.Context, documents string) error) (err error) {
	l, err := readList(from)
	if err != nil {
		return err
	}
	if err := makeEmpty(dataDir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(dataDir))
		}
	}()
	copied := filepath.Join(dataDir, restoring)
	for _, f := range l.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := filepath.Join(copied, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := copyFile(filepath.Join(from, filepath.FromSlash(f.Name)), to); err != nil {
			return fmt.Errorf("restore %s: %w", f.Name, err)
		}
	}
	if err := check(ctx, filepath.Join(copied, documentsName)); err != nil {
		return fmt.Errorf("the backup is damaged, take another one: %w", err)
	}
	return publish(copied, dataDir)
}

// publish moves what was restored to its place, the documents last: without them there is nothing to start with.
func publish(copied, dataDir string) error {
	entries, err := os.ReadDir(copied)
	if err != nil {
		return err
	}
	move := func(name string) error {
		return os.Rename(filepath.Join(copied, name), filepath.Join(dataDir, name))
	}
	for _, e := range entries {
		if e.Name() == documentsName {
			continue
		}
		if err := move(e.Name()); err != nil {
			return err
		}
	}
	if err := move(documentsName); err != nil {
		return err
	}
	if err := os.Remove(copied); err != nil {
		return err
	}
	return syncDir(dataDir)
}

// readList reads what a backup should hold, and looks whether it does.
func readList(dir string) (l list, err error) {
	text, err := os.ReadFile(filepath.Join(dir, listName)) //nolint:gosec // the operator names the folder
	if err != nil {
		return l, fmt.Errorf("%s is no complete backup: %w", dir, err)
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, fmt.Errorf("%s is damaged, take another backup: %w", filepath.Join(dir, listName), err)
	}
	if l.Format != listFormat {
		return l, fmt.Errorf("the backup was written by another version of this program, %s; restore it with that one", l.Version)
	}
	for _, f := range l.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return l, fmt.Errorf("the backup names the file %q, which is not in it", f.Name)
		}
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Name)))
		if err != nil {
			return l, fmt.Errorf("the backup is incomplete, take another one: %w", err)
		}
		if !info.Mode().IsRegular() || info.Size() != f.Size {
			return l, fmt.Errorf("the backup is damaged, take another one: %s has %d bytes, not %d", f.Name, info.Size(), f.Size)
		}
	}
	return l, nil
}
