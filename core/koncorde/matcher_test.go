package koncorde_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/core/koncorde"
)

// TestFiltersComeAndGoWhileDocumentsMatch: a match sees each filter either whole or not at all, and those that stay always.
func TestFiltersComeAndGoWhileDocumentsMatch(t *testing.T) {
	m := koncorde.NewMatcher()
	m.Add("stays", normalise(t, `{"in":{"type":["order","offer"]}}`))
	coming := normalise(t, `{"or":[{"equals":{"type":"order"}},{"range":{"price":{"gt":0}}},{"regexp":{"status":"^s"}},{"missing":"nothing"}]}`)
	d := document(t, "id", order(3))
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := range 300 {
				id := fmt.Sprint("comes", w, i%7)
				m.Add(id, coming)
				m.Remove(id)
			}
		})
	}
	for range 4 {
		readers.Go(func() {
			for range 500 {
				rooms := m.Match(d)
				slices.Sort(rooms)
				if !slices.Contains(rooms, "stays") || len(slices.Compact(slices.Clone(rooms))) != len(rooms) {
					t.Errorf("found %v", rooms)
					return
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
	if rooms := m.Match(d); !slices.Equal(rooms, []string{"stays"}) {
		t.Errorf("left: %v", rooms)
	}
}
