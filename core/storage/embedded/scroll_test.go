package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func openScroll(t *testing.T, e *Engine, body string, size int, keep time.Duration) (storage.Found, error) {
	t.Helper()
	return e.Search(t.Context(), storage.Search{Targets: []storage.Collection{things}, Body: []byte(body), Size: size, Scroll: keep})
}

// TestScrollKeepsItsMoment: whatever is written, merged or dropped, a scroll gives what was there when it began.
func TestScrollKeepsItsMoment(t *testing.T) {
	e := openedFew(t, t.TempDir(), nil)
	must(t, e.Ensure(t.Context(), things, storage.Spec{Mapping: []byte(`{"properties":{"n":{"type":"long"}}}`)}))
	want := map[string]string{}
	for i := range 100 {
		source := fmt.Sprintf(`{"n":%d}`, i)
		put(t, e, fmt.Sprint(i), source)
		want[fmt.Sprint(i)] = source
	}
	r := rand.New(rand.NewPCG(14, 15))
	for _, body := range []string{`{}`, `{"sort":[{"n":"desc"}]}`} {
		found, err := openScroll(t, e, body, 7, time.Minute)
		must(t, err)
		got := map[string]string{}
		for page := 0; ; page++ {
			for _, h := range found.Hits {
				if got[h.ID] != "" {
					t.Errorf("%q comes twice", h.ID)
				}
				got[h.ID] = string(h.Source)
			}
			if found.Total != 100 || found.Remaining != 100-len(got) {
				t.Errorf("after %d hits: total %d, remaining %d", len(got), found.Total, found.Remaining)
			}
			if found.Remaining == 0 {
				break
			}
			for range 5 {
				randomWrite(t, e, r, 150)
			}
			if page == 5 {
				must(t, e.Truncate(t.Context(), things))
			}
			found, err = e.NextHits(t.Context(), storage.Public, found.Scroll, 0)
			must(t, err)
		}
		for id, source := range want {
			if got[id] != source {
				t.Errorf("%s: found %q, it was %q", id, got[id], source)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d hits", len(got))
		}
		if _, err := e.NextHits(t.Context(), storage.Public, found.Scroll, 0); !errors.Is(err, kerror.ServicesStorageUnknownScrollID) {
			t.Errorf("after the last hit: %v", err)
		}
		must(t, e.Truncate(t.Context(), things))
		for id, source := range want {
			put(t, e, id, source)
		}
	}
	checkFiles(t, e)
}

func TestScrollRefusals(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	for i := range 10 {
		put(t, e, fmt.Sprint(i), `{}`)
	}
	found, err := openScroll(t, e, `{}`, 2, time.Minute)
	must(t, err)
	for what, err := range map[string]error{
		"another scope": scrollError(e, storage.Internal, found.Scroll),
		"unknown":       scrollError(e, storage.Public, "nonsense"),
		"empty":         scrollError(e, storage.Public, ""),
	} {
		if !errors.Is(err, kerror.ServicesStorageUnknownScrollID) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, scrollError(e, storage.Public, found.Scroll))
	for range maxScrolls - 1 {
		_, err := openScroll(t, e, `{}`, 2, time.Minute)
		must(t, err)
	}
	if _, err := openScroll(t, e, `{}`, 2, time.Minute); !errors.Is(err, kerror.ServicesStorageTooManyScrolls) {
		t.Errorf("one scroll too many: %v", err)
	}
}

func scrollError(e *Engine, scope storage.Scope, name string) error {
	_, err := e.NextHits(context.Background(), scope, name, 0)
	return err
}

// TestScrollExpires: a scroll that nobody reads goes away by itself, one that is read lives on.
func TestScrollExpires(t *testing.T) {
	e := withThings(t, vfs.NewMem())
	for i := range 100 {
		put(t, e, fmt.Sprint(i), `{}`)
	}
	short, err := openScroll(t, e, `{}`, 1, time.Nanosecond)
	must(t, err)
	eventually(t, "the scroll lives on", func() bool { return e.scrolls.find(short.Scroll) == nil })
	if err := scrollError(e, storage.Public, short.Scroll); !errors.Is(err, kerror.ServicesStorageUnknownScrollID) {
		t.Errorf("after its time: %v", err)
	}
	long, err := openScroll(t, e, `{}`, 1, time.Minute)
	must(t, err)
	_, err = e.NextHits(t.Context(), storage.Public, long.Scroll, time.Nanosecond)
	must(t, err)
	eventually(t, "the scroll lives on", func() bool { return e.scrolls.find(long.Scroll) == nil })
	_, err = openScroll(t, e, `{}`, 1, time.Hour) // Close has to see to it
	must(t, err)
}

// TestScrollBodies: the requests of scrolls count as memory that they need.
func TestScrollBodies(t *testing.T) {
	e, err := Open(t.Context(), Options{Dir: "data", Logger: quiet, FS: vfs.NewMem(), IndexBytes: 4 << 20})
	must(t, err)
	t.Cleanup(func() { _ = e.Close() })
	must(t, e.Ensure(t.Context(), things, storage.Spec{}))
	put(t, e, "a", `{}`)
	put(t, e, "b", `{}`)
	large := `{"query":{"bool":{"must_not":{"ids":{"values":["` + strings.Repeat("x", 100_000) + `"]}}}}}`
	opened := 0
	for ; err == nil && opened < maxScrolls; opened++ {
		_, err = openScroll(t, e, large, 1, time.Minute)
	}
	if !errors.Is(err, kerror.ServicesStorageTooManyScrolls) || opened == 1 {
		t.Errorf("after %d scrolls with large requests: %v", opened, err)
	}
}

// TestScrollMemory: scrolls that pin memories that are files long since are refused when there are too many.
func TestScrollMemory(t *testing.T) {
	e, err := Open(t.Context(), Options{Dir: "data", Logger: quiet, FS: vfs.NewMem(), IndexBytes: 1 << 16, IndexDocuments: few})
	must(t, err)
	t.Cleanup(func() { _ = e.Close() })
	must(t, e.Ensure(t.Context(), things, storage.Spec{}))
	for i := range maxScrolls {
		for j := range few {
			put(t, e, fmt.Sprint(i, j), `{}`)
		}
		if _, err := openScroll(t, e, `{}`, 1, time.Minute); err != nil {
			if !errors.Is(err, kerror.ServicesStorageTooManyScrolls) || len(e.scrolls.open) == maxScrolls {
				t.Errorf("with %d scrolls: %v", len(e.scrolls.open), err)
			}
			return
		}
	}
	t.Error("no scroll was refused")
}
