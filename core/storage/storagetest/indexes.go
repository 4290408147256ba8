package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testIndexes: making, listing and dropping.
func testIndexes(t *testing.T, open Open) {
	t.Run("Life", func(t *testing.T) { indexLife(t, setUp(t, open)) })
	t.Run("Names", func(t *testing.T) {
		f := setUp(t, open)
		for _, bad := range []string{"", "Upper", "a b", "a/b", "_all", "a.b", strings.Repeat("n", 127)} {
			wantErr(t, "CreateIndex "+bad, f.CreateIndex(t.Context(), storage.Public, bad), kerror.ServicesStorageInvalidIndexName)
			wantErr(t, "DropIndex "+bad, f.DropIndex(t.Context(), storage.Public, bad), kerror.ServicesStorageUnknownIndex)
		}
	})
	t.Run("Drop", func(t *testing.T) { dropIndex(t, setUp(t, open, "k")) })
	t.Run("Writing", func(t *testing.T) { dropIndexWhileWriting(t, setUp(t, open)) })
}

// indexes gives those of the test, without what they begin with.
func (f fixture) indexes(t *testing.T, s storage.Scope) []string {
	t.Helper()
	all, err := f.Indexes(t.Context(), s)
	wantErr(t, "Indexes", err, nil)
	var own []string
	for _, index := range all {
		if rest, ok := strings.CutPrefix(index, f.c.Index); ok {
			own = append(own, rest)
		}
	}
	return own
}

func indexLife(t *testing.T, f fixture) {
	ctx := t.Context()
	sameIDs(t, "Indexes after Ensure", f.indexes(t, storage.Public), "")
	wantErr(t, "CreateIndex of one that Ensure made", f.CreateIndex(ctx, storage.Public, f.c.Index), kerror.ServicesStorageIndexAlreadyExists)
	for _, name := range []string{"-b", "-a"} {
		wantErr(t, "CreateIndex", f.CreateIndex(ctx, storage.Public, f.c.Index+name), nil)
	}
	wantErr(t, "second CreateIndex", f.CreateIndex(ctx, storage.Public, f.c.Index+"-a"), kerror.ServicesStorageIndexAlreadyExists)
	wantErr(t, "CreateIndex", f.CreateIndex(ctx, storage.Internal, f.c.Index+"-a"), nil)
	sameIDs(t, "Indexes", f.indexes(t, storage.Public), "", "-a", "-b")
	sameIDs(t, "Indexes of the internal scope", f.indexes(t, storage.Internal), "-a")
	list, err := f.List(ctx, storage.Public)
	wantErr(t, "List", err, nil)
	if slices.ContainsFunc(list, func(c storage.Collection) bool { return c.Index == f.c.Index+"-a" }) {
		t.Error("an empty index has a collection")
	}

	inEmpty := storage.Collection{Index: f.c.Index + "-a", Name: "c"}
	_, err = f.Get(ctx, inEmpty, "a")
	wantErr(t, "Get from an empty index", err, kerror.ServicesStorageUnknownCollection)
	wantErr(t, "Ensure", f.Ensure(ctx, inEmpty, storage.Spec{}), nil)
	wantErr(t, "Drop", f.Drop(ctx, inEmpty), nil)
	sameIDs(t, "Indexes after Drop of the last collection", f.indexes(t, storage.Public), "", "-a", "-b")

	wantErr(t, "DropIndex", f.DropIndex(ctx, storage.Public, f.c.Index+"-a"), nil)
	wantErr(t, "second DropIndex", f.DropIndex(ctx, storage.Public, f.c.Index+"-a"), kerror.ServicesStorageUnknownIndex)
	_, err = f.Get(ctx, inEmpty, "a")
	wantErr(t, "Get from a dropped index", err, kerror.ServicesStorageUnknownIndex)
	sameIDs(t, "Indexes after DropIndex", f.indexes(t, storage.Public), "", "-b")
	sameIDs(t, "Indexes of the internal scope", f.indexes(t, storage.Internal), "-a")
}

func dropIndex(t *testing.T, f fixture) {
	ctx := t.Context()
	longer := fixture{f.Engine, storage.Collection{Scope: f.c.Scope, Index: f.c.Index + "-longer", Name: f.c.Name}}
	internal := fixture{f.Engine, storage.Collection{Scope: storage.Internal, Index: f.c.Index, Name: f.c.Name}}
	second := fixture{f.Engine, f.sibling("second")}
	for _, g := range []fixture{f, longer, internal, second} {
		wantErr(t, "Ensure", f.Ensure(ctx, g.c, storage.Spec{Keywords: []string{"k"}}), nil)
		g.put(t, "a", `{"k":"x"}`)
	}
	wantErr(t, "DropIndex", f.DropIndex(ctx, f.c.Scope, f.c.Index), nil)
	for _, g := range []fixture{f, second} {
		_, err := f.Get(ctx, g.c, "a")
		wantErr(t, "Get", err, kerror.ServicesStorageUnknownIndex)
		wantErr(t, "Drop", f.Drop(ctx, g.c), kerror.ServicesStorageUnknownCollection)
	}
	for _, g := range []fixture{longer, internal} {
		sameIDs(t, "Find in what stays", g.find(t, "k", "x"), "a")
	}
	wantErr(t, "Ensure", f.Ensure(ctx, f.c, storage.Spec{Keywords: []string{"k"}}), nil)
	sameIDs(t, "Scan of the collection made again", f.scan(t, ""))
	sameIDs(t, "Find in the collection made again", f.find(t, "k", "x"))
	_, err := f.Get(ctx, second.c, "a")
	wantErr(t, "Get from the other collection", err, kerror.ServicesStorageUnknownCollection)
}

// dropIndexWhileWriting drops the index and makes it again while documents are written to two of its collections.
func dropIndexWhileWriting(t *testing.T, f fixture) {
	places := []storage.Collection{f.c, f.sibling("other")}
	together(workers, func(w int) {
		for i := range rounds {
			if w == 0 {
				if err := f.DropIndex(t.Context(), f.c.Scope, f.c.Index); err != nil {
					t.Errorf("DropIndex: %v", err)
				}
				for _, c := range places {
					wantErr(t, "Ensure", f.Ensure(t.Context(), c, storage.Spec{Keywords: []string{"k"}}), nil)
				}
				continue
			}
			_, _, err := f.Put(t.Context(), places[i%2], fmt.Sprint(w, "-", i), []byte(`{"k":"v"}`), storage.WriteOptions{})
			if err != nil && !gone(err) {
				t.Errorf("Put: %v", err)
			}
		}
	})
	wantErr(t, "DropIndex", f.DropIndex(t.Context(), f.c.Scope, f.c.Index), nil)
	for _, c := range places {
		wantErr(t, "Ensure", f.Ensure(t.Context(), c, storage.Spec{Keywords: []string{"k"}}), nil)
		sameIDs(t, "Scan", fixture{f.Engine, c}.scan(t, ""))
		sameIDs(t, "Find", fixture{f.Engine, c}.find(t, "k", "v"))
	}
}

// gone reports whether err says that the address does not exist.
func gone(err error) bool {
	return errors.Is(err, kerror.ServicesStorageUnknownIndex) || errors.Is(err, kerror.ServicesStorageUnknownCollection)
}
