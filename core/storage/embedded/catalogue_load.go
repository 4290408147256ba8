package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// catalogueRecord is a collection on disk.
type catalogueRecord struct {
	Number   uint32          `json:"number"`
	Keywords []keywordRecord `json:"keywords"`
	Settings jsontext.Value  `json:"settings,omitzero"`
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
	s := &snapshot{collections: map[storage.Collection]*collection{}, indexes: map[index]struct{}{}}
	if err := readIndexes(db, s); err != nil {
		return nil, fmt.Errorf("read the indexes: %w", err)
	}
	if err := readCollections(db, s); err != nil {
		return nil, fmt.Errorf("read the collections: %w", err)
	}
	c := new(catalogue)
	last, err := read(db, lastNumberKey)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	if last != nil {
		c.lastNumber = binary.BigEndian.Uint32(last)
	}
	c.now.Store(s)
	return c, nil
}

func readIndexes(db *pebble.DB, s *snapshot) error {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: indexKeys, UpperBound: after(indexKeys)})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		rest := it.Key()[len(indexKeys):]
		if len(rest) == 0 {
			return fmt.Errorf("%w: index key %x", errRecord, it.Key())
		}
		s.indexes[index{storage.Scope(rest[0]), string(rest[1:])}] = struct{}{}
	}
	return it.Error()
}

func readCollections(db *pebble.DB, s *snapshot) error {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: catalogueKeys, UpperBound: after(catalogueKeys)})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		address, live, err := readCollection(it.Key(), it.Value())
		if err != nil {
			return err
		}
		mapping, err := read(db, mappingKey(live.number))
		if err != nil {
			return err
		}
		set, err := parseSet(live.settings)
		if err != nil { // settings from before they were looked at, of which the mapping uses nothing
			set = nil
		}
		parsed, err := parseSchema(address, mapping, set)
		if err != nil {
			return fmt.Errorf("%w: mapping of %q: %w", errRecord, address, err)
		}
		live.schema.Store(parsed)
		s.collections[address] = live
	}
	return it.Error()
}

// read gives a copy of the value under key, nil when there is none.
func read(db *pebble.DB, key []byte) ([]byte, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return bytes.Clone(value), nil
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
	address := storage.Collection{Scope: storage.Scope(rest[0]), Index: string(names[0]), Name: string(names[1])}
	live := &collection{number: r.Number, address: address, settings: r.Settings}
	for _, k := range r.Keywords {
		live.keywords = append(live.keywords, keyword{name: k.Name, field: k.Field})
	}
	return address, live, nil
}
