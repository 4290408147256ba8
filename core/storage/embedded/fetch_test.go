package embedded

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage"
)

// TestFetch: many documents at once, whole or not, are what they are one by one, deleted and unknown ones too; a fetch ends at a
// number of bytes.
func TestFetch(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	var ids []string
	for i := range 5 * fetchedEach {
		id := fmt.Sprintf("id-%04d", i)
		ids = append(ids, id)
		if i%3 == 0 {
			continue
		}
		put(t, e, id, fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("x", 1000)))
		if i%5 == 0 {
			must(t, e.Delete(t.Context(), things, id, storage.WriteOptions{}))
		}
	}
	must(t, e.db.Flush())
	coll, err := e.catalogue.find(things)
	must(t, err)
	one := lookup{db: e.db}
	defer one.close()
	whole := func(i int) bool { return i%2 == 0 }
	for i, f := range e.fetch(coll.number, ids, whole, 1<<30) {
		want, err := one.current(coll.number, ids[i], whole(i))
		must(t, err)
		if !f.done || f.err != nil || f.head != want.head || f.whole != want.whole || string(f.source) != string(want.source) {
			t.Errorf("%s is %+v, want %+v", ids[i], f, want)
		}
		if there := i%3 != 0 && i%5 != 0; there != want.exists() || len(want.source) > 0 != (there && whole(i)) {
			t.Errorf("%s is %+v", ids[i], want)
		}
	}
	few := e.fetch(coll.number, ids[1:], func(int) bool { return true }, 1)
	done := slices.DeleteFunc(few, func(f fetched) bool { return !f.done })
	if len(done) == 0 || len(done) > fetchers {
		t.Errorf("%d documents for one byte", len(done))
	}
}

// TestBulkOfLargeDocuments: what a bulk did not read beforehand it reads when the document's turn comes.
func TestBulkOfLargeDocuments(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	large := fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", maxAhead/8))
	var ops []storage.Op
	for i := range 20 {
		id := fmt.Sprint(i)
		put(t, e, id, large)
		ops = append(ops, storage.Op{Kind: storage.OpUpdate, ID: id, Source: []byte(`{"n":1}`)})
	}
	results, err := e.Write(t.Context(), things, ops, storage.BulkOptions{})
	must(t, err)
	for i, r := range results {
		if r.Err != nil || r.Document.Version != 2 || len(r.Document.Source) < maxAhead/8 {
			t.Errorf("%d: version %d, %d bytes, %v", i, r.Document.Version, len(r.Document.Source), r.Err)
		}
	}
}
