package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/migrate"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/elastic"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	books  = storage.Collection{Scope: storage.Public, Index: "library", Name: "books"}
	many   = storage.Collection{Scope: storage.Public, Index: "library", Name: "many"}
	users  = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "users"}
	spoilt = storage.Document{ID: "m00005", Version: 1, Source: []byte(`{"n":"5"}`)}
)

// manyDocuments are more than a part.
const manyDocuments = 5000

func open(t testing.TB, dir string) *embedded.Engine {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// source makes an engine with something of everything.
func source(t *testing.T) *embedded.Engine {
	t.Helper()
	e, ctx := open(t, filepath.Join(t.TempDir(), "source")), t.Context()
	must(t, e.Ensure(ctx, books, storage.Spec{
		Mapping:  []byte(`{"dynamic":"strict","_meta":{"shelf":"A"},"properties":{"title":{"type":"text","analyzer":"fold"},"price":{"type":"double"},"at":{"type":"object","dynamic":"true"}}}`),
		Settings: []byte(`{"analysis":{"analyzer":{"fold":{"type":"custom","tokenizer":"standard","filter":["lowercase","asciifolding"]}}}}`),
	}))
	must(t, e.Ensure(ctx, many, storage.Spec{Mapping: []byte(`{"dynamic":"true"}`)}))
	must(t, e.Ensure(ctx, users, storage.Spec{Keywords: []string{"profileIds", "kuid"}}))
	must(t, e.CreateIndex(ctx, storage.Public, "empty"))
	must(t, e.CreateIndex(ctx, storage.Internal, "plugin-empty"))
	for id, text := range map[string]string{
		"b 1/é": `{"title":"Été","price":1.50,"at":{"x":1}}`,
		"b2":    "{\n  \"price\": 1e2, \"title\": \"b\\u0061r\"\n}",
		"b3":    `{"price":12345678901234567890.123}`,
	} {
		_, err := e.Create(ctx, books, id, []byte(text), storage.WriteOptions{})
		must(t, err)
	}
	for range 3 {
		_, err := e.Update(ctx, books, "b2", []byte(`{"price":100}`), storage.UpdateOptions{})
		must(t, err)
	}
	_, err := e.Create(ctx, users, "ann", []byte(`{"profileIds":["admin","default"],"kuid":"ann"}`), storage.WriteOptions{})
	must(t, err)
	var ops []storage.Op
	for i := range manyDocuments {
		ops = append(ops, storage.Op{Kind: storage.OpCreate, ID: fmt.Sprintf("m%05d", i), Source: fmt.Appendf(nil, `{"n":%d,"text":"number %d"}`, i, i)})
	}
	results, err := e.Write(ctx, many, ops, storage.BulkOptions{})
	must(t, err)
	for _, r := range results {
		must(t, r.Err)
	}
	return e
}

func options(from storage.Engine, to migrate.Target) migrate.Options {
	return migrate.Options{From: from, To: to, FromPlace: "here", ToPlace: "there"}
}

// targets are the engines that can be copied to; the last is none without an Elasticsearch.
func targets(t *testing.T, test func(t *testing.T, fresh func(t *testing.T) migrate.Target)) {
	t.Run("embedded", func(t *testing.T) {
		test(t, func(t *testing.T) migrate.Target { return open(t, filepath.Join(t.TempDir(), "target")) })
	})
	t.Run("elasticsearch", func(t *testing.T) {
		server := elastictest.Start(t)
		test(t, func(t *testing.T) migrate.Target {
			elastictest.Empty(t, server.URL)
			e, err := elastic.Open(t.Context(), elastic.Options{Addresses: []string{server.URL}, StartTimeout: 0})
			must(t, err)
			t.Cleanup(func() { _ = e.Close() })
			return e
		})
	})
}

func TestRun(t *testing.T) {
	from := source(t)
	targets(t, func(t *testing.T, fresh func(*testing.T) migrate.Target) {
		for name, test := range map[string]func(*testing.T, *embedded.Engine, migrate.Target){
			"there and back": thereAndBack, "interrupted": interrupted, "differs": differs, "refused": refused, "other migration": otherMigration,
		} {
			t.Run(name, func(t *testing.T) { test(t, from, fresh(t)) })
		}
	})
}

func thereAndBack(t *testing.T, from *embedded.Engine, to migrate.Target) {
	var phases []migrate.Phase
	var last migrate.Progress
	o := options(from, to)
	o.Progress = func(p migrate.Progress) {
		if phases = append(phases, p.Phase); p.Phase != last.Phase {
			last = migrate.Progress{}
		}
		if p.Documents < last.Documents || p.Documents > p.AllDocuments || p.Collections < last.Collections {
			t.Errorf("progress %+v after %+v", p, last)
		}
		last = p
	}
	there, err := migrate.Run(t.Context(), o)
	must(t, err)
	if there.Indexes != 4 || len(there.Collections) != 3 || there.Documents != manyDocuments+4 {
		t.Errorf("report %+v", there)
	}
	if !slices.IsSorted(phases) || last.Phase != migrate.Verifying || last.Collections != 3 || last.Documents != manyDocuments+4 {
		t.Errorf("phases %v, last %+v", slices.Compact(phases), last)
	}
	must(t, migrate.Unfinished(t.Context(), to))
	usable(t, to)
	back := open(t, filepath.Join(t.TempDir(), "back"))
	again, err := migrate.Run(t.Context(), options(from, back))
	must(t, err)
	if !reflect.DeepEqual(there, again) {
		t.Errorf("one copy gives %+v, the other %+v", there, again)
	}
	final := open(t, filepath.Join(t.TempDir(), "final"))
	_, err = migrate.Run(t.Context(), options(to, final)) // with what usable wrote
	must(t, err)
	usable(t, back)
	for _, s := range []storage.Scope{storage.Public, storage.Internal} {
		a, err := from.Indexes(t.Context(), s)
		must(t, err)
		if b, err := final.Indexes(t.Context(), s); err != nil || !slices.Equal(a, b) {
			t.Errorf("%s indexes %v, came back as %v (%v)", s, a, b, err)
		}
	}
}

// usable looks at a copy, and writes to it.
func usable(t *testing.T, e storage.Engine) {
	t.Helper()
	ctx := t.Context()
	doc, err := e.Get(ctx, books, "b2")
	if err != nil || doc.Version != 4 {
		t.Errorf("b2: %+v %v", doc, err)
	}
	if doc, err = e.Replace(ctx, books, "b2", doc.Source, storage.WriteOptions{IfVersion: 4}); err != nil || doc.Version != 5 {
		t.Errorf("replace: %+v %v", doc, err)
	}
	must(t, e.Refresh(ctx, books))
	if n, err := e.Count(ctx, []storage.Collection{books}, []byte(`{"match":{"title":"ete"}}`)); n != 1 || err != nil { // by the analyzer
		t.Errorf("%d books, %v", n, err)
	}
	if _, err := e.Create(ctx, books, "b9", []byte(`{"other":1}`), storage.WriteOptions{}); !errors.Is(err, kerror.ServicesStorageStrictMappingRejection) {
		t.Errorf("against the mapping: %v", err)
	}
	if found, err := e.Find(ctx, users, "profileIds", "admin", 2); err != nil || len(found) != 1 {
		t.Errorf("users: %v %v", found, err)
	}
}

// interrupted ends a migration after each of its steps, and lets it go on.
func interrupted(t *testing.T, from *embedded.Engine, to migrate.Target) {
	for round := 1; ; round++ {
		ctx, cancel := context.WithCancel(t.Context())
		o, steps := options(from, to), 0
		o.Progress = func(migrate.Progress) {
			if steps++; steps == round {
				cancel()
			}
		}
		report, err := migrate.Run(ctx, o)
		cancel()
		if err == nil {
			if round < 5 || report.Documents != manyDocuments+4 {
				t.Errorf("round %d: %+v", round, report)
			}
			return
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := migrate.Unfinished(t.Context(), to); err == nil || !strings.Contains(err.Error(), "here") {
			t.Fatalf("round %d: a node would start: %v", round, err)
		}
	}
}

// differs spoils the copy before it is compared, in several ways, and lets another run mend it.
func differs(t *testing.T, from *embedded.Engine, to migrate.Target) {
	o := options(from, to)
	spoil := func() {
		must(t, to.Load(context.Background(), many, []storage.Document{spoilt}))
		must(t, to.Delete(context.Background(), many, "m00007", storage.WriteOptions{}))
		_, err := to.Create(context.Background(), many, "m00007x", []byte(`{}`), storage.WriteOptions{})
		must(t, err)
		_, err = to.Replace(context.Background(), users, "ann", []byte(`{"profileIds":["admin","default"],"kuid":"ann"}`), storage.WriteOptions{}) // the version
		must(t, err)
		must(t, to.Ensure(context.Background(), books, storage.Spec{Mapping: []byte(`{"properties":{"more":{"type":"keyword"}}}`)}))
	}
	done := false
	o.Progress = func(p migrate.Progress) {
		if p.Phase == migrate.Verifying && !done {
			done = true
			spoil()
		}
	}
	_, err := migrate.Run(t.Context(), o)
	var different *migrate.Difference
	if !errors.As(err, &different) {
		t.Fatalf("a spoilt copy: %v", err)
	}
	for _, text := range []string{
		"the public collection library/many has 5000 documents, checksum ", "its copy 5000", "not the same: m00005, m00007, m00007x",
		"the private collection kuzzle/users has 1 documents", "not the same: ann", "the mapping of the public collection library/books: not the same",
	} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is not in %v", text, err)
		}
	}
	if err := migrate.Unfinished(t.Context(), to); err == nil {
		t.Error("a node would start on it")
	}
	report, err := migrate.Run(t.Context(), o)
	must(t, err)
	if report.Documents != manyDocuments+4 {
		t.Errorf("report %+v", report)
	}
}

func refused(t *testing.T, from *embedded.Engine, to migrate.Target) {
	must(t, to.CreateIndex(t.Context(), storage.Internal, "something"))
	if _, err := migrate.Run(t.Context(), options(from, to)); err == nil || !strings.Contains(err.Error(), `there is not empty, it has the private index "something"`) {
		t.Errorf("a target that is not empty: %v", err)
	}
	if all, err := to.Indexes(t.Context(), storage.Public); err != nil || len(all) > 0 {
		t.Errorf("it was written to: %v %v", all, err)
	}
	must(t, to.DropIndex(t.Context(), storage.Internal, "something"))
	if _, err := migrate.Run(t.Context(), options(to, open(t, filepath.Join(t.TempDir(), "x")))); err == nil || !strings.Contains(err.Error(), "there is nothing in here") {
		t.Errorf("an empty source: %v", err)
	}
}

func otherMigration(t *testing.T, from *embedded.Engine, to migrate.Target) {
	ctx, cancel := context.WithCancel(t.Context())
	o := options(from, to)
	o.Progress = func(migrate.Progress) { cancel() }
	if _, err := migrate.Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o = options(from, to)
	o.FromPlace = "elsewhere"
	if _, err := migrate.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "unfinished copy of here to there") {
		t.Errorf("another source: %v", err)
	}
	if _, err := migrate.Run(t.Context(), options(to, open(t, filepath.Join(t.TempDir(), "x")))); err == nil || !strings.Contains(err.Error(), "unfinished copy of here") {
		t.Errorf("a copy of an unfinished copy: %v", err)
	}
}
