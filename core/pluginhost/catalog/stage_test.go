package catalog_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/pluginhost/catalog"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"good", "missing", "Upper", "no-exec", "folder/folder", ".hidden", "elsewhere/linked"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"good/good": 0o700, "Upper/Upper": 0o700, "no-exec/no-exec": 0o600, "file": 0o700, "elsewhere/linked/linked": 0o700} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "elsewhere", "linked"), filepath.Join(dir, "linked")); err != nil {
		t.Fatal(err)
	}
	found, err := catalog.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"good": "", "linked": "", "missing": "is missing", "Upper": "lower-case", "no-exec": "chmod +x", "folder": "no regular file", "elsewhere": "is missing",
	}
	if len(found) != len(want) {
		t.Errorf("%d found: %+v", len(found), found)
	}
	for _, f := range found {
		text, known := want[f.ID]
		if !known || (text == "") != (f.Err == nil) || f.Err != nil && !strings.Contains(f.Err.Error(), text) {
			t.Errorf("%s: %v", f.ID, f.Err)
		}
	}
	if found, err := catalog.Find(""); err != nil || len(found) != 0 {
		t.Error(found, err)
	}
	if _, err := catalog.Find(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there is a mistake")
	}
}

func TestStage(t *testing.T) {
	dir := t.TempDir()
	lockPath := filepath.Join(dir, "sluice.lock")
	f := catalog.Found{ID: "p", File: filepath.Join(dir, "p", "p")}
	if err := errors.Join(os.Mkdir(filepath.Dir(f.File), 0o700), os.WriteFile(f.File, []byte("content"), 0o700)); err != nil {
		t.Fatal(err)
	}
	var lock catalog.Lock
	s, err := catalog.Stage(f, lock, lockPath, t.TempDir())
	if !errors.Is(err, catalog.ErrNotPinned) || s.Pinned || s.Path == "" {
		t.Errorf("not pinned: %+v, %v", s, err)
	}
	sum, err := catalog.HashFile(f.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Pin("p/p", sum); err != nil {
		t.Fatal(err)
	}
	s, err = catalog.Stage(f, lock, lockPath, t.TempDir())
	if err != nil || !s.Pinned || s.Sum != sum {
		t.Fatalf("pinned: %+v, %v", s, err)
	}
	info, err := os.Stat(s.Path)
	if err != nil || info.Mode().Perm() != 0o500 {
		t.Errorf("copy: %v, %v", info, err)
	}
	if err := os.WriteFile(f.File, []byte("changed"), 0o700); err != nil {
		t.Fatal(err)
	}
	if s, err := catalog.Stage(f, lock, lockPath, t.TempDir()); err == nil || errors.Is(err, catalog.ErrNotPinned) || s.Path != "" {
		t.Errorf("changed: %+v, %v", s, err)
	}
	f.File = filepath.Join(dir, "nowhere")
	if _, err := catalog.Stage(f, lock, lockPath, t.TempDir()); err == nil {
		t.Error("a file that is not there")
	}
}
