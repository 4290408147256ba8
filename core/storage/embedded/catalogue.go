package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// catalogue knows the collections. Readers take the snapshot; Ensure and Drop take changing, read the snapshot and publish
// the next.
type catalogue struct {
	now atomic.Pointer[snapshot]

	// changing is held by Ensure and Drop from beginning to end, disk and all: they are rare, and no reader or writer of
	// documents waits for it.
	changing   sync.Mutex
	lastNumber uint32
}

// snapshot is immutable, but for what collection guards itself.
type snapshot struct {
	collections map[storage.Collection]*collection
	indexes     map[index]int // how many collections it has
}

type index struct {
	scope storage.Scope
	name  string
}

// collection is a collection as long as it lives; one made again under the same name is another.
type collection struct {
	number uint32

	// mu is read-locked by every write from the look at keywords until the write is applied (not until it is synced), and
	// locked when the keywords change or the collection goes away: so each write is wholly before or after.
	mu       sync.RWMutex
	dropped  bool
	keywords []keyword // replaced, never changed
}

// keyword is a field that Find answers for.
type keyword struct {
	name  string
	field uint32
	// building is true while the documents from before are being indexed: writes maintain it, Find does not use it.
	building bool
}

// catalogueRecord is a collection on disk.
type catalogueRecord struct {
	Number   uint32          `json:"number"`
	Keywords []keywordRecord `json:"keywords"`
}

type keywordRecord struct {
	Name  string `json:"name"`
	Field uint32 `json:"field"`
}

// loadCatalogue reads the catalogue, and writes the format of an empty directory.
func loadCatalogue(db *pebble.DB) (*catalogue, error) {
	if err := checkFormat(db); err != nil {
		return nil, err
	}
	c := new(catalogue)
	s := &snapshot{collections: map[storage.Collection]*collection{}, indexes: map[index]int{}}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: catalogueKeys, UpperBound: after(catalogueKeys)})
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		address, live, err := readCollection(it.Key(), it.Value())
		if err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		s.collections[address] = live
		s.indexes[index{address.Scope, address.Index}]++
	}
	if err := it.Error(); err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	last, closer, err := db.Get(lastNumberKey)
	if err == nil {
		c.lastNumber = binary.BigEndian.Uint32(last)
		err = closer.Close()
	}
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	c.now.Store(s)
	return c, nil
}

func checkFormat(db *pebble.DB) error {
	v, closer, err := db.Get(formatKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return writeFormat(db)
	}
	if err != nil {
		return fmt.Errorf("read the format: %w", err)
	}
	defer closer.Close()
	if !bytes.Equal(v, []byte{formatVersion}) {
		return fmt.Errorf("written by another version of this program: %w", kerror.ServicesStorageVersionMismatch.New(fmt.Sprint(v)))
	}
	return nil
}

// writeFormat marks a new directory, and begins a new log: Pebble makes the first one before it has raised the directory to
// fileFormat, so that damage in it could not be told from a torn tail.
func writeFormat(db *pebble.DB) error {
	if err := db.Set(formatKey, []byte{formatVersion}, pebble.Sync); err != nil {
		return fmt.Errorf("write the format: %w", err)
	}
	if _, err := db.AsyncFlush(); err != nil {
		return fmt.Errorf("begin the log: %w", err)
	}
	return nil
}

func readCollection(key, value []byte) (storage.Collection, *collection, error) {
	rest := key[len(catalogueKeys):]
	names := bytes.SplitN(rest[min(1, len(rest)):], []byte{0}, 2)
	if len(names) != 2 {
		return storage.Collection{}, nil, fmt.Errorf("%w: collection key %x", errRecord, key)
	}
	var r catalogueRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return storage.Collection{}, nil, fmt.Errorf("%w: collection %q: %w", errRecord, names, err)
	}
	live := &collection{number: r.Number}
	for _, k := range r.Keywords {
		live.keywords = append(live.keywords, keyword{name: k.Name, field: k.Field})
	}
	return storage.Collection{Scope: storage.Scope(rest[0]), Index: string(names[0]), Name: string(names[1])}, live, nil
}

// find gives a live collection, or the error for an address that does not exist.
func (c *catalogue) find(address storage.Collection) (*collection, error) {
	s := c.now.Load()
	if live := s.collections[address]; live != nil {
		return live, nil
	}
	if s.indexes[index{address.Scope, address.Index}] == 0 {
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

// publishLocked makes the next snapshot; a nil collection takes the address away. The caller holds changing.
func (c *catalogue) publishLocked(address storage.Collection, live *collection) {
	old := c.now.Load()
	next := &snapshot{collections: maps.Clone(old.collections), indexes: maps.Clone(old.indexes)}
	i := index{address.Scope, address.Index}
	if live != nil {
		next.collections[address] = live
		next.indexes[i]++
	} else {
		delete(next.collections, address)
		if next.indexes[i]--; next.indexes[i] == 0 {
			delete(next.indexes, i)
		}
	}
	c.now.Store(next)
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
