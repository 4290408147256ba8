package pluginhost

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSweepOfACopy: whatever a copy of a data folder has in place of the link to the sockets is removed.
func TestSweepOfACopy(t *testing.T) {
	for name, remnant := range map[string]func(path string) error{
		"a file":        func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
		"a folder":      func(path string) error { return os.MkdirAll(filepath.Join(path, "plugin"), 0o700) },
		"a broken link": func(path string) error { return os.Symlink("/nowhere/sluice-1", path) },
		"nothing":       func(string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			run := filepath.Join(data, "plugins", "run")
			if err := os.MkdirAll(run, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := remnant(filepath.Join(run, ".sockets")); err != nil {
				t.Fatal(err)
			}
			f, err := openFolders(data)
			if err != nil {
				t.Fatal(err)
			}
			if target, err := os.Readlink(filepath.Join(run, ".sockets")); err != nil || target != f.sockets {
				t.Errorf("the link is %q, %v", target, err)
			}
			if err := f.remove(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSweepLeavesOthersAlone: a link to a folder that no host made is not followed.
func TestSweepLeavesOthersAlone(t *testing.T) {
	data, other := t.TempDir(), t.TempDir()
	run := filepath.Join(data, "plugins", "run")
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, filepath.Join(run, ".sockets")); err != nil {
		t.Fatal(err)
	}
	f, err := openFolders(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
	if err := f.remove(); err != nil {
		t.Error(err)
	}
}
