package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// call is one method with everything but the collection chosen.
type call struct {
	name string
	do   func(context.Context, storage.Engine, storage.Collection) error
}

// otherCalls are the methods that do not need the collection to exist.
var otherCalls = []call{
	{"Ensure", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		return e.Ensure(ctx, c, storage.Spec{})
	}},
	{"Drop", func(ctx context.Context, e storage.Engine, c storage.Collection) error { return e.Drop(ctx, c) }},
	{"List", func(ctx context.Context, e storage.Engine, _ storage.Collection) error {
		_, err := e.List(ctx, storage.Public)
		return err
	}},
	{"CreateIndex", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		return e.CreateIndex(ctx, c.Scope, c.Index)
	}},
	{"Indexes", func(ctx context.Context, e storage.Engine, _ storage.Collection) error {
		_, err := e.Indexes(ctx, storage.Public)
		return err
	}},
	{"DropIndex", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		return e.DropIndex(ctx, c.Scope, c.Index)
	}},
	{"Info", func(ctx context.Context, e storage.Engine, _ storage.Collection) error {
		_, err := e.Info(ctx)
		return err
	}},
	{"Healthy", func(ctx context.Context, e storage.Engine, _ storage.Collection) error { return e.Healthy(ctx) }},
	{"NextHits", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.NextHits(ctx, c.Scope, "none", 0)
		return err
	}},
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
	{"Describe", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Describe(ctx, c)
		return err
	}},
	{"Truncate", func(ctx context.Context, e storage.Engine, c storage.Collection) error { return e.Truncate(ctx, c) }},
	{"MGet", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.MGet(ctx, c, []string{"a"})
		return err
	}},
	{"Write", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Write(ctx, c, []storage.Op{{Kind: storage.OpPut, ID: "a", Source: []byte(`{}`)}}, storage.BulkOptions{})
		return err
	}},
	{"Search", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Search(ctx, storage.Search{Targets: []storage.Collection{c}, Size: 1})
		return err
	}},
	{"Search with scroll", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Search(ctx, storage.Search{Targets: []storage.Collection{c}, Size: 1, Scroll: time.Minute})
		return err
	}},
	{"Count", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Count(ctx, []storage.Collection{c}, nil)
		return err
	}},
	{"Select", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		return e.Select(ctx, c, storage.Selection{Batch: 1}, func([]storage.Document) error { return nil })
	}},
	{"Refresh", func(ctx context.Context, e storage.Engine, c storage.Collection) error { return e.Refresh(ctx, c) }},
	{"Size", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Size(ctx, c)
		return err
	}},
	{"Write of nothing", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
		_, err := e.Write(ctx, c, nil, storage.BulkOptions{})
		return err
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

// opCalls are the ops that store source under id, each alone in a Write.
func opCalls(source jsontext.Value, id string) []call {
	var calls []call
	for name, op := range map[string]storage.Op{
		"OpCreate":                 {Kind: storage.OpCreate, Source: source},
		"OpPut":                    {Kind: storage.OpPut, Source: source},
		"OpReplace":                {Kind: storage.OpReplace, Source: source},
		"OpUpdate":                 {Kind: storage.OpUpdate, Source: source},
		"OpUpsert with its change": {Kind: storage.OpUpsert, Source: source, Default: []byte(`{}`)},
		"OpUpsert with a default":  {Kind: storage.OpUpsert, Source: []byte(`{}`), Default: source},
	} {
		op.ID = id
		calls = append(calls, call{name, func(ctx context.Context, e storage.Engine, c storage.Collection) error {
			results, err := e.Write(ctx, c, []storage.Op{op}, storage.BulkOptions{})
			if err != nil || len(results) != 1 {
				return fmt.Errorf("%d results: %w", len(results), err)
			}
			return results[0].Err
		}})
	}
	return calls
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
			docs, err := f.MGet(t.Context(), f.c, []string{id})
			wantErr(t, "MGet of "+id, err, nil)
			if len(docs) != 1 || docs[0] != nil {
				t.Errorf("MGet of %q gave %v", id, docs)
			}
			for _, m := range opCalls([]byte(`{}`), id) {
				if !strings.HasSuffix(m.name, "Replace") && !strings.HasSuffix(m.name, "Update") {
					wantErr(t, m.name+" of "+id, m.do(t.Context(), f, f.c), kerror.ServicesStorageInvalidArgument)
				}
			}
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
		for _, m := range append(sourceCalls(jsontext.Value(source), "there"), opCalls(jsontext.Value(source), "there")...) {
			if !strings.HasSuffix(m.name, "Create") {
				wantErr(t, m.name+" "+source[:min(20, len(source))], m.do(t.Context(), f, f.c), kerror.ServicesStorageInvalidArgument)
			}
		}
		for _, m := range append(sourceCalls(jsontext.Value(source), "new"), opCalls(jsontext.Value(source), "new")...) {
			if !strings.HasSuffix(m.name, "Replace") && !strings.HasSuffix(m.name, "Update") {
				wantErr(t, m.name+" "+source[:min(20, len(source))], m.do(t.Context(), f, f.c), kerror.ServicesStorageInvalidArgument)
			}
		}
	}
	sameIDs(t, "Scan", f.scan(t, ""), "there")
	doc, err := f.Get(t.Context(), f.c, "there")
	wantErr(t, "Get", err, nil)
	wantDocument(t, "Get", doc, "there", 1, `{"n":1}`)
}
