package koncorde

import (
	"fmt"
	"testing"
	"time"
)

// removalTime adds filters and takes them away again, the last first.
func removalTime(filters []*Normal) time.Duration {
	m := NewMatcher()
	for i, n := range filters {
		m.Add(fmt.Sprint(i), n)
	}
	start := time.Now()
	for i := len(filters) - 1; i >= 0; i-- {
		m.Remove(fmt.Sprint(i))
	}
	return time.Since(start)
}

// TestRemovingTakesNoLongerAmongMany removes twenty times as many from where all are filed together; if each had to be searched
// for, that would take four hundred times as long.
func TestRemovingTakesNoLongerAmongMany(t *testing.T) {
	const few, many = 2_000, 40_000
	for name, filter := range map[string]string{
		"negations":            `{"not":{"equals":{"a":%d}}}`,
		"points outside":       `{"not":{"geoDistance":{"g":[1,2],"distance":"%dm"}}}`,
		"shapes on each other": `{"geoDistance":{"g":[1,2],"distance":"%dm"}}`,
	} {
		filters := make([]*Normal, many)
		for i := range filters {
			if filters[i] = filters[max(0, i-400)]; i < 400 {
				filters[i] = mustNormalise(t, fmt.Sprintf(filter, i+1))
			}
		}
		least := time.Duration(1 << 62)
		most := least
		for range 3 {
			least, most = min(least, removalTime(filters[:few])), min(most, removalTime(filters))
		}
		if most > 150*least {
			t.Errorf("%s: %d are removed in %v, %d in %v", name, few, least, many, most)
		}
	}
}

// TestEntriesKnowWhereTheyAre while they come and go.
func TestEntriesKnowWhereTheyAre(t *testing.T) {
	r := newRandom(11)
	bags, entries := make([]bag, 3), []*entry{}
	for range 5000 {
		if len(entries) > 0 && r.IntN(2) == 0 {
			i := r.IntN(len(entries))
			e := entries[i]
			for len(e.spots) > 0 {
				e.spots[r.IntN(len(e.spots))].bag.remove(e)
			}
			entries[i] = entries[len(entries)-1]
			entries = entries[:len(entries)-1]
			continue
		}
		e := &entry{}
		for range 1 + r.IntN(4) { // a shape may be twice in one bag
			bags[r.IntN(len(bags))].add(e)
		}
		entries = append(entries, e)
	}
	spots := 0
	for _, e := range entries {
		spots += len(e.spots)
		for _, s := range e.spots {
			if (*s.bag)[s.index] != e {
				t.Fatal("an entry is not where it should be")
			}
		}
	}
	if held := len(bags[0]) + len(bags[1]) + len(bags[2]); held != spots || held == 0 {
		t.Errorf("%d in bags, %d spots", held, spots)
	}
}
