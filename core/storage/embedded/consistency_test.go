package embedded

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

// checkConsistent reads all raw keys: every document's keywords are in the index, the index names nothing else, no id is
// both there and deleted, the stored mapping has all fields of all documents, and nothing is left of collections that are
// gone.
func checkConsistent(t testing.TB, e *Engine) {
	t.Helper()
	live := map[uint32]*collection{}
	for _, c := range e.catalogue.now.Load().collections {
		live[c.number] = c
	}
	checkCatalogue(t, e)
	var reader mapping.Document
	want, got := map[string]struct{}{}, map[string]struct{}{}
	there, deleted := map[string]bool{}, map[string]bool{}
	eachRaw(t, e, func(key, value []byte) {
		number, kind, rest := binary.BigEndian.Uint32(key[1:]), key[5], key[6:]
		c := live[number]
		if c == nil {
			t.Errorf("key %x is left of a dropped collection", key)
			return
		}
		switch kind {
		case kindDocument:
			_, source, err := parseRecord(value)
			must(t, err)
			if !source.IsValid() {
				t.Errorf("stored document %q is not JSON: %s", rest, source)
			}
			if s := c.schema.Load(); s != nil {
				if grown, err := s.accept(source, &reader); grown != nil || err != nil {
					t.Errorf("document %q does not fit the mapping: %v, grown %v", rest, err, grown)
				}
			}
			keys, err := keywordKeys(number, c.keywords, string(rest), source)
			must(t, err)
			maps.Copy(want, keys)
			there[string(key[1:5])+string(rest)] = true
		case kindKeyword:
			got[string(key)] = struct{}{}
		case kindMapping:
		case kindDeleted:
			deleted[string(key[1:5])+string(rest)] = true
		default:
			t.Errorf("key %x has no known kind", key)
		}
	})
	if !maps.Equal(got, want) {
		t.Errorf("the keyword index has %d keys, the documents ask for %d, and they differ", len(got), len(want))
	}
	for id := range deleted {
		if there[id] {
			t.Errorf("document %q is both there and deleted", id)
		}
	}
}

// checkCatalogue compares the catalogue in memory with the one on disk.
func checkCatalogue(t testing.TB, e *Engine) {
	t.Helper()
	stored, err := loadCatalogue(e.db)
	must(t, err)
	disk, now := stored.now.Load(), e.catalogue.now.Load()
	if !maps.Equal(disk.indexes, now.indexes) || stored.lastNumber != e.catalogue.lastNumber || len(disk.collections) != len(now.collections) {
		t.Errorf("the catalogue has %d indexes, %d collections, number %d; on disk %d, %d, %d", len(now.indexes), len(now.collections),
			e.catalogue.lastNumber, len(disk.indexes), len(disk.collections), stored.lastNumber)
	}
	for c, live := range now.collections {
		on := disk.collections[c]
		if on == nil || on.number != live.number || !slices.Equal(on.keywords, live.keywords) ||
			!bytes.Equal(on.settings, live.settings) || !on.schema.Load().same(live.schema.Load()) {
			t.Errorf("collection %v is another one on disk", c)
		}
	}
}

func eachRaw(t testing.TB, e *Engine, visit func(key, value []byte)) {
	t.Helper()
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceData}, UpperBound: []byte{spaceData + 1}})
	must(t, err)
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		visit(bytes.Clone(it.Key()), bytes.Clone(it.Value()))
	}
	must(t, it.Error())
}
