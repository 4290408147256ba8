package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

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
		return fmt.Errorf("written by another version of this program: %w", kerror.ServicesStorageVersionMismatch.New(fmt.Sprintf("%x", v)))
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
