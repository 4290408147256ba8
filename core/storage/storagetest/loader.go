package storagetest

import (
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testLoad: engines whose documents can be copied to keep the versions.
func testLoad(t *testing.T, open Open) {
	f := setUp(t, open, "k")
	loader, ok := f.Engine.(storage.Loader)
	if !ok {
		t.Fatalf("%T loads no documents", f.Engine)
	}
	load := func(docs ...storage.Document) error { return loader.Load(t.Context(), f.c, docs) }
	source := []byte("{\n\"k\": \"x\"}")
	for range 2 { // the second time nothing changes
		wantErr(t, "Load", load(storage.Document{ID: "a", Version: 7, Source: source}, storage.Document{ID: "b", Version: 1, Source: source}), nil)
	}
	found, err := f.Find(t.Context(), f.c, "k", "x", 10)
	wantErr(t, "Find", err, nil)
	if len(found) != 2 {
		t.Fatalf("Find gives %d documents, want 2", len(found))
	}
	wantDocument(t, "Find", found[0], "a", 7, `{"k":"x"}`)
	wantDocument(t, "Find", found[1], "b", 1, `{"k":"x"}`)

	doc, err := f.Update(t.Context(), f.c, "a", []byte(`{"n":1}`), storage.UpdateOptions{WriteOptions: storage.WriteOptions{IfVersion: 7}})
	wantErr(t, "Update", err, nil)
	wantDocument(t, "Update", doc, "a", 8, `{"k":"x","n":1}`)
	doc, err = f.Replace(t.Context(), f.c, "b", []byte(`{"k":"y"}`), storage.WriteOptions{})
	wantErr(t, "Replace", err, nil)
	wantDocument(t, "Replace", doc, "b", 2, `{"k":"y"}`)
	_, err = f.Create(t.Context(), f.c, "b", source, storage.WriteOptions{})
	wantErr(t, "Create", err, kerror.ServicesStorageDocumentAlreadyExists)

	var many []storage.Document
	for i := range 2500 { // more than engines do at once
		many = append(many, storage.Document{ID: fmt.Sprintf("m%04d", i), Version: int64(i + 1), Source: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	wantErr(t, "Load of many", load(many...), nil)
	for _, i := range []int{0, 999, 1000, 2499} {
		doc, err := f.Get(t.Context(), f.c, many[i].ID)
		wantErr(t, "Get", err, nil)
		wantDocument(t, "Get", doc, many[i].ID, many[i].Version, string(many[i].Source))
	}

	wantErr(t, "Load without version", load(storage.Document{ID: "c", Source: source}), kerror.ServicesStorageInvalidArgument)
	wantErr(t, "Load without id", load(storage.Document{Version: 1, Source: source}), kerror.ServicesStorageInvalidArgument)
	wantErr(t, "Load of an array", load(storage.Document{ID: "c", Version: 1, Source: []byte(`[]`)}), kerror.ServicesStorageInvalidArgument)
	wantErr(t, "Ensure", f.Ensure(t.Context(), f.c, storage.Spec{Mapping: []byte(`{"dynamic":"strict","properties":{"k":{"type":"keyword"},"n":{"type":"integer"}}}`)}), nil)
	wantErr(t, "Load against the mapping", load(storage.Document{ID: "c", Version: 1, Source: []byte(`{"z":1}`)}), kerror.ServicesStorageStrictMappingRejection)
	wantErr(t, "Load into nothing", loader.Load(t.Context(), f.sibling("none"), many), kerror.ServicesStorageUnknownCollection)
	_, err = f.Get(t.Context(), f.c, "c")
	wantErr(t, "Get of what was refused", err, kerror.ServicesStorageNotFound)
}
