package embedded

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// catalogue knows the indexes and collections. Readers take the snapshot; who makes, changes or removes one takes changing,
// reads the snapshot and publishes the next.
type catalogue struct {
	now atomic.Pointer[snapshot]

	// changing is held from beginning to end, disk and all: such changes are rare, and no reader or writer of documents
	// waits for it.
	changing   sync.Mutex
	lastNumber uint32
}

// snapshot is immutable, but for what collection guards itself.
type snapshot struct {
	collections map[storage.Collection]*collection
	indexes     map[index]struct{}
}

type index struct {
	scope storage.Scope
	name  string
}

func indexOf(c storage.Collection) index { return index{c.Scope, c.Index} }

// collection is a collection as long as it lives; one made again under the same name is another, and so is one that was
// truncated.
type collection struct {
	number  uint32
	address storage.Collection

	// mu is read-locked by every write from the look at keywords until the write is applied (not until it is synced), and
	// locked when the keywords change, the mapping is changed by Ensure, or the collection goes away: so each write is wholly
	// before or after.
	mu       sync.RWMutex
	dropped  bool
	keywords []keyword // replaced, never changed
	settings jsontext.Value

	// growing is held, below mu and the locks of documents, by a write that adds fields to the mapping, until it is applied.
	// Only its holder, or who has mu locked, replaces schema. Other writes check their documents against the schema they
	// find: what it accepts as it is, every grown one accepts.
	growing sync.Mutex
	schema  atomic.Pointer[schema] // nil: no mapping

	// segments is the search index.
	segments *segments
}

// keyword is a field that Find answers for.
type keyword struct {
	name  string
	field uint32
	// building is true while the documents from before are being indexed: writes maintain it, Find does not use it.
	building bool
}

// find gives a live collection, or the error for an address that does not exist.
func (c *catalogue) find(address storage.Collection) (*collection, error) {
	s := c.now.Load()
	if live := s.collections[address]; live != nil {
		return live, nil
	}
	if _, ok := s.indexes[indexOf(address)]; !ok {
		return nil, kerror.ServicesStorageUnknownIndex.New(address.Index)
	}
	return nil, kerror.ServicesStorageUnknownCollection.New(address.Index, address.Name)
}

// enter finds the collection and read-locks it for a write; the caller must unlock collection.mu.
func (c *catalogue) enter(address storage.Collection) (*collection, error) {
	for {
		live, err := c.find(address)
		if err != nil {
			return nil, err
		}
		live.mu.RLock()
		if !live.dropped {
			return live, nil
		}
		live.mu.RUnlock() // dropped since the look-up: the snapshot without it is out already
	}
}

// publishLocked makes the next snapshot. The caller holds changing.
func (c *catalogue) publishLocked(change func(next *snapshot)) {
	old := c.now.Load()
	next := &snapshot{collections: maps.Clone(old.collections), indexes: maps.Clone(old.indexes)}
	change(next)
	c.now.Store(next)
}

// put adds a collection, or one that takes its place, and the index it is in.
func (s *snapshot) put(address storage.Collection, live *collection) {
	s.collections[address] = live
	s.indexes[indexOf(address)] = struct{}{}
}

// missing gives the names that the collection has no keyword for, each once.
func (l *collection) missing(names []string) []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var fresh []string
	for _, n := range names {
		known := slices.ContainsFunc(l.keywords, func(k keyword) bool { return k.name == n && !k.building })
		if !known && !slices.Contains(fresh, n) {
			fresh = append(fresh, n)
		}
	}
	return fresh
}
