package elastic

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestConcurrentWriters: of two nodes that change one document, none overwrites what the other did unseen, and the one that
// does not want to try again is told.
func TestConcurrentWriters(t *testing.T) {
	nodes := []*Engine{opened(t), opened(t)}
	c := fresh(t, nodes[0])
	ensure(t, nodes[0], c, "")
	if err := put(t, nodes[0], c, `{}`); err != nil {
		t.Fatal(err)
	}
	const writes = 20
	var refused atomic.Int64
	var all sync.WaitGroup
	for i, e := range nodes {
		all.Go(func() {
			for n := range writes {
				partial := fmt.Appendf(nil, `{"node%d-%d":true}`, i, n)
				_, err := e.Update(t.Context(), c, "a", partial, storage.UpdateOptions{RetryOnConflict: 1000})
				if err != nil {
					t.Errorf("Update: %v", err)
				}
				doc, err := e.Get(t.Context(), c, "a")
				if err != nil {
					t.Errorf("Get: %v", err)
					continue
				}
				_, err = e.Update(t.Context(), c, "a", []byte(`{"seen":true}`), storage.UpdateOptions{WriteOptions: storage.WriteOptions{IfVersion: doc.Version}})
				if errors.Is(err, kerror.ServicesStorageTooManyChanges) {
					refused.Add(1)
				} else if err != nil {
					t.Errorf("Update of a version: %v", err)
				}
			}
		})
	}
	all.Wait()
	doc, err := nodes[0].Get(t.Context(), c, "a")
	if err != nil {
		t.Fatal(err)
	}
	var fields members
	if err := decode(doc.Source, &fields); err != nil {
		t.Fatal(err)
	}
	if done := 1 + 2*writes + 2*writes - refused.Load(); doc.Version != done || len(fields) != 2*writes+1 {
		t.Errorf("version %d with %d fields, of %d writes", doc.Version, len(fields), done)
	}
}

// TestHalfFailedBulk: what Elasticsearch refuses of many documents has its own error, also when the mapping that this node
// remembers would take it; the others are written.
func TestHalfFailedBulk(t *testing.T) {
	one, two := opened(t), opened(t)
	c := fresh(t, one)
	ensure(t, one, c, `{"dynamic":"false","properties":{"n":{"type":"keyword"}}}`)
	if err := put(t, one, c, `{"m":"text"}`); err != nil { // the mapping is known now
		t.Fatal(err)
	}
	ensure(t, two, c, `{"properties":{"m":{"type":"long"}}}`)
	results, err := one.Write(t.Context(), c, []storage.Op{
		{Kind: storage.OpCreate, ID: "1", Source: []byte(`{"m":1}`)},
		{Kind: storage.OpCreate, ID: "2", Source: []byte(`{"m":"text"}`)},
		{Kind: storage.OpCreate, ID: "a", Source: []byte(`{"m":2}`)},
		{Kind: storage.OpReplace, ID: "none", Source: []byte(`{"m":3}`)},
		{Kind: storage.OpPut, ID: "3", Source: []byte(`{"m":4}`)},
	}, storage.BulkOptions{Refresh: storage.RefreshWaitFor})
	if err != nil || len(results) != 5 {
		t.Fatalf("Write gave %v, %v", results, err)
	}
	for i, want := range []*kerror.Def{
		nil, kerror.ServicesStorageUnexpectedBadRequest, kerror.ServicesStorageDocumentAlreadyExists, kerror.ServicesStorageNotFound, nil,
	} {
		if want != nil {
			wantErr(t, fmt.Sprint("op ", i), results[i].Err, want)
		} else if results[i].Err != nil {
			t.Errorf("op %d: %v", i, results[i].Err)
		}
	}
	if n, err := one.Count(t.Context(), []storage.Collection{c}, nil); err != nil || n != 3 {
		t.Errorf("there are %d documents, %v", n, err)
	}
}
