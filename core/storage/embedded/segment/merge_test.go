package segment

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestMergeStreams: what a merge needs for a document does not grow with the files, and is a small part of them.
func TestMergeStreams(t *testing.T) {
	in := benchDocuments(t, 1000)
	few, _ := allocated(t, in, 1000)
	many, size := allocated(t, in, 8000)
	t.Logf("%d bytes for 4,000 documents, %d for 32,000 in %d", few, many, size)
	if many > 6*few {
		t.Errorf("8 times the documents took %d bytes instead of %d", many, few)
	}
	if many > size {
		t.Errorf("to merge %d bytes took %d bytes", size, many)
	}
}

// allocated gives how many bytes a merge of four files of n documents each takes from the heap in all, whether it gives them back or
// not, and how many the files have.
func allocated(t *testing.T, in *benchInput, n int) (bytes, size int64) {
	t.Helper()
	fs, dir := diskOrMemory(t, 0)
	var views []View
	for i := range 4 {
		m := in.memory(t, 1+i*n, n)
		path := fmt.Sprint(dir, "/", i)
		if err := Write(fs, path, View{Segment: m, Live: Full(m.Len())}); err != nil {
			t.Fatal(err)
		}
		f := opening(t, fs, path)
		views = append(views, View{Segment: f, Live: f.Live()})
		size += f.Bytes()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Merge(t.Context(), vfs.Default, dir+"/merged", views); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc), size
}
