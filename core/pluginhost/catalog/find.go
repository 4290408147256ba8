package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Found is a folder in the plugins folder.
type Found struct {
	// ID is the name of the folder.
	ID string
	// File is the executable, <plugins folder>/<id>/<id>.
	File string
	// Err says why this cannot be a plugin, and what to do.
	Err error
}

var idPattern = regexp.MustCompile(`^[a-z0-9-]+$`)

// ValidID reports whether s may be the id of a plugin.
func ValidID(s string) bool { return idPattern.MatchString(s) }

// Find lists the folders in dir, sorted by name; files and what begins with a dot are passed over. An empty dir has none.
func Find(dir string) ([]Found, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the plugins folder: %w", err)
	}
	var found []Found
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(dir, e.Name())) // a link to a folder is a folder
		if e.Name()[0] == '.' || err == nil && !info.IsDir() {
			continue
		}
		f := Found{ID: e.Name(), File: filepath.Join(dir, e.Name(), e.Name()), Err: err}
		if err == nil {
			f.Err = f.check()
		}
		found = append(found, f)
	}
	return found, nil
}

func (f Found) check() error {
	if !ValidID(f.ID) {
		return fmt.Errorf("the folder %q cannot be the id of a plugin: use lower-case letters, digits and dashes", f.ID)
	}
	info, err := os.Stat(f.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is missing: the executable has the name of its folder", f.File)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", f.File)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable: chmod +x %s", f.File, f.File)
	}
	return nil
}
