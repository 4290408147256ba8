package embedded

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
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
	for c := range e.catalogue.now.Load().collections {
		checkIndex(t, e, c)
	}
	var reader mapping.Document
	want, got := map[string]struct{}{}, map[string]struct{}{}
	there, heads := map[string]head{}, map[string]head{}
	eachRaw(t, e, func(key, value []byte) {
		number, kind, rest := binary.BigEndian.Uint32(key[1:]), key[5], key[6:]
		c := live[number]
		if c == nil {
			t.Errorf("key %x is left of a dropped collection", key)
			return
		}
		switch kind {
		case kindDocument:
			r, err := parseRecord(value)
			must(t, err)
			source := r.source
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
			there[string(key[1:5])+string(rest)] = r.head
		case kindKeyword:
			got[string(key)] = struct{}{}
		case kindMapping, kindManifest, kindDead:
		case kindHead:
			h, _, err := parseHead(value)
			must(t, err)
			if h.exists() {
				heads[string(key[1:5])+string(rest)] = h
			}
		default:
			t.Errorf("key %x has no known kind", key)
		}
	})
	if !maps.Equal(got, want) {
		t.Errorf("the keyword index has %d keys, the documents ask for %d, and they differ", len(got), len(want))
	}
	if !maps.Equal(there, heads) {
		t.Errorf("%d documents are there, %d heads say so, and they differ", len(there), len(heads))
	}
}

// checkIndex waits until the search index of a collection can be searched, and compares the live documents in it with those that
// are stored: each is there once, in the version that it has.
func checkIndex(t testing.TB, e *Engine, c storage.Collection) {
	t.Helper()
	p := pinnedSoon(t, e, c)
	defer p.letGo()
	indexed := map[string]uint64{}
	for _, v := range p.target.Views {
		eachLive(t, v, func(id string, position uint64) {
			if _, twice := indexed[id]; twice {
				t.Errorf("the index of %v has %q twice", c, id)
			}
			indexed[id] = position
		})
	}
	prefix, stored := appendDocumentKey(nil, p.coll.number, ""), map[string]uint64{}
	must(t, e.each(t.Context(), prefix, after(prefix), func(key, value []byte) (bool, error) {
		r, err := parseRecord(value)
		stored[string(key[len(prefix):])] = r.position
		return true, err
	}))
	if !maps.Equal(indexed, stored) {
		t.Errorf("the index of %v has %d documents, %d are stored, and they differ:\n%v\n%v", c, len(indexed), len(stored), indexed, stored)
	}
}

func eachLive(t testing.TB, v segment.View, visit func(id string, position uint64)) {
	t.Helper()
	if v.Lock != nil {
		v.Lock.Lock()
		defer v.Lock.Unlock()
	}
	v.Live.All(func(doc uint32) {
		id, err := v.Segment.ID(doc)
		must(t, err)
		position, err := v.Segment.Position(doc)
		must(t, err)
		visit(id, position)
	})
}

// pinnedSoon waits while an index is being made again.
func pinnedSoon(t testing.TB, e *Engine, c storage.Collection) *pinned {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		p, err := e.pin(c)
		if err == nil {
			return p
		}
		if time.Now().After(end) {
			t.Fatalf("the index of %v: %v", c, err)
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
