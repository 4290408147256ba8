package embedded

import (
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestEnterDropped: a write that looked the collection up just before Drop took it away must not write to it.
func TestEnterDropped(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	live, err := e.catalogue.find(things)
	must(t, err)
	live.dropped = true
	time.AfterFunc(5*time.Millisecond, func() { e.catalogue.publishLocked(func(next *snapshot) { delete(next.collections, things) }) })
	if _, err := e.catalogue.enter(things); !errors.Is(err, kerror.ServicesStorageUnknownCollection) {
		t.Errorf("enter: %v", err)
	}
}

// TestGoneCollections: a write that looked the collection up before it was truncated or dropped must notice.
func TestGoneCollections(t *testing.T) {
	for name, remove := range map[string]func(*Engine) error{
		"Drop":      func(e *Engine) error { return e.Drop(t.Context(), things) },
		"DropIndex": func(e *Engine) error { return e.DropIndex(t.Context(), things.Scope, things.Index) },
		"Truncate":  func(e *Engine) error { return e.Truncate(t.Context(), things) },
	} {
		e := withThings(t, vfs.NewMem())
		put(t, e, "a", `{"k":"v"}`)
		live, err := e.catalogue.find(things)
		must(t, err)
		must(t, remove(e))
		if !live.dropped {
			t.Errorf("%s: a write to the collection from before would be lost", name)
		}
		eachRaw(t, e, func(key, _ []byte) { t.Errorf("%s: key %x is left", name, key) })
		checkConsistent(t, e)
		must(t, e.Close())
	}
}
