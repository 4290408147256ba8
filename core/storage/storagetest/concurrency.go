package storagetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testConcurrency: no write is lost, none is torn.
func testConcurrency(t *testing.T, open Open) {
	t.Run("Counter", func(t *testing.T) { counter(t, setUp(t, open)) })
	t.Run("Update", func(t *testing.T) { updates(t, setUp(t, open, "k")) })
	t.Run("Previous", func(t *testing.T) { previousOfAll(t, setUp(t, open)) })
	t.Run("Create", func(t *testing.T) { oneCreator(t, setUp(t, open)) })
	t.Run("Ensure", func(t *testing.T) { ensureWhileWriting(t, setUp(t, open)) })
	t.Run("Drop", func(t *testing.T) { dropWhileWriting(t, setUp(t, open)) })
}

const workers, rounds = 8, 25

// counter is read, raised and written back with IfVersion by all.
func counter(t *testing.T, f fixture) {
	f.put(t, "n", `{"n":0}`)
	together(workers, func(int) {
		for done := 0; done < rounds; {
			doc, err := f.Get(t.Context(), f.c, "n")
			wantErr(t, "Get", err, nil)
			next := fmt.Appendf(nil, `{"n":%d}`, number(t, doc.Source, "n")+1)
			_, err = f.Replace(t.Context(), f.c, "n", next, storage.WriteOptions{IfVersion: doc.Version})
			if errors.Is(err, kerror.ServicesStorageTooManyChanges) {
				continue
			}
			wantErr(t, "Replace", err, nil)
			done++
		}
	})
	doc, err := f.Get(t.Context(), f.c, "n")
	wantErr(t, "Get", err, nil)
	wantDocument(t, "the counter", doc, "n", workers*rounds+1, fmt.Sprintf(`{"n":%d}`, workers*rounds))
}

// updates of different fields of one document must all be in it.
func updates(t *testing.T, f fixture) {
	f.put(t, "u", `{}`)
	together(workers, func(w int) {
		for i := range rounds {
			partial := fmt.Appendf(nil, `{"k":"w%d","o":{"w%d":%d}}`, w, w, i)
			_, err := f.Update(t.Context(), f.c, "u", partial, storage.UpdateOptions{RetryOnConflict: 1000})
			wantErr(t, "Update", err, nil)
		}
	})
	doc, err := f.Get(t.Context(), f.c, "u")
	wantErr(t, "Get", err, nil)
	if doc.Version != workers*rounds+1 {
		t.Errorf("version %d after %d updates", doc.Version, workers*rounds)
	}
	found := 0
	for w := range workers {
		found += len(f.find(t, "k", fmt.Sprint("w", w)))
		if m, _ := membersOf(doc.Source); number(t, m["o"], fmt.Sprint("w", w)) != rounds-1 {
			t.Errorf("updates of worker %d are lost: %s", w, doc.Source)
		}
	}
	if found != 1 {
		t.Errorf("the document is found by %d values of one keyword", found)
	}
}

func oneCreator(t *testing.T, f fixture) {
	var mu sync.Mutex
	winners := map[string]int{}
	together(workers, func(int) {
		for i := range rounds {
			_, err := f.Create(t.Context(), f.c, fmt.Sprint(i), []byte(`{}`), storage.WriteOptions{})
			if errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
				continue
			}
			wantErr(t, "Create", err, nil)
			mu.Lock()
			winners[fmt.Sprint(i)]++
			mu.Unlock()
		}
	})
	for i := range rounds {
		if n := winners[fmt.Sprint(i)]; n != 1 {
			t.Errorf("document %d was created %d times", i, n)
		}
	}
}

// ensureWhileWriting adds a keyword while documents change; Find must agree with them afterwards.
func ensureWhileWriting(t *testing.T, f fixture) {
	for i := range 200 {
		f.put(t, fmt.Sprintf("%03d", i), `{"k":"before"}`)
	}
	together(workers, func(w int) {
		if w == 0 {
			wantErr(t, "Ensure", f.Ensure(t.Context(), f.c, storage.Spec{Keywords: []string{"k"}}), nil)
			return
		}
		for i := w; i < 200; i += workers {
			id := fmt.Sprintf("%03d", i)
			if i%3 == 0 {
				wantErr(t, "Delete", f.Delete(t.Context(), f.c, id, storage.WriteOptions{}), nil)
			} else {
				f.put(t, id, `{"k":"after"}`)
			}
		}
	})
	want := map[string][]string{}
	err := f.Scan(t.Context(), f.c, "", func(d storage.Document) bool {
		m, _ := membersOf(d.Source)
		want[string(m["k"])] = append(want[string(m["k"])], d.ID)
		return true
	})
	wantErr(t, "Scan", err, nil)
	for _, v := range []string{"before", "after"} {
		sameIDs(t, "Find of "+v, f.find(t, "k", v), want[quote(v)]...)
	}
}

// dropWhileWriting drops and makes the collection again while documents are written to it: a write succeeds or finds no
// collection, and nothing of it outlives the last Drop.
func dropWhileWriting(t *testing.T, f fixture) {
	together(workers, func(w int) {
		for i := range rounds {
			if w == 0 {
				wantErr(t, "Drop", f.Drop(t.Context(), f.c), nil)
				wantErr(t, "Ensure", f.Ensure(t.Context(), f.c, storage.Spec{Keywords: []string{"k"}}), nil)
				continue
			}
			_, _, err := f.Put(t.Context(), f.c, fmt.Sprint(w, "-", i), []byte(`{"k":"v"}`), storage.WriteOptions{})
			if err != nil && !errors.Is(err, kerror.ServicesStorageUnknownIndex) && !errors.Is(err, kerror.ServicesStorageUnknownCollection) {
				t.Errorf("Put: %v", err)
			}
		}
	})
	wantErr(t, "Drop", f.Drop(t.Context(), f.c), nil)
	wantErr(t, "Ensure", f.Ensure(t.Context(), f.c, storage.Spec{Keywords: []string{"k"}}), nil)
	sameIDs(t, "Scan", f.scan(t, ""))
	sameIDs(t, "Find", f.find(t, "k", "v"))
}

// together runs work n times at the same time and waits.
func together(n int, work func(worker int)) {
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() { work(w) })
	}
	wg.Wait()
}

func number(t *testing.T, source jsontext.Value, field string) int {
	m, err := membersOf(source)
	if err != nil {
		t.Errorf("read %s: %v", source, err)
		return 0
	}
	n, err := strconv.Atoi(string(m[field]))
	if err != nil {
		t.Errorf("field %s of %s: %v", field, source, err)
	}
	return n
}
