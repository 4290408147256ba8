package embedded

import (
	"bytes"
	"encoding/binary"
	"maps"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// checkConsistent reads all raw keys: every document's keywords are in the index, the index names nothing else, no id is
// both there and deleted, and nothing is left of collections that are gone.
func checkConsistent(t testing.TB, e *Engine) {
	t.Helper()
	live := map[uint32]*collection{}
	for _, c := range e.catalogue.now.Load().collections {
		live[c.number] = c
	}
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
			keys, err := keywordKeys(number, c.keywords, string(rest), source)
			must(t, err)
			maps.Copy(want, keys)
			there[string(key[1:5])+string(rest)] = true
		case kindKeyword:
			got[string(key)] = struct{}{}
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
