// Package storagetest is the conformance suite of storage.Engine, and what other tests need of engines (Faulty).
//
//	func TestConformance(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) storage.Engine { return open(t) })
//	}
//
// It is not for what only one engine promises: durability, file formats and back-ends are tested beside the engine. Only
// tests import it.
package storagetest

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
)

// Open gives an engine to test. It may be a fresh one or one that has data, since the suite works in indexes of its own.
// It must register its own Close with t.Cleanup, and bear that the suite has closed the engine before.
type Open func(t *testing.T) storage.Engine

// Run checks every method and every error of the seam.
func Run(t *testing.T, open Open) {
	for _, group := range []struct {
		name string
		test func(*testing.T, Open)
	}{
		{"Documents", testDocuments},
		{"Refusals", testRefusals},
		{"Versions", testVersions},
		{"Update", testUpdate},
		{"Find", testFind},
		{"Scan", testScan},
		{"Collections", testCollections},
		{"Indexes", testIndexes},
		{"Bulk", testBulk},
		{"Load", testLoad},
		{"Mapping", testMapping},
		{"Concurrency", testConcurrency},
		{"Search", testSearch},
		{"Life", testLife},
		{"Random", testRandom},
	} {
		t.Run(group.name, func(t *testing.T) { group.test(t, open) })
	}
	for _, c := range Comparisons() {
		t.Run(c.Name, func(t *testing.T) { c.replay(t, open) })
	}
}

// fixture is an engine with one collection of its own.
type fixture struct {
	storage.Engine
	c storage.Collection
}

// setUp makes the collection in an index that nobody else has, and drops what is left in that index in the end.
func setUp(t *testing.T, open Open, keywords ...string) fixture {
	t.Helper()
	f := fixture{Engine: open(t), c: storage.Collection{Scope: storage.Public, Index: "suite-" + strings.ToLower(rand.Text()), Name: "things"}}
	if err := f.Ensure(t.Context(), f.c, storage.Spec{Keywords: keywords}); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	t.Cleanup(func() { f.clear(context.Background()) })
	return f
}

// clear drops what a test made. It reports nothing: the engine may be closed.
func (f fixture) clear(ctx context.Context) {
	for _, s := range []storage.Scope{storage.Public, storage.Internal} {
		all, _ := f.Indexes(ctx, s)
		for _, index := range all {
			if strings.HasPrefix(index, f.c.Index) {
				_ = f.DropIndex(ctx, s, index)
			}
		}
	}
}

// sibling is another collection of the same index.
func (f fixture) sibling(name string) storage.Collection {
	c := f.c
	c.Name = name
	return c
}

// put writes a document that nothing keeps from being written.
func (f fixture) put(t *testing.T, id, source string) storage.Document {
	t.Helper()
	doc, _, err := f.Put(t.Context(), f.c, id, []byte(source), storage.WriteOptions{})
	if err != nil {
		t.Errorf("Put(%q): %v", id, err)
	}
	return doc
}

// scan gives the ids behind after.
func (f fixture) scan(t *testing.T, after string) []string {
	t.Helper()
	var ids []string
	err := f.Scan(t.Context(), f.c, after, func(d storage.Document) bool {
		ids = append(ids, d.ID)
		return true
	})
	if err != nil {
		t.Fatalf("Scan after %q: %v", after, err)
	}
	return ids
}

// find gives the ids that Find answers with.
func (f fixture) find(t *testing.T, field, value string) []string {
	t.Helper()
	docs, err := f.Find(t.Context(), f.c, field, value, 1000)
	if err != nil {
		t.Fatalf("Find(%s, %q): %v", field, value, err)
	}
	return idsOf(docs)
}

func idsOf(docs []storage.Document) []string {
	var ids []string
	for _, d := range docs {
		ids = append(ids, d.ID)
	}
	return ids
}

func sameIDs(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s gave %q, want %q", what, got, want)
	}
}
