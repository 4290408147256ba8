package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testFind: exact look-ups follow every write at once.
func testFind(t *testing.T, open Open) {
	t.Run("Follows", func(t *testing.T) { findFollows(t, setUp(t, open, "k", "l")) })
	t.Run("Values", func(t *testing.T) { findValues(t, setUp(t, open, "k")) })
	t.Run("Limit", func(t *testing.T) {
		f := setUp(t, open, "k")
		for i := range 20 {
			f.put(t, fmt.Sprintf("%02d", i), `{"k":"v"}`)
		}
		docs, err := f.Find(t.Context(), f.c, "k", "v", 3)
		wantErr(t, "Find", err, nil)
		sameIDs(t, "Find", idsOf(docs), "00", "01", "02")
		for _, limit := range []int{0, -1} {
			_, err := f.Find(t.Context(), f.c, "k", "v", limit)
			wantErr(t, "Find without limit", err, kerror.ServicesStorageInvalidArgument)
		}
		_, err = f.Find(t.Context(), f.c, "other", "v", 1)
		wantErr(t, "Find by another field", err, kerror.ServicesStorageInvalidArgument)
	})
}

func findFollows(t *testing.T, f fixture) {
	ctx := t.Context()
	f.put(t, "b", `{"k":"x","l":"y","n":1}`)
	f.put(t, "a", `{"k":["x","z","x"]}`)
	f.put(t, "c", `{"k":"xx"}`)
	sameIDs(t, "k=x", f.find(t, "k", "x"), "a", "b")
	sameIDs(t, "k=z", f.find(t, "k", "z"), "a")
	sameIDs(t, "l=y", f.find(t, "l", "y"), "b")
	sameIDs(t, "l=x", f.find(t, "l", "x"))

	docs, err := f.Find(ctx, f.c, "l", "y", 5)
	wantErr(t, "Find", err, nil)
	if len(docs) == 1 {
		wantDocument(t, "Find", docs[0], "b", 1, `{"k":"x","l":"y","n":1}`)
	}
	_, err = f.Update(ctx, f.c, "b", []byte(`{"k":"w"}`), storage.UpdateOptions{})
	wantErr(t, "Update", err, nil)
	sameIDs(t, "k=x after Update", f.find(t, "k", "x"), "a")
	sameIDs(t, "k=w after Update", f.find(t, "k", "w"), "b")
	sameIDs(t, "l=y after Update", f.find(t, "l", "y"), "b")
	_, err = f.Replace(ctx, f.c, "a", []byte(`{"k":["z"]}`), storage.WriteOptions{})
	wantErr(t, "Replace", err, nil)
	sameIDs(t, "k=x after Replace", f.find(t, "k", "x"))
	sameIDs(t, "k=z after Replace", f.find(t, "k", "z"), "a")
	wantErr(t, "Delete", f.Delete(ctx, f.c, "a", storage.WriteOptions{}), nil)
	sameIDs(t, "k=z after Delete", f.find(t, "k", "z"))
	_, err = f.Create(ctx, f.c, "b", []byte(`{"k":"never"}`), storage.WriteOptions{})
	wantErr(t, "refused Create", err, kerror.ServicesStorageDocumentAlreadyExists)
	sameIDs(t, "k=never", f.find(t, "k", "never"))
}

// findValues: texts are compared byte by byte, whatever is in them and however long they are.
func findValues(t *testing.T, f fixture) {
	long := strings.Repeat("l", 256)
	values := []string{
		"", " ", "a", "ab", "A", "é", "e\u0301", "\x00", "\x00\x00", "a\x00", "\u00ff", "x,y", `"`, `\`,
		long, long + "l", long + "m", strings.Repeat("m", 70_000), strings.Repeat("n", 1<<20),
	}
	for i, v := range values {
		f.put(t, fmt.Sprintf("%02d", i), fmt.Sprintf(`{"k":%s}`, quote(v)))
	}
	f.put(t, "other", `{"k":1,"x":"a"}`)
	f.put(t, "nested", `{"k":{"k":"a"},"o":{"k":"a"}}`)
	f.put(t, "empty", `{"k":[]}`)
	f.put(t, "null", `{"k":null}`)
	f.put(t, "deep", `{"k":[["a"],{"k":"a"}]}`)
	for i, v := range values {
		sameIDs(t, fmt.Sprintf("value %d", i), f.find(t, "k", v), fmt.Sprintf("%02d", i))
	}
	for _, v := range []string{"1", "null", "b", strings.Repeat("l", 258), strings.Repeat("l", 255)} {
		sameIDs(t, "absent value", f.find(t, "k", v))
	}
}

// testScan: ordered, consistent, and no obstacle to writing.
func testScan(t *testing.T, open Open) {
	f := setUp(t, open)
	for _, id := range []string{"b", "a", "c", "aa", "B", "é"} {
		f.put(t, id, `{}`)
	}
	wantErr(t, "Delete", f.Delete(t.Context(), f.c, "c", storage.WriteOptions{}), nil)
	sameIDs(t, "Scan", f.scan(t, ""), "B", "a", "aa", "b", "é")
	sameIDs(t, "Scan after a", f.scan(t, "a"), "aa", "b", "é")
	sameIDs(t, "Scan after an absent id", f.scan(t, "ab"), "b", "é")
	sameIDs(t, "Scan after the last", f.scan(t, "é"))

	visited := 0
	wantErr(t, "Scan", f.Scan(t.Context(), f.c, "", func(storage.Document) bool { visited++; return visited < 2 }), nil)
	if visited != 2 {
		t.Errorf("visit said stop at 2 and was called %d times", visited)
	}
	t.Run("Writing", func(t *testing.T) {
		var ids []string
		err := f.Scan(t.Context(), f.c, "", func(d storage.Document) bool {
			ids = append(ids, d.ID)
			wantErr(t, "Delete in visit", f.Delete(t.Context(), f.c, d.ID, storage.WriteOptions{}), nil)
			f.put(t, "new-"+d.ID, string(d.Source))
			return true
		})
		wantErr(t, "Scan", err, nil)
		sameIDs(t, "Scan", ids, "B", "a", "aa", "b", "é")
		sameIDs(t, "Scan afterwards", f.scan(t, ""), "new-B", "new-a", "new-aa", "new-b", "new-é")
	})
	t.Run("Cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := f.Scan(ctx, f.c, "", func(storage.Document) bool { cancel(); return true })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Scan cancelled by visit: %v", err)
		}
	})
}
