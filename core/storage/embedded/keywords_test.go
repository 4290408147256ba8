package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestIndexStaysExact changes documents at random places and compares the raw index with them.
func TestIndexStaysExact(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	long := strings.Repeat("l", 1000)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				id := fmt.Sprint((g + i) % 7)
				switch i % 4 {
				case 0:
					_ = e.Delete(t.Context(), things, id, storage.WriteOptions{})
				case 1:
					_, _ = e.Update(t.Context(), things, id, []byte(`{"k":["a","b","a"]}`), storage.UpdateOptions{})
				default:
					_, _, err := e.Put(t.Context(), things, id, fmt.Appendf(nil, `{"k":["%d","%s%d"]}`, i%5, long, i%3), storage.WriteOptions{})
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	checkConsistent(t, e)
}

// TestCancelledEnsure: an attempt to index that was given up leaves nothing that a later one would take for true.
func TestCancelledEnsure(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	for i := range 50 {
		put(t, e, fmt.Sprintf("%02d", i), `{"l":"old"}`)
	}
	live, err := e.catalogue.find(things)
	must(t, err)
	building := append(live.keywords[:1:1], keyword{name: "l", field: 2, building: true})
	must(t, e.startBuilding(live, building, 1))
	must(t, e.indexDocument(live.number, "00", building[1:]))
	must(t, e.indexDocument(live.number, "01", building[1:]))
	live.keywords = building[:1] // killed here
	put(t, e, "00", `{"l":"new"}`)
	must(t, e.Delete(t.Context(), things, "01", storage.WriteOptions{}))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.addKeywordsLocked(ctx, things, live, []string{"l"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := e.Find(t.Context(), things, "l", "old", 1); !errors.Is(err, kerror.ServicesStorageInvalidArgument) {
		t.Errorf("Find after a cancelled Ensure: %v", err)
	}
	must(t, e.Ensure(t.Context(), things, storage.Spec{Keywords: []string{"l"}}))
	checkConsistent(t, e)
}

// TestDropLeavesNothing drops and makes collections while others write to them, and looks at the raw keys.
func TestDropLeavesNothing(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, _, _ = e.Put(t.Context(), things, fmt.Sprint(g, i), []byte(`{"k":"v"}`), storage.WriteOptions{})
			}
		})
	}
	for range 30 {
		must(t, e.Drop(t.Context(), things))
		must(t, e.Ensure(t.Context(), things, storage.Spec{Keywords: []string{"k"}}))
	}
	stop()
	wg.Wait()
	checkConsistent(t, e)
	must(t, e.Drop(t.Context(), things))
	eachRaw(t, e, func(key, _ []byte) { t.Errorf("key %x is left", key) })
}
