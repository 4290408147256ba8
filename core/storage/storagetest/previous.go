package storagetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// wantPrevious compares what an op found; no source is nothing.
func wantPrevious(t *testing.T, what string, r storage.OpResult, source jsontext.Value) {
	t.Helper()
	if same := r.Previous == nil && len(source) == 0 || sameJSON(r.Previous, source); !same {
		t.Errorf("%s found %s, want %s", what, r.Previous, source)
	}
}

// previous: every kind of op tells what it found, also when an op of the same Write left it, and only when it is asked.
func previous(t *testing.T, f fixture) {
	f.put(t, "there", `{"n":0}`)
	steps := []struct {
		op       storage.Op
		previous string
		err      *kerror.Def
	}{
		{op: storage.Op{Kind: storage.OpPut, ID: "there", Source: []byte(`{"n":1}`)}, previous: `{"n":0}`},
		{op: storage.Op{Kind: storage.OpUpdate, ID: "there", Source: []byte(`{"m":2}`)}, previous: `{"n":1}`},
		{op: storage.Op{Kind: storage.OpReplace, ID: "there", Source: []byte(`{"n":3}`)}, previous: `{"m":2,"n":1}`},
		{op: storage.Op{Kind: storage.OpUpsert, ID: "there", Source: []byte(`{"n":4}`), Default: []byte(`{}`)}, previous: `{"n":3}`},
		{op: storage.Op{Kind: storage.OpCreate, ID: "there", Source: []byte(`{}`)}, err: kerror.ServicesStorageDocumentAlreadyExists},
		{op: storage.Op{Kind: storage.OpDelete, ID: "there"}, previous: `{"n":4}`},
		{op: storage.Op{Kind: storage.OpUpdate, ID: "there", Source: []byte(`{}`)}, err: kerror.ServicesStorageNotFound},
		{op: storage.Op{Kind: storage.OpUpsert, ID: "there", Source: []byte(`{}`), Default: []byte(`{"n":5}`)}},
		{op: storage.Op{Kind: storage.OpPut, ID: "there", Source: []byte(`{"n":6}`), IfVersion: 99}, err: kerror.ServicesStorageTooManyChanges},
		{op: storage.Op{Kind: storage.OpPut, ID: "put", Source: []byte(`{"n":7}`)}},
		{op: storage.Op{Kind: storage.OpCreate, ID: "created", Source: []byte(`{"n":8}`)}},
		{op: storage.Op{Kind: storage.OpPut, ID: "created", Source: []byte(`{"n":9}`)}, previous: `{"n":8}`},
	}
	ops := make([]storage.Op, len(steps))
	for i, s := range steps {
		ops[i] = s.op
	}
	results, err := f.Write(t.Context(), f.c, ops, storage.BulkOptions{Previous: true})
	wantErr(t, "Write", err, nil)
	for i, r := range results {
		what := fmt.Sprintf("op %d, %d of %q", i, ops[i].Kind, ops[i].ID)
		wantErr(t, what, r.Err, steps[i].err)
		wantPrevious(t, what, r, jsontext.Value(steps[i].previous))
	}
	for _, r := range f.write(t,
		storage.Op{Kind: storage.OpPut, ID: "put", Source: []byte(`{}`)}, storage.Op{Kind: storage.OpDelete, ID: "put"},
	) {
		wantErr(t, "op", r.Err, nil)
		wantPrevious(t, "who did not ask", r, nil)
	}
}

// wantGone compares the result of a deletion, which has the source only for who asked what was there.
func wantGone(t *testing.T, what string, r storage.OpResult, id string, version int64) {
	t.Helper()
	if d := r.Document; d.ID != id || d.Version != version || string(d.Source) != string(r.Previous) {
		t.Errorf("%s took away %q version %d %s, want %q version %d %s", what, d.ID, d.Version, d.Source, id, version, r.Previous)
	}
}

// previousOfAll: of writes that meet on one document, each finds what the one before it left, and none fails for the others.
func previousOfAll(t *testing.T, f fixture) {
	var mu sync.Mutex
	var all []storage.OpResult
	together(workers, func(w int) {
		for i := range rounds {
			source := fmt.Appendf(nil, `{"w%d":%d}`, w, i)
			op := storage.Op{Kind: storage.OpUpsert, ID: "one", Source: source, Default: source}
			switch i % 3 {
			case 0:
				op.Kind = storage.OpPut
			case 1:
				op.Kind = storage.OpDelete
			}
			results, err := f.Write(t.Context(), f.c, []storage.Op{op}, storage.BulkOptions{Previous: true})
			wantErr(t, "Write", err, nil)
			if op.Kind == storage.OpDelete && errorID(results[0].Err) != "" {
				wantErr(t, "OpDelete", results[0].Err, kerror.ServicesStorageNotFound)
				continue
			}
			wantErr(t, "op", results[0].Err, nil)
			mu.Lock()
			all = append(all, results[0])
			mu.Unlock()
		}
	})
	left := map[int64]jsontext.Value{} // what the write that gave a version left
	for _, r := range all {
		if deleted := sameJSON(r.Previous, r.Document.Source); !deleted {
			left[r.Document.Version] = r.Document.Source
		}
	}
	for _, r := range all {
		found := r.Document.Version - 1
		if sameJSON(r.Previous, r.Document.Source) {
			found++
		}
		if r.Created {
			wantPrevious(t, "a creation", r, nil)
		} else {
			wantPrevious(t, fmt.Sprintf("the write after version %d", found), r, left[found])
		}
	}
}
