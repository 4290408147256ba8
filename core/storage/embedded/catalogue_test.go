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
