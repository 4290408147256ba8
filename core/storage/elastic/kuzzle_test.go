package elastic

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// kuzzleIndex makes an index as Kuzzle 2 does, with three documents, and drops it in the end.
func kuzzleIndex(t *testing.T, e *Engine, s storage.Scope) storage.Collection {
	t.Helper()
	c := storage.Collection{Scope: s, Index: "kuzzle-" + strings.ToLower(rand.Text()), Name: "users"}
	t.Cleanup(func() { _ = e.DropIndex(context.Background(), s, c.Index) })
	do := func(method string, path []string, query []string, body string) {
		t.Helper()
		if err := e.client.do(t.Context(), request{method: method, path: path, query: values(query...), body: []byte(body)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	// The physical name was taken when this collection was made.
	name := physical(c) + ".100000"
	do(http.MethodPut, []string{name}, nil, `{"aliases":{"`+alias(c)+`":{}},
		"settings":{"number_of_shards":1,"analysis":{"analyzer":{"fold":{"type":"custom","tokenizer":"standard","filter":["lowercase","asciifolding"]}}}},
		"mappings":{"dynamic":"strict","_meta":{"shelf":"A"},"properties":{
			"profileIds":{"type":"keyword"},"name":{"type":"text","analyzer":"fold"},
			"_kuzzle_info":{"properties":{"author":{"type":"keyword"},"createdAt":{"type":"date"}}}}}}`)
	do(http.MethodPut, []string{strings.Replace(name, ".users.100000", "."+keep, 1)}, nil,
		`{"aliases":{"`+strings.Replace(alias(c), ".users", "."+keep, 1)+`":{}}}`)
	for id, source := range map[string]string{
		"root": `{"profileIds":["admin"],"name":"Zoé","_kuzzle_info":{"author":null,"createdAt":1795344583913}}`,
		"ann":  `{"profileIds":["readers","admin"],"name":"Ann"}`,
		"bob":  `{"profileIds":["readers"]}`,
	} {
		do(http.MethodPut, []string{name, "_doc", id}, []string{"version", "7", "version_type", "external"}, source)
	}
	return c
}

// TestKuzzle: what Kuzzle wrote is found, described as it is, and stays as it is.
func TestKuzzle(t *testing.T) {
	e, ctx := opened(t), t.Context()
	for _, s := range []storage.Scope{storage.Public, storage.Internal} {
		c := kuzzleIndex(t, e, s)
		list, err := e.List(ctx, s)
		if err != nil || !contains(list, c) || contains(list, storage.Collection{Scope: s, Index: c.Index, Name: keep}) {
			t.Errorf("List gave %v, %v", list, err)
		}
		doc, err := e.Get(ctx, c, "root")
		if err != nil || doc.Version != 7 || !strings.Contains(string(doc.Source), "1795344583913") {
			t.Errorf("Get gave version %d, %s, %v", doc.Version, doc.Source, err)
		}
		if err := e.Ensure(ctx, c, storage.Spec{Keywords: []string{"profileIds"}}); err != nil {
			t.Fatal(err)
		}
		docs, err := e.Find(ctx, c, "profileIds", "admin", 10)
		if err != nil || len(docs) != 2 || docs[0].ID != "ann" || docs[1].ID != "root" {
			t.Errorf("Find gave %v, %v", docs, err)
		}
		spec, err := e.Describe(ctx, c)
		if err != nil || !strings.Contains(string(spec.Mapping), `"fold"`) || !strings.Contains(string(spec.Mapping), `"shelf":"A"`) ||
			strings.Contains(string(spec.Mapping), own) {
			t.Errorf("Describe gave %s, %v", spec.Mapping, err)
		}
		found, err := e.Search(ctx, storage.Search{Targets: []storage.Collection{c}, Body: []byte(`{"query":{"match":{"name":"zoe"}}}`), Size: 1})
		if err != nil || len(found.Hits) != 1 || found.Hits[0].ID != "root" || found.Hits[0].Collection != c {
			t.Errorf("Search gave %+v, %v", found, err)
		}
		doc, err = e.Update(ctx, c, "root", []byte(`{"name":"Zoe"}`), storage.UpdateOptions{WriteOptions: storage.WriteOptions{IfVersion: 7}})
		if err != nil || doc.Version != 8 {
			t.Errorf("Update gave %+v, %v", doc, err)
		}
		_, err = e.Create(ctx, c, "new", []byte(`{"x":1}`), storage.WriteOptions{})
		wantErr(t, "Create against the mapping", err, kerror.ServicesStorageStrictMappingRejection)
		if err := e.Ensure(ctx, c, storage.Spec{Mapping: []byte(`{"properties":{"age":{"type":"long"}}}`)}); err != nil {
			t.Errorf("Ensure of more: %v", err)
		}
		if _, err := e.Create(ctx, c, "new", []byte(`{"age":1,"profileIds":"x"}`), storage.WriteOptions{}); err != nil {
			t.Errorf("Create by the new mapping: %v", err)
		}
		if err := e.Truncate(ctx, c); err != nil {
			t.Errorf("Truncate: %v", err)
		}
		after, err := e.Describe(ctx, c)
		if err != nil || !strings.Contains(string(after.Mapping), `"age"`) || !strings.Contains(string(after.Mapping), `"fold"`) {
			t.Errorf("after Truncate the mapping is %s, %v", after.Mapping, err)
		}
	}
}

func contains(list []storage.Collection, c storage.Collection) bool {
	for _, other := range list {
		if other == c {
			return true
		}
	}
	return false
}

// A field that comes with its keyword has nothing of the documents there are, so it cannot answer for them.
func TestKeywordOfNewField(t *testing.T) {
	for _, test := range []struct{ name, mapping, path string }{
		{"had", `{"f":{"type":"keyword"}}`, "f"},
		{"new", `{}`, ""},
	} {
		l := layout{mapping: members{"dynamic": []byte(`"false"`), "properties": []byte(test.mapping)}}
		next, err := l.with(storage.Collection{}, storage.Spec{
			Keywords: []string{"f"}, Mapping: []byte(`{"properties":{"f":{"type":"keyword"}}}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		if k, ok := next.keyword("f"); !ok || k.path != test.path {
			t.Errorf("%s: the keyword is found in %q, %v", test.name, k.path, ok)
		}
	}
}
