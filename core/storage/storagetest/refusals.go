package storagetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// call is one method with everything but the collection chosen.
type call struct {
	name string
	do   func(context.Context, storage.Engine, storage.Collection) error
}

// documentCalls are the methods that need the collection to exist.
var documentCalls = append([]call{
	{"Get", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Get(ctx, c, "a")
		return err
	}},
	{"Delete", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		return e.Delete(ctx, c, "a", storage.WriteOptions{})
	}},
	{"Find", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Find(ctx, c, "k", "v", 1)
		return err
	}},
	{"Scan", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		return e.Scan(ctx, c, "", func(storage.Document) bool { return true })
	}},
}, sourceCalls(jsontext.Value(`{}`), "a")...)

// sourceCalls are the methods that store source under id.
func sourceCalls(source jsontext.Value, id string) []call {
	return []call{
		{"Create", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
			_, err := e.Create(ctx, c, id, source, storage.WriteOptions{})
			return err
		}},
		{"Put", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
			_, _, err := e.Put(ctx, c, id, source, storage.WriteOptions{})
			return err
		}},
		{"Replace", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
			_, err := e.Replace(ctx, c, id, source, storage.WriteOptions{})
			return err
		}},
		{"Update", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
			_, err := e.Update(ctx, c, id, source, storage.UpdateOptions{})
			return err
		}},
	}
}

// testRefusals: what no engine may accept.
func testRefusals(t *testing.T, open Open) {
	f := setUp(t, open, "k")
	t.Run("Unknown", func(t *testing.T) {
		for _, m := range documentCalls {
			wantErr(t, m.name, m.do(t.Context(), f, f.sibling("unknown")), kerror.ServicesStorageUnknownCollection)
			nowhere := storage.Collection{Scope: f.c.Scope, Index: f.c.Index + "-unknown", Name: f.c.Name}
			wantErr(t, m.name, m.do(t.Context(), f, nowhere), kerror.ServicesStorageUnknownIndex)
			nowhere = storage.Collection{Scope: storage.Internal, Index: f.c.Index, Name: f.c.Name}
			wantErr(t, m.name+" in the other scope", m.do(t.Context(), f, nowhere), kerror.ServicesStorageUnknownIndex)
		}
	})
	t.Run("Sources", func(t *testing.T) { badSources(t, f) })
	t.Run("IDs", func(t *testing.T) {
		for _, id := range []string{"", strings.Repeat("i", 513)} {
			_, err := f.Create(t.Context(), f.c, id, []byte(`{}`), storage.WriteOptions{})
			wantErr(t, "Create of "+id, err, kerror.ServicesStorageInvalidArgument)
			_, _, err = f.Put(t.Context(), f.c, id, []byte(`{}`), storage.WriteOptions{})
			wantErr(t, "Put of "+id, err, kerror.ServicesStorageInvalidArgument)
			_, err = f.Get(t.Context(), f.c, id)
			wantErr(t, "Get of "+id, err, kerror.ServicesStorageNotFound)
		}
	})
	t.Run("Cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, m := range documentCalls {
			if err := m.do(ctx, f, f.c); !errors.Is(err, context.Canceled) {
				t.Errorf("%s with a cancelled context: %v", m.name, err)
			}
		}
		sameIDs(t, "Scan", f.scan(t, ""), "there")
	})
}

// badSources: anything but one valid JSON object is refused and changes nothing.
func badSources(t *testing.T, f fixture) {
	f.put(t, "there", `{"n":1}`)
	for _, source := range []string{
		"", " ", "null", "true", "1", `"text"`, "[]", `[{}]`, "{", "}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{} {}`, `{"a":01}`,
		`{"a":1,"a":2}`, `{"o":{"a":1,"a":2}}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, "{\"a\":\"\n\"}", `{"a":NaN}`,
		strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
	} {
		for _, m := range sourceCalls(jsontext.Value(source), "there") {
			if m.name != "Create" {
				wantErr(t, m.name+" "+source[:min(20, len(source))], m.do(t.Context(), f, f.c), kerror.ServicesStorageInvalidArgument)
			}
		}
		_, err := f.Create(t.Context(), f.c, "new", jsontext.Value(source), storage.WriteOptions{})
		wantErr(t, "Create "+source[:min(20, len(source))], err, kerror.ServicesStorageInvalidArgument)
	}
	sameIDs(t, "Scan", f.scan(t, ""), "there")
	doc, err := f.Get(t.Context(), f.c, "there")
	wantErr(t, "Get", err, nil)
	wantDocument(t, "Get", doc, "there", 1, `{"n":1}`)
}
