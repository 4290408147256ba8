package segment

import (
	"fmt"
	"math/bits"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage/mapping"
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

// TestOpenReadsLittle: how much of a file is read to open it, and to find a document, does not grow with the file.
func TestOpenReadsLittle(t *testing.T) {
	in := &benchInput{mapping: parse(t, `{"n":{"type":"long"}}`), docs: make([]mapping.Document, 1)}
	if err := in.mapping.Fields([]byte(`{"n":1}`), &in.docs[0]); err != nil {
		t.Fatal(err)
	}
	fs, dir := diskOrMemory(t, 0)
	for _, n := range []int{1000, 200_000} {
		path := fmt.Sprint(dir, "/", n)
		if err := Write(fs, path, View{Segment: in.memory(t, 1, n), Live: Full(uint32(n))}); err != nil {
			t.Fatal(err)
		}
		f := opening(t, fs, path)
		if read := f.pagesRead(); read > 4 {
			t.Errorf("%d pages of a file of %d documents were read to open it", read, n)
		}
		if _, ok, err := f.At(uint64(n / 2)); !ok || err != nil {
			t.Errorf("a document is not found (%v)", err)
		}
		if read := f.pagesRead(); read > 10 {
			t.Errorf("%d pages of a file of %d documents were read to find one", read, n)
		}
		if _, err := f.Positions(); err != nil {
			t.Error(err)
		}
		if read := f.pagesRead(); n > 1000 && read < n*8/pageSize {
			t.Errorf("%d pages of a file of %d documents were read for all positions", read, n)
		}
	}
}

// pagesRead counts the pages that were compared with their checksums.
func (f *File) pagesRead() (n int) {
	for i := range f.checked {
		n += bits.OnesCount32(f.checked[i].Load())
	}
	return n
}
