package storagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testBulk: many at once are as many after the other.
func testBulk(t *testing.T, open Open) {
	t.Run("Kinds", func(t *testing.T) { opKinds(t, setUp(t, open, "k")) })
	t.Run("MGet", func(t *testing.T) { mGet(t, setUp(t, open)) })
	t.Run("Many", func(t *testing.T) { many(t, setUp(t, open, "k")) })
	t.Run("Large", func(t *testing.T) { large(t, setUp(t, open)) })
	t.Run("Buffer", func(t *testing.T) {
		f := setUp(t, open)
		buffer := []byte(`{"n":1}`)
		results := f.write(t, storage.Op{Kind: storage.OpPut, ID: "a", Source: buffer}, storage.Op{Kind: storage.OpUpsert, ID: "b", Source: buffer, Default: buffer})
		copy(buffer, `{"n":2}`)
		for i, id := range []string{"a", "b"} {
			wantDocument(t, "Write", results[i].Document, id, 1, `{"n":1}`)
			doc, err := f.Get(t.Context(), f.c, id)
			wantErr(t, "Get", err, nil)
			wantDocument(t, "Get", doc, id, 1, `{"n":1}`)
		}
	})
	t.Run("Previous", func(t *testing.T) { previous(t, setUp(t, open)) })
	t.Run("Crossing", func(t *testing.T) { crossing(t, setUp(t, open)) })
	t.Run("Upsert", func(t *testing.T) { upserts(t, setUp(t, open)) })
	t.Run("Truncate", func(t *testing.T) { truncateWhileWriting(t, setUp(t, open, "k")) })
}

// write does ops that nothing but their own errors keeps from being done.
func (f fixture) write(t *testing.T, ops ...storage.Op) []storage.OpResult {
	t.Helper()
	results, err := f.Write(t.Context(), f.c, ops, storage.BulkOptions{})
	wantErr(t, "Write", err, nil)
	if len(results) != len(ops) {
		t.Fatalf("Write of %d ops gave %d results", len(ops), len(results))
	}
	return results
}

// opKinds is one Write in which every kind succeeds and fails, each op seeing those before it.
func opKinds(t *testing.T, f fixture) {
	steps := []struct {
		op      storage.Op
		version int64
		source  string
		created bool
		err     *kerror.Def
	}{
		{op: storage.Op{Kind: storage.OpCreate, ID: "a", Source: []byte(`{"k":"x"}`)}, version: 1, source: `{"k":"x"}`, created: true},
		{op: storage.Op{Kind: storage.OpCreate, ID: "a", Source: []byte(`{"k":"no"}`)}, err: kerror.ServicesStorageDocumentAlreadyExists},
		{op: storage.Op{Kind: storage.OpPut, ID: "a", Source: []byte(`{"k":"y"}`)}, version: 2, source: `{"k":"y"}`},
		{op: storage.Op{Kind: storage.OpPut, ID: "b", Source: []byte(`{"k":"y"}`)}, version: 1, source: `{"k":"y"}`, created: true},
		{op: storage.Op{Kind: storage.OpReplace, ID: "a", Source: []byte(`{"o":{"n":1}}`)}, version: 3, source: `{"o":{"n":1}}`},
		{op: storage.Op{Kind: storage.OpReplace, ID: "c", Source: []byte(`{}`)}, err: kerror.ServicesStorageNotFound},
		{op: storage.Op{Kind: storage.OpUpdate, ID: "a", Source: []byte(`{"o":{"m":2},"k":"z"}`)}, version: 4, source: `{"o":{"n":1,"m":2},"k":"z"}`},
		{op: storage.Op{Kind: storage.OpUpdate, ID: "c", Source: []byte(`{}`)}, err: kerror.ServicesStorageNotFound},
		{op: storage.Op{Kind: storage.OpUpsert, ID: "a", Source: []byte(`{"u":1}`), Default: []byte(`{"no":1}`)}, version: 5, source: `{"o":{"n":1,"m":2},"k":"z","u":1}`},
		{op: storage.Op{Kind: storage.OpUpsert, ID: "c", Source: []byte(`{"no":1}`), Default: []byte(`{"k":"d"}`)}, version: 1, source: `{"k":"d"}`, created: true},
		{op: storage.Op{Kind: storage.OpUpsert, ID: "c", Source: []byte(`{"k":"e"}`), Default: []byte(`{}`)}, version: 2, source: `{"k":"e"}`},
		{op: storage.Op{Kind: storage.OpPut, ID: "c", Source: []byte(`{"no":1}`), IfVersion: 1}, err: kerror.ServicesStorageTooManyChanges},
		{op: storage.Op{Kind: storage.OpUpsert, ID: "c", Source: []byte(`{"no":1}`), Default: []byte(`{}`), IfVersion: 3}, err: kerror.ServicesStorageTooManyChanges},
		{op: storage.Op{Kind: storage.OpUpsert, ID: "d", Source: []byte(`{}`), Default: []byte(`{"no":1}`), IfVersion: 1}, err: kerror.ServicesStorageTooManyChanges},
		{op: storage.Op{Kind: storage.OpDelete, ID: "c", IfVersion: 1}, err: kerror.ServicesStorageTooManyChanges},
		{op: storage.Op{Kind: storage.OpDelete, ID: "c", IfVersion: 2}, version: 2},
		{op: storage.Op{Kind: storage.OpDelete, ID: "c"}, err: kerror.ServicesStorageNotFound},
		{op: storage.Op{Kind: storage.OpUpdate, ID: "c", Source: []byte(`{}`)}, err: kerror.ServicesStorageNotFound},
		{op: storage.Op{Kind: storage.OpPut, ID: "b", Source: []byte(`[]`)}, err: kerror.ServicesStorageInvalidArgument},
		{op: storage.Op{Kind: storage.OpPut, ID: "", Source: []byte(`{}`)}, err: kerror.ServicesStorageInvalidArgument},
		{op: storage.Op{Kind: 99, ID: "b", Source: []byte(`{}`)}, err: kerror.ServicesStorageInvalidArgument},
		{op: storage.Op{Kind: storage.OpUpdate, ID: "b", Source: []byte(`{"l":1}`)}, version: 2, source: `{"k":"y","l":1}`},
	}
	var ops []storage.Op
	for _, s := range steps {
		ops = append(ops, s.op)
	}
	for i, r := range f.write(t, ops...) {
		s := steps[i]
		what := fmt.Sprintf("op %d, %d of %q", i, s.op.Kind, s.op.ID)
		wantErr(t, what, r.Err, s.err)
		switch {
		case s.err != nil:
		case s.op.Kind == storage.OpDelete:
			wantGone(t, what, r, s.op.ID, s.version)
		default:
			wantDocument(t, what, r.Document, s.op.ID, s.version, s.source)
		}
		if r.Created != s.created {
			t.Errorf("%s: created %v", what, r.Created)
		}
	}
	sameIDs(t, "Scan", f.scan(t, ""), "a", "b")
	for value, ids := range map[string][]string{"x": nil, "y": {"b"}, "z": {"a"}, "d": nil, "e": nil, "no": nil} {
		sameIDs(t, "Find of "+value, f.find(t, "k", value), ids...)
	}
	for _, id := range []string{"a", "b"} {
		f.put(t, id, `{}`)
	}
	if doc := f.put(t, "c", `{}`); doc.Version <= 2 {
		t.Errorf("created again with version %d, it had 2", doc.Version)
	}
}

func mGet(t *testing.T, f fixture) {
	for _, id := range []string{"a", "b", "c"} {
		f.put(t, id, fmt.Sprintf(`{"id":%q}`, id))
	}
	wantErr(t, "Delete", f.Delete(t.Context(), f.c, "b", storage.WriteOptions{}), nil)
	ids := []string{"c", "b", "a", "none", "c"}
	docs, err := f.MGet(t.Context(), f.c, ids)
	wantErr(t, "MGet", err, nil)
	if len(docs) != len(ids) {
		t.Fatalf("MGet of %d ids gave %d", len(ids), len(docs))
	}
	for i, id := range ids {
		switch there := id == "a" || id == "c"; {
		case there && docs[i] != nil:
			wantDocument(t, "MGet", *docs[i], id, 1, fmt.Sprintf(`{"id":%q}`, id))
		case there || docs[i] != nil:
			t.Errorf("MGet of %q gave %v", id, docs[i])
		}
	}
	docs, err = f.MGet(t.Context(), f.c, nil)
	wantErr(t, "MGet of nothing", err, nil)
	if len(docs) != 0 {
		t.Errorf("MGet of nothing gave %v", docs)
	}
}

// manyDocuments is how many one Write takes.
const manyDocuments = 10_000

func many(t *testing.T, f fixture) {
	ops, ids := make([]storage.Op, manyDocuments), make([]string, manyDocuments)
	for i := range ops {
		ids[i] = fmt.Sprintf("%05d", i)
		ops[i] = storage.Op{Kind: storage.OpCreate, ID: ids[i], Source: fmt.Appendf(nil, `{"n":%d,"k":"%d"}`, i, i/3)}
	}
	for i, r := range f.write(t, ops...) {
		if r.Err != nil || r.Document.ID != ids[i] || r.Document.Version != 1 || !r.Created {
			t.Fatalf("OpCreate of %s gave %+v", ids[i], r)
		}
	}
	sameIDs(t, "Scan", f.scan(t, ""), ids...)
	sameIDs(t, "Find", f.find(t, "k", "3000"), "09000", "09001", "09002")
	docs, err := f.MGet(t.Context(), f.c, ids)
	wantErr(t, "MGet", err, nil)
	for i, d := range docs {
		if d == nil || d.ID != ids[i] || d.Version != 1 {
			t.Fatalf("MGet gave %v for %s", d, ids[i])
		}
		if i%100 == 0 {
			wantDocument(t, "MGet", *d, ids[i], 1, string(ops[i].Source))
		}
	}
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpDelete, ID: ids[len(ids)-1-i]}
	}
	for _, r := range f.write(t, ops...) {
		wantErr(t, "OpDelete", r.Err, nil)
	}
	sameIDs(t, "Scan", f.scan(t, ""))
	sameIDs(t, "Find", f.find(t, "k", "3000"))
}

// large documents, small updates of them, and one that changes many times.
func large(t *testing.T, f fixture) {
	const documents, updates = 40, 1200
	var ops []storage.Op
	for i := range documents {
		source := fmt.Sprintf(`{"text":%q}`, strings.Repeat("0123456789", 10_000))
		ops = append(ops, storage.Op{Kind: storage.OpPut, ID: fmt.Sprint(i), Source: jsontext.Value(source)})
	}
	f.write(t, ops...)
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpUpdate, ID: fmt.Sprint(i), Source: []byte(`{"n":1}`)}
	}
	for i, r := range f.write(t, ops...) {
		wantErr(t, "OpUpdate", r.Err, nil)
		if r.Document.ID != fmt.Sprint(i) || r.Document.Version != 2 || len(r.Document.Source) < 100_000 {
			t.Errorf("OpUpdate gave %q version %d, %d bytes", r.Document.ID, r.Document.Version, len(r.Document.Source))
		}
	}
	ops = ops[:0]
	for i := range updates {
		ops = append(ops, storage.Op{Kind: storage.OpUpsert, ID: "n", Source: fmt.Appendf(nil, `{"n":%d}`, i), Default: []byte(`{"n":0}`)})
	}
	for i, r := range f.write(t, ops...) {
		wantErr(t, "OpUpsert", r.Err, nil)
		wantDocument(t, "OpUpsert", r.Document, "n", int64(i+1), fmt.Sprintf(`{"n":%d}`, i))
	}
}

// crossing: Writes that meet on the same documents in other orders, and single writes between them, all come through.
func crossing(t *testing.T, f fixture) {
	const documents = 40
	together(workers, func(w int) {
		rng := rand.New(rand.NewPCG(uint64(w), 0))
		for range rounds {
			if w == 0 {
				f.put(t, fmt.Sprint(rng.IntN(documents)), `{}`)
				continue
			}
			var ops []storage.Op
			for _, i := range rng.Perm(documents) {
				ops = append(ops, storage.Op{Kind: storage.OpPut, ID: fmt.Sprint(i), Source: []byte(`{}`)})
			}
			for _, r := range f.write(t, ops...) {
				wantErr(t, "OpPut", r.Err, nil)
			}
		}
	})
	var sum int64
	err := f.Scan(t.Context(), f.c, "", func(d storage.Document) bool {
		sum += d.Version
		return true
	})
	wantErr(t, "Scan", err, nil)
	if want := int64((workers-1)*rounds*documents + rounds); sum != want {
		t.Errorf("the versions add up to %d after %d writes", sum, want)
	}
}

// upserts of the same documents by all: each is created once, and every later one is in it.
func upserts(t *testing.T, f fixture) {
	const documents = 50
	created := make([]int, workers)
	together(workers, func(w int) {
		var ops []storage.Op
		for i := range documents {
			id := fmt.Sprint((i + w) % documents)
			ops = append(ops, storage.Op{
				Kind: storage.OpUpsert, ID: id,
				Source: fmt.Appendf(nil, `{"w%d":1}`, w), Default: fmt.Appendf(nil, `{"w%d":1}`, w),
			})
		}
		results, err := f.Write(t.Context(), f.c, ops, storage.BulkOptions{RetryOnConflict: 1000})
		wantErr(t, "Write", err, nil)
		for _, r := range results {
			wantErr(t, "OpUpsert", r.Err, nil)
			if r.Created {
				created[w]++
			}
		}
	})
	total := 0
	for _, n := range created {
		total += n
	}
	if total != documents {
		t.Errorf("%d documents were created %d times", documents, total)
	}
	err := f.Scan(t.Context(), f.c, "", func(d storage.Document) bool {
		if m, _ := membersOf(d.Source); len(m) != workers || d.Version != workers {
			t.Errorf("%s has version %d after %d upserts: %s", d.ID, d.Version, workers, d.Source)
		}
		return true
	})
	wantErr(t, "Scan", err, nil)
}

// truncateWhileWriting: what is there afterwards is whole and counts from 1, and the index names nothing else.
func truncateWhileWriting(t *testing.T, f fixture) {
	together(workers, func(w int) {
		for i := range rounds {
			if w == 0 {
				wantErr(t, "Truncate", f.Truncate(t.Context(), f.c), nil)
				continue
			}
			a, b := fmt.Sprint(w, "-", i), fmt.Sprint(w, "-", i, "-twice")
			for i, r := range f.write(t,
				storage.Op{Kind: storage.OpPut, ID: a, Source: []byte(`{"k":"v"}`)},
				storage.Op{Kind: storage.OpPut, ID: b, Source: []byte(`{"k":"v"}`)},
				storage.Op{Kind: storage.OpUpdate, ID: b, Source: []byte(`{"k":"v"}`)},
			) {
				if i < 2 || !errors.Is(r.Err, kerror.ServicesStorageNotFound) { // Truncate may come between
					wantErr(t, "op", r.Err, nil)
				}
			}
		}
	})
	sameIDs(t, "Find", f.find(t, "k", "v"), f.scan(t, "")...)
	err := f.Scan(t.Context(), f.c, "", func(d storage.Document) bool {
		if d.Version > 1 && !strings.HasSuffix(d.ID, "-twice") {
			t.Errorf("%s has version %d", d.ID, d.Version)
		}
		return true
	})
	wantErr(t, "Scan", err, nil)
	wantErr(t, "Truncate", f.Truncate(t.Context(), f.c), nil)
	sameIDs(t, "Scan", f.scan(t, ""))
	sameIDs(t, "Find", f.find(t, "k", "v"))
}
