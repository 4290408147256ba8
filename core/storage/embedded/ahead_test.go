package embedded

import (
	"fmt"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
)

// TestWrittenSinceReadAhead: what was read ahead counts as long as nobody has written it, and its collection is the same.
func TestWrittenSinceReadAhead(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	var changes []change
	for _, id := range []string{"same", "changed", "created", "deleted", "never"} {
		changes = append(changes, newChange(storage.Op{Kind: storage.OpUpsert, ID: id, Source: []byte(`{}`), Default: []byte(`{}`)}))
		if id != "created" && id != "never" {
			put(t, e, id, `{"n":1}`)
		}
	}
	known := func(a ahead) map[string]current {
		batch := e.db.NewBatch()
		defer batch.Close()
		u, err := e.enter(things, batch, changes, false, a)
		must(t, err)
		defer e.leave(&u)
		return u.known
	}
	a, err := e.readAhead(things, changes, false)
	must(t, err)
	put(t, e, "changed", `{"n":2}`)
	put(t, e, "created", `{"n":2}`)
	must(t, e.Delete(t.Context(), things, "deleted", storage.WriteOptions{}))
	got := known(a)
	if len(got) != 2 || got["same"].version != 1 || string(got["same"].source) != `{"n":1}` || got["never"].exists() {
		t.Errorf("known: %+v", got)
	}
	a, err = e.readAhead(things, changes, false)
	must(t, err)
	must(t, e.Truncate(t.Context(), things))
	if got := known(a); len(got) != 0 {
		t.Errorf("known of the collection before: %+v", got)
	}
}

// TestBulksThatMeet: bulks that change the same documents at once lose nothing of each other.
func TestBulksThatMeet(t *testing.T) {
	const workers, rounds, documents = 4, 50, 40
	e := withThings(t, vfs.NewMem())
	for i := range documents {
		put(t, e, fmt.Sprint(i), `{}`)
	}
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for round := range rounds {
				ops := make([]storage.Op, documents)
				for i := range ops {
					ops[i] = storage.Op{Kind: storage.OpUpdate, ID: fmt.Sprint((i + w) % documents), Source: fmt.Appendf(nil, `{"w%d":%d}`, w, round)}
				}
				results, err := e.Write(t.Context(), things, ops, storage.BulkOptions{})
				if err != nil {
					t.Error(err)
				}
				for _, r := range results {
					if r.Err != nil {
						t.Error(r.Err)
					}
				}
			}
		})
	}
	all.Wait()
	for i := range documents {
		doc, err := e.Get(t.Context(), things, fmt.Sprint(i))
		must(t, err)
		var last map[string]int
		must(t, json.Unmarshal(doc.Source, &last))
		for w := range workers {
			if last[fmt.Sprint("w", w)] != rounds-1 {
				t.Errorf("%s: %s", doc.ID, doc.Source)
			}
		}
		if doc.Version != 1+workers*rounds {
			t.Errorf("%s has version %d, want %d", doc.ID, doc.Version, 1+workers*rounds)
		}
	}
	checkConsistent(t, e)
}
