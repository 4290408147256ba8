package embedded

import (
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// TestMergeOutlivesItsCollection: what a merge reads stays until it ends, though the collection is emptied meanwhile.
func TestMergeOutlivesItsCollection(t *testing.T) {
	e := openedFew(t, t.TempDir(), nil)
	e.merger.end()
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"n":{"type":"long"}}}`)}))
	for i := range 4 * few {
		put(t, e, fmt.Sprint(i), fmt.Sprintf(`{"n":%d}`, i))
	}
	for i := range 3 * few { // a file whose documents are mostly dead is written again
		must(t, e.Delete(t.Context(), things, fmt.Sprint(i), storage.WriteOptions{}))
	}
	c, err := e.catalogue.find(things)
	must(t, err)
	var old []*part
	var views []segment.View
	eventually(t, "there is nothing to merge", func() bool {
		old, views = c.segments.nextMerge()
		return len(old) > 0
	})
	must(t, e.Truncate(t.Context(), things))
	if err := e.mergeParts(t.Context(), c, old, views); err != nil {
		t.Error(err)
	}
	checkFiles(t, e)
}
