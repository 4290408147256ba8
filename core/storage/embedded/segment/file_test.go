package segment

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// diskOrMemory gives a directory on the disk, or one in memory, in turns.
func diskOrMemory(t testing.TB, turn uint64) (vfs.FS, string) {
	t.Helper()
	if turn%2 == 0 {
		return vfs.Default, t.TempDir()
	}
	fs := vfs.NewMem()
	if err := fs.MkdirAll("/data", 0o700); err != nil {
		t.Fatal(err)
	}
	return fs, "/data"
}

// opening opens a file until the test ends.
func opening(t testing.TB, fs vfs.FS, path string) *File {
	t.Helper()
	f, err := Open(fs, path)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(f.Release)
	return f
}
