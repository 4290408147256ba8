package collection_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/collection"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

var books = storage.Collection{Index: "i", Name: "books"}

// shelve makes the collection books with n documents {"year": 0…}, none of whose fields is indexed.
func shelve(t *testing.T, n int) storage.Engine {
	t.Helper()
	e, err := embedded.Open(t.Context(), embedded.Options{Dir: "data", FS: vfs.NewMem(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.Ensure(t.Context(), books, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	ops := make([]storage.Op, n)
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpCreate, ID: fmt.Sprint(i), Source: jsontext.Value(fmt.Sprintf(`{"year":%d}`, i))}
	}
	if _, err := e.Write(t.Context(), books, ops, storage.BulkOptions{}); err != nil {
		t.Fatal(err)
	}
	return e
}

func learnYear(t *testing.T, e storage.Engine) {
	t.Helper()
	if err := e.Ensure(t.Context(), books, storage.Spec{Mapping: jsontext.Value(`{"properties":{"year":{"type":"integer"}}}`)}); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, e storage.Engine) int {
	t.Helper()
	n, err := e.Count(t.Context(), []storage.Collection{books}, jsontext.Value(`{"range":{"year":{"gte":0}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// eventually waits until holds does.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("in vain")
		}
	}
}

// logged collects what is logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) has(text string) func() bool {
	return func() bool { return strings.Contains(l.String(), text) }
}

func newReindexer(t *testing.T, e storage.Engine) (*collection.Reindexer, *logged) {
	t.Helper()
	log := &logged{}
	r := collection.NewReindexer(e, slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r, log
}

func TestReindex(t *testing.T) {
	const n = 250 // more than two batches
	e := shelve(t, n)
	learnYear(t, e)
	if got := count(t, e); got != 0 {
		t.Fatal(got, "are indexed already")
	}
	r, log := newReindexer(t, e)
	r.Reindex(books)
	eventually(t, log.has("indexed a collection anew"))
	if got := count(t, e); got != n {
		t.Error(got)
	}
	doc, err := e.Get(t.Context(), books, "7")
	if err != nil || string(doc.Source) != `{"year":7}` || doc.Version != 2 {
		t.Error(doc, err)
	}
}

// TestReindexLeavesChangesAlone changes and deletes documents between the moment they are read and written.
func TestReindexLeavesChangesAlone(t *testing.T) {
	disk := shelve(t, 3)
	learnYear(t, disk)
	var once sync.Once
	e := storagetest.Faulty{Engine: disk, Fail: func(op string, c storage.Collection, _ string) error {
		if op == "Write" && c == books {
			once.Do(func() {
				if _, err := disk.Replace(context.Background(), books, "0", jsontext.Value(`{"year":100}`), storage.WriteOptions{}); err != nil {
					t.Error(err)
				}
				if err := disk.Delete(context.Background(), books, "1", storage.WriteOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		return nil
	}}
	r, log := newReindexer(t, e)
	r.Reindex(books)
	eventually(t, log.has("refused=0"))
	if doc, err := disk.Get(t.Context(), books, "0"); err != nil || string(doc.Source) != `{"year":100}` || doc.Version != 2 {
		t.Error(doc, err)
	}
	if _, err := disk.Get(t.Context(), books, "1"); !errors.Is(err, kerror.ServicesStorageNotFound) {
		t.Error(err)
	}
	if got := count(t, disk); got != 2 {
		t.Error(got)
	}
}

// TestReindexTellsOfWhatDoesNotFit has documents that a strict mapping would not take today.
func TestReindexTellsOfWhatDoesNotFit(t *testing.T) {
	e := shelve(t, 5)
	if err := e.Ensure(t.Context(), books, storage.Spec{Mapping: jsontext.Value(`{"dynamic":"strict"}`)}); err != nil {
		t.Fatal(err)
	}
	r, log := newReindexer(t, e)
	r.Reindex(books)
	eventually(t, log.has("refused=5"))
	if n := strings.Count(log.String(), "cannot be indexed anew"); n != 1 {
		t.Error(n, "lines for the documents")
	}
	if doc, err := e.Get(t.Context(), books, "0"); err != nil || doc.Version != 1 {
		t.Error(doc, err)
	}
}

func TestReindexWhatIsNotThere(t *testing.T) {
	e := shelve(t, 1)
	down := storagetest.Faulty{Engine: e, Fail: func(op string, c storage.Collection, _ string) error {
		if op == "Write" && c == books {
			return kerror.ServicesStorageNotConnected.New()
		}
		return nil
	}}
	r, log := newReindexer(t, down)
	r.Reindex(storage.Collection{Index: "i", Name: "gone"})
	r.Reindex(storage.Collection{Index: "gone", Name: "gone"})
	r.Reindex(books)
	eventually(t, log.has("cannot index a collection anew"))
	if strings.Contains(log.String(), "gone") {
		t.Error(log)
	}
}

// TestReindexIsBegunAgain asks for a collection over and over while it is being worked on: that is one more time.
func TestReindexIsBegunAgain(t *testing.T) {
	disk := shelve(t, 1)
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	e := storagetest.Faulty{Engine: disk, Fail: func(op string, c storage.Collection, _ string) error {
		if op == "Write" && c == books {
			entered <- struct{}{}
			<-leave
		}
		return nil
	}}
	r, log := newReindexer(t, e)
	r.Reindex(books)
	<-entered
	for range 5 {
		r.Reindex(books)
	}
	close(leave)
	eventually(t, func() bool { return strings.Count(log.String(), "indexed a collection anew") == 2 })
	if doc, err := disk.Get(t.Context(), books, "0"); err != nil || doc.Version != 3 {
		t.Error(doc, err)
	}
}

// TestCloseStopsReindexing closes while a batch is written: it is finished, and no other is begun.
func TestCloseStopsReindexing(t *testing.T) {
	disk := shelve(t, 250)
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	e := storagetest.Faulty{Engine: disk, Fail: func(op string, c storage.Collection, _ string) error {
		if op == "Write" && c == books {
			entered <- struct{}{}
			<-leave
		}
		return nil
	}}
	r, log := newReindexer(t, e)
	r.Reindex(books)
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Error("closed while it works:", err)
	}
	close(leave)
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if len(entered) != 0 || !log.has("the node stops")() {
		t.Error(len(entered), log)
	}
	r.Reindex(books) // comes to nothing
}
