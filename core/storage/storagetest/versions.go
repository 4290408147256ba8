package storagetest

import (
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testVersions: versions grow by one, outlive the document, and IfVersion holds writes to them.
func testVersions(t *testing.T, open Open) {
	t.Run("IfVersion", func(t *testing.T) { ifVersion(t, setUp(t, open)) })
	t.Run("Deleted", func(t *testing.T) { afterDeletion(t, setUp(t, open)) })
	t.Run("Dropped", func(t *testing.T) {
		f := setUp(t, open)
		f.put(t, "a", `{}`)
		wantErr(t, "Drop", f.Drop(t.Context(), f.c), nil)
		wantErr(t, "Ensure", f.Ensure(t.Context(), f.c, storage.Spec{}), nil)
		wantDocument(t, "Put into the collection made again", f.put(t, "a", `{}`), "a", 1, `{}`)
	})
}

func ifVersion(t *testing.T, f fixture) {
	ctx, at := t.Context(), func(v int64) storage.WriteOptions { return storage.WriteOptions{IfVersion: v} }
	_, _, err := f.Put(ctx, f.c, "new", []byte(`{}`), at(1))
	wantErr(t, "Put of a new document with IfVersion", err, kerror.ServicesStorageTooManyChanges)
	_, err = f.Create(ctx, f.c, "new", []byte(`{}`), at(1))
	wantErr(t, "Create with IfVersion", err, kerror.ServicesStorageTooManyChanges)
	_, err = f.Replace(ctx, f.c, "new", []byte(`{}`), at(1))
	wantErr(t, "Replace of a new document with IfVersion", err, kerror.ServicesStorageNotFound)

	f.put(t, "a", `{}`)
	f.put(t, "a", `{}`)
	for _, wrong := range []int64{1, 3, -1, 1 << 60} {
		_, _, err := f.Put(ctx, f.c, "a", []byte(`{"x":1}`), at(wrong))
		wantErr(t, "Put", err, kerror.ServicesStorageTooManyChanges)
		_, err = f.Replace(ctx, f.c, "a", []byte(`{"x":1}`), at(wrong))
		wantErr(t, "Replace", err, kerror.ServicesStorageTooManyChanges)
		_, err = f.Update(ctx, f.c, "a", []byte(`{"x":1}`), storage.UpdateOptions{WriteOptions: at(wrong), RetryOnConflict: 5})
		wantErr(t, "Update", err, kerror.ServicesStorageTooManyChanges)
		wantErr(t, "Delete", f.Delete(ctx, f.c, "a", at(wrong)), kerror.ServicesStorageTooManyChanges)
	}
	doc, _, err := f.Put(ctx, f.c, "a", []byte(`{"n":1}`), at(2))
	wantErr(t, "Put", err, nil)
	wantDocument(t, "Put", doc, "a", 3, `{"n":1}`)
	doc, err = f.Replace(ctx, f.c, "a", []byte(`{"n":2}`), at(3))
	wantErr(t, "Replace", err, nil)
	wantDocument(t, "Replace", doc, "a", 4, `{"n":2}`)
	doc, err = f.Update(ctx, f.c, "a", []byte(`{"m":3}`), storage.UpdateOptions{WriteOptions: at(4)})
	wantErr(t, "Update", err, nil)
	wantDocument(t, "Update", doc, "a", 5, `{"n":2,"m":3}`)
	wantErr(t, "Delete", f.Delete(ctx, f.c, "a", at(5)), nil)
}

// afterDeletion: no version comes twice, however often a document is deleted.
func afterDeletion(t *testing.T, f fixture) {
	var highest int64
	for range 4 {
		doc := f.put(t, "a", `{}`)
		if doc.Version <= highest {
			t.Fatalf("created again with version %d, it had %d", doc.Version, highest)
		}
		highest = f.put(t, "a", `{"n":1}`).Version
		if highest != doc.Version+1 {
			t.Fatalf("version %d follows %d", highest, doc.Version)
		}
		wantErr(t, "Delete", f.Delete(t.Context(), f.c, "a", storage.WriteOptions{}), nil)
		_, err := f.Replace(t.Context(), f.c, "a", []byte(`{}`), storage.WriteOptions{IfVersion: highest})
		wantErr(t, "Replace of a deleted document", err, kerror.ServicesStorageNotFound)
		_, _, err = f.Put(t.Context(), f.c, "a", []byte(`{}`), storage.WriteOptions{IfVersion: highest})
		wantErr(t, "Put of a deleted document at its last version", err, kerror.ServicesStorageTooManyChanges)
	}
}
