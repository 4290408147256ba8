package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testDocuments takes documents through their lives, one method at a time.
func testDocuments(t *testing.T, open Open) {
	t.Run("Life", func(t *testing.T) { oneDocument(t, setUp(t, open)) })
	t.Run("Sources", func(t *testing.T) { oddSources(t, setUp(t, open)) })
	t.Run("IDs", func(t *testing.T) { oddIDs(t, setUp(t, open)) })
	t.Run("Buffer", func(t *testing.T) { callersBuffer(t, setUp(t, open)) })
	t.Run("Apart", func(t *testing.T) { apart(t, setUp(t, open)) })
}

func oneDocument(t *testing.T, f fixture) {
	ctx, none := t.Context(), storage.WriteOptions{}
	_, err := f.Get(ctx, f.c, "a")
	wantErr(t, "Get before Create", err, kerror.ServicesStorageNotFound)
	_, err = f.Replace(ctx, f.c, "a", []byte(`{}`), none)
	wantErr(t, "Replace before Create", err, kerror.ServicesStorageNotFound)
	_, err = f.Update(ctx, f.c, "a", []byte(`{}`), storage.UpdateOptions{})
	wantErr(t, "Update before Create", err, kerror.ServicesStorageNotFound)
	wantErr(t, "Delete before Create", f.Delete(ctx, f.c, "a", none), kerror.ServicesStorageNotFound)

	doc, err := f.Create(ctx, f.c, "a", []byte(`{"n":1}`), none)
	wantErr(t, "Create", err, nil)
	wantDocument(t, "Create", doc, "a", 1, `{"n":1}`)
	_, err = f.Create(ctx, f.c, "a", []byte(`{"n":2}`), none)
	wantErr(t, "second Create", err, kerror.ServicesStorageDocumentAlreadyExists)

	doc, created, err := f.Put(ctx, f.c, "a", []byte(`{"n":3}`), none)
	wantErr(t, "Put", err, nil)
	wantDocument(t, "Put", doc, "a", 2, `{"n":3}`)
	if created {
		t.Error("Put over a document says created")
	}
	doc, err = f.Replace(ctx, f.c, "a", []byte(`{"m":4}`), none)
	wantErr(t, "Replace", err, nil)
	wantDocument(t, "Replace", doc, "a", 3, `{"m":4}`)
	doc, err = f.Update(ctx, f.c, "a", []byte(`{"o":5}`), storage.UpdateOptions{})
	wantErr(t, "Update", err, nil)
	wantDocument(t, "Update", doc, "a", 4, `{"m":4,"o":5}`)
	doc, err = f.Get(ctx, f.c, "a")
	wantErr(t, "Get", err, nil)
	wantDocument(t, "Get", doc, "a", 4, `{"m":4,"o":5}`)

	wantErr(t, "Delete", f.Delete(ctx, f.c, "a", none), nil)
	_, err = f.Get(ctx, f.c, "a")
	wantErr(t, "Get after Delete", err, kerror.ServicesStorageNotFound)
	_, created, err = f.Put(ctx, f.c, "a", []byte(`{}`), storage.WriteOptions{Refresh: storage.RefreshWaitFor})
	wantErr(t, "Put after Delete", err, nil)
	if !created {
		t.Error("Put of a new document does not say created")
	}
}

// oddSources must come back as they went in.
func oddSources(t *testing.T, f fixture) {
	for i, source := range []string{
		`{}`,
		` { "a" : [ 1 , 2 ] } `,
		`{"big":9007199254740993,"bigger":123456789012345678901234567890,"e":1e400,"minus":-0}`,
		`{"a":{"b":{"c":[[],[{}],null,true,false,"x"]}}}`,
		`{"text":"\u00e9é\ud83d\ude00\"\\\/\b\u0000"}`,
		`{"long":"` + strings.Repeat("x", 300_000) + `"}`,
		`{"longer":"` + strings.Repeat("y", 3<<20) + `"}`,
	} {
		id := fmt.Sprint("source-", i)
		wantDocument(t, "Put", f.put(t, id, source), id, 1, source)
		doc, err := f.Get(t.Context(), f.c, id)
		wantErr(t, "Get", err, nil)
		wantDocument(t, "Get", doc, id, 1, source)
	}
}

func oddIDs(t *testing.T, f fixture) {
	ids := []string{"a", "a/b", "a b", "A", "%2e", "é", "日本", "😀", "_id", "..", strings.Repeat("i", 512)}
	for i, id := range ids {
		f.put(t, id, fmt.Sprintf(`{"i":%d}`, i))
	}
	for i, id := range ids {
		doc, err := f.Get(t.Context(), f.c, id)
		wantErr(t, "Get", err, nil)
		wantDocument(t, "Get", doc, id, 1, fmt.Sprintf(`{"i":%d}`, i))
	}
}

// callersBuffer: the engine keeps nothing of the caller's memory.
func callersBuffer(t *testing.T, f fixture) {
	buffer := []byte(`{"n":1}`)
	doc, _, err := f.Put(t.Context(), f.c, "a", buffer, storage.WriteOptions{})
	wantErr(t, "Put", err, nil)
	copy(buffer, `{"n":2}`)
	wantDocument(t, "Put", doc, "a", 1, `{"n":1}`)
	doc, err = f.Get(t.Context(), f.c, "a")
	wantErr(t, "Get", err, nil)
	wantDocument(t, "Get", doc, "a", 1, `{"n":1}`)
}

// apart: scopes, indexes and collections do not share documents.
func apart(t *testing.T, f fixture) {
	places := []storage.Collection{
		f.c,
		{Scope: storage.Internal, Index: f.c.Index, Name: f.c.Name},
		f.sibling("other"),
		{Scope: f.c.Scope, Index: f.c.Index + "-other", Name: f.c.Name},
	}
	for i, c := range places {
		wantErr(t, "Ensure", f.Ensure(t.Context(), c, storage.Spec{}), nil)
		_, err := f.Create(t.Context(), c, "same", fmt.Appendf(nil, `{"place":%d}`, i), storage.WriteOptions{})
		wantErr(t, "Create", err, nil)
	}
	wantErr(t, "Delete", f.Delete(t.Context(), places[2], "same", storage.WriteOptions{}), nil)
	for i, c := range places {
		doc, err := f.Get(t.Context(), c, "same")
		if i == 2 {
			wantErr(t, "Get of the deleted", err, kerror.ServicesStorageNotFound)
			continue
		}
		wantErr(t, "Get", err, nil)
		wantDocument(t, "Get", doc, "same", 1, fmt.Sprintf(`{"place":%d}`, i))
	}
}
