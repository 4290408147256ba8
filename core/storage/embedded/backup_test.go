package embedded

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestBackupInAStorm: what was acknowledged before a backup is in it, and its index is that of its documents, though memories become
// files and files become fewer all the while.
func TestBackupInAStorm(t *testing.T) {
	dir := t.TempDir()
	e := openedFew(t, filepath.Join(dir, "data"), nil)
	must(t, e.Ensure(t.Context(), things, storage.Spec{Keywords: []string{"k"}, Mapping: []byte(`{"properties":{"k":{"type":"keyword"}}}`)}))
	ctx, stop := context.WithCancel(t.Context())
	var w writers
	w.start(ctx, e, 4)
	for i, name := range []string{"a", "b", "c", "d", "e"} {
		eventually(t, "no writes", func() bool { return w.count() > i*20 })
		acknowledged := w.snapshot()
		copied := filepath.Join(dir, name)
		must(t, e.Backup(t.Context(), copied))
		must(t, Check(t.Context(), Options{Dir: copied, Logger: quiet}))
		restored := openedFew(t, copied, nil)
		if restored.lost.Load() > 0 {
			t.Error("the copy of the index is damaged")
		}
		for id, version := range acknowledged {
			if doc, err := restored.Get(t.Context(), things, id); err != nil || doc.Version < version {
				t.Errorf("%s was acknowledged with version %d, the backup has %d, %v", id, version, doc.Version, err)
			}
		}
		checkConsistent(t, restored)
		checkSelect(t, restored)
		checkFiles(t, restored)
		put(t, restored, "new", `{}`)
		must(t, restored.Close())
	}
	stop()
	w.Wait()
	checkConsistent(t, e)
	checkSelect(t, e)
	checkFiles(t, e) // what was to be removed during a backup is gone
}

func TestBackupRefusals(t *testing.T) {
	dir := t.TempDir()
	e := opened(t, filepath.Join(dir, "data"), nil)
	must(t, e.Backup(t.Context(), filepath.Join(dir, "a")))
	if err := e.Backup(t.Context(), filepath.Join(dir, "a")); err == nil {
		t.Error("a backup was written over another one")
	}
	must(t, e.Close())
	if err := e.Backup(t.Context(), filepath.Join(dir, "b")); !errors.Is(err, kerror.ServicesStorageNotConnected) {
		t.Errorf("after Close: %v", err)
	}
}
