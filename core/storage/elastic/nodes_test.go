package elastic

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func wantErr(t *testing.T, what string, err error, def *kerror.Def) {
	t.Helper()
	if !errors.Is(err, def) {
		t.Errorf("%s: %v, want %s", what, err, def.ID)
	}
}

// fresh names a collection that nobody else has; its index is dropped in the end.
func fresh(t *testing.T, e *Engine) storage.Collection {
	t.Helper()
	c := storage.Collection{Index: "test-" + strings.ToLower(rand.Text()), Name: "things"}
	t.Cleanup(func() { _ = e.DropIndex(context.Background(), c.Scope, c.Index) })
	return c
}

func ensure(t *testing.T, e *Engine, c storage.Collection, mapping string) {
	t.Helper()
	spec := storage.Spec{}
	if mapping != "" {
		spec.Mapping = []byte(mapping)
	}
	if err := e.Ensure(t.Context(), c, spec); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
}

func put(t *testing.T, e *Engine, c storage.Collection, source string) error {
	t.Helper()
	_, _, err := e.Put(t.Context(), c, "a", []byte(source), storage.WriteOptions{})
	return err
}

// TestTwoNodes: what one node does to a collection holds for the other at once, which knows how it was before.
func TestTwoNodes(t *testing.T) {
	one, two, ctx := opened(t), opened(t), t.Context()
	c := fresh(t, one)
	ensure(t, one, c, `{"dynamic":"strict","properties":{"n":{"type":"long"}}}`)
	for _, e := range []*Engine{one, two} {
		if err := put(t, e, c, `{"n":1}`); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, "Put of an unknown field", put(t, two, c, `{"m":1}`), kerror.ServicesStorageStrictMappingRejection)
	ensure(t, one, c, `{"properties":{"m":{"type":"long"}}}`)
	if err := put(t, two, c, `{"m":1}`); err != nil {
		t.Errorf("Put of a field that the other node has added: %v", err)
	}
	ensure(t, one, c, `{"dynamic":"false"}`)
	if err := put(t, two, c, `{"x":1}`); err != nil {
		t.Errorf("Put once the other node has allowed it: %v", err)
	}
	ensure(t, one, c, `{"dynamic":"strict"}`)
	wantErr(t, "Put once the other node has forbidden it", put(t, two, c, `{"x":1}`), kerror.ServicesStorageStrictMappingRejection)

	if err := one.Truncate(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := put(t, two, c, `{"n":2}`); err != nil {
		t.Errorf("Put after the other node's Truncate: %v", err)
	}
	if doc, err := one.Get(ctx, c, "a"); err != nil || doc.Version != 1 {
		t.Errorf("Get gave %+v, %v", doc, err)
	}
	if err := one.Drop(ctx, c); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Put after the other node's Drop", put(t, two, c, `{"n":1}`), kerror.ServicesStorageUnknownCollection)
	_, err := two.Search(ctx, storage.Search{Targets: []storage.Collection{c}, Size: 1})
	wantErr(t, "Search after the other node's Drop", err, kerror.ServicesStorageUnknownCollection)
	ensure(t, two, c, `{"properties":{"n":{"type":"keyword"}}}`)
	if err := put(t, one, c, `{"n":"text"}`); err != nil {
		t.Errorf("Put into the collection that the other node made again: %v", err)
	}
	if err := one.DropIndex(ctx, c.Scope, c.Index); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Put after the other node's DropIndex", put(t, two, c, `{"n":"x"}`), kerror.ServicesStorageUnknownIndex)
}

// TestMakingTogether: nodes that make the same collections at the same time, with other keywords, end with all of them.
func TestMakingTogether(t *testing.T) {
	nodes := []*Engine{opened(t), opened(t), opened(t)}
	c := fresh(t, nodes[0])
	done := make(chan error)
	for i, e := range nodes {
		go func() {
			done <- e.Ensure(t.Context(), c, storage.Spec{Keywords: []string{"all", string(rune('a' + i))}})
		}()
	}
	for range nodes {
		if err := <-done; err != nil {
			t.Errorf("Ensure: %v", err)
		}
	}
	spec, err := nodes[0].Describe(t.Context(), c)
	if err != nil || len(spec.Keywords) != 4 {
		t.Errorf("the keywords are %q, %v", spec.Keywords, err)
	}
	list, err := nodes[0].places(t.Context(), c.Scope, c.Index)
	if err != nil || len(list) != 1 {
		t.Errorf("there are %v, %v", list, err)
	}
}
