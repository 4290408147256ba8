package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	listName      = "backup.json"
	documentsName = "documents"
	// listFormat is the version of the list; another one is refused.
	listFormat = 1
)

// Engine is what is copied besides files.
type Engine interface {
	// Backup writes all that the engine holds into dir, which it makes. Everything acknowledged before is in it.
	Backup(ctx context.Context, dir string) error
}

// Source is what a backup is made of.
type Source struct {
	DataDir string
	// Version is that of the node.
	Version string
	Engine  Engine
	// Files are names in the data folder; those that do not exist are left out. They keep their rights.
	Files []string
}

// list is backup.json.
type list struct {
	Format  int       `json:"format"`
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
	Files   []file    `json:"files"`
}

type file struct {
	Name string `json:"name"` // with slashes
	Size int64  `json:"size"`
}

// Report tells what was written.
type Report struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// write makes a backup in dir, which must be empty or not there. After an error nothing of it is left.
func write(ctx context.Context, s Source, dir string) (r Report, err error) {
	if err := makeEmpty(dir); err != nil {
		return r, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(dir))
		}
	}()
	if err := s.Engine.Backup(ctx, filepath.Join(dir, documentsName)); err != nil {
		return r, fmt.Errorf("back up the documents: %w", err)
	}
	for _, name := range s.Files {
		err := copyFile(filepath.Join(s.DataDir, name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r, fmt.Errorf("back up %s: %w", name, err)
		}
	}
	l := list{Format: listFormat, Version: s.Version, Time: time.Now().UTC()}
	if l.Files, err = filesIn(dir); err != nil {
		return r, err
	}
	for _, f := range l.Files {
		r.Files, r.Bytes = r.Files+1, r.Bytes+f.Size
	}
	return r, l.write(dir)
}

// makeEmpty makes a folder that only this user may enter. One that is there must be empty.
func makeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("the folder %s is not empty; name another one", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

// empty removes what is in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// filesIn lists the files below a folder.
func filesIn(dir string) (files []file, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, file{Name: filepath.ToSlash(name), Size: info.Size()})
		return err
	})
	return files, err
}

func (l list) write(dir string) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, listName), 0o600, func(f *os.File) error {
		_, err := f.Write(append(text, '\n'))
		return err
	})
}

// copyFile copies a file with its rights.
func copyFile(from, to string) error {
	source, err := os.Open(from) //nolint:gosec // the names are the node's, or those of a backup that were checked
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // it was only read from
	info, err := source.Stat()
	if err != nil {
		return err
	}
	return writeFile(to, info.Mode().Perm(), func(f *os.File) error {
		_, err := f.ReadFrom(source)
		return err
	})
}

// writeFile makes a file that is not there, whole and synced together with its folder.
func writeFile(path string, rights fs.FileMode, fill func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, rights) //nolint:gosec // as in copyFile
	if err != nil {
		return err
	}
	if err := errors.Join(fill(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // as in copyFile
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
