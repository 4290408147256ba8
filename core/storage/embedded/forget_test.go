package embedded

import (
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
)

// A Delete that forgets leaves no key behind but those of the log, which goes in time; one that does not leaves one.
func TestDeleteThatForgets(t *testing.T) {
	for _, forget := range []bool{true, false} {
		e, err := Open(t.Context(), Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		c := storage.Collection{Scope: storage.Internal, Index: "i", Name: "c"}
		if err := e.Ensure(t.Context(), c, storage.Spec{Keywords: []string{"k"}}); err != nil {
			t.Fatal(err)
		}
		before := count(t, e)
		if _, err := e.Create(t.Context(), c, "a", []byte(`{"k":"v"}`), storage.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := e.Delete(t.Context(), c, "a", storage.WriteOptions{Forget: forget}); err != nil {
			t.Fatal(err)
		}
		if left := count(t, e) - before; left != map[bool]int{true: 0, false: 1}[forget] {
			t.Errorf("forget %v leaves %d keys", forget, left)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func count(t *testing.T, e *Engine) int {
	t.Helper()
	it, err := e.db.NewIter(&pebble.IterOptions{UpperBound: []byte{spaceLog}})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	n := 0
	for it.First(); it.Valid(); it.Next() {
		n++
	}
	return n
}
