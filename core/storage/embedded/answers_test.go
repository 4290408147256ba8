package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// withLarge is an engine of 40 documents of 100 kB, which answers with 2 MB at most and calls 1 MB much.
func withLarge(t *testing.T) *Engine {
	t.Helper()
	e := withThings(t, vfs.NewMem())
	e.answers.most = 2 << 20
	source := `{"k":"v","text":"` + strings.Repeat("x", 100_000) + `"}`
	for i := range 40 {
		put(t, e, fmt.Sprint(i), source)
	}
	return e
}

// TestAnswersAreBounded: whatever is asked for, an answer has so many bytes of documents and no more.
func TestAnswersAreBounded(t *testing.T) {
	e := withLarge(t)
	ids := make([]string, 40)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	find := func(body string, size int, scroll time.Duration) error {
		found, err := e.Search(t.Context(), storage.Search{Targets: []storage.Collection{things}, Body: []byte(body), Size: size, Scroll: scroll})
		if err == nil && len(found.Hits) != size {
			t.Errorf("%s: %d hits", body, len(found.Hits))
		}
		return err
	}
	mget := func(n int) error {
		_, err := e.MGet(t.Context(), things, ids[:n])
		return err
	}
	for what, err := range map[string]error{
		"a search": find(`{}`, 40, 0), "a scroll": find(`{}`, 39, time.Minute), "mget": mget(40), "a search for text": find(`{"_source":"te*"}`, 40, 0),
	} {
		if !errors.Is(err, kerror.ServicesStorageAnswerTooLarge) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(e.scrolls.open) > 0 {
		t.Error("a scroll that gave nothing is open")
	}
	must(t, errors.Join(find(`{}`, 20, 0), find(`{"_source":"k"}`, 40, 0), find(`{"_source":false}`, 40, 0), mget(20)))
	if len(e.answers.large) > 0 {
		t.Error("answers that were given are still being read")
	}
}

// TestFewLargeAnswersAtOnce: who reads much waits until others have, or until the request ends; who reads little does not.
func TestFewLargeAnswersAtOnce(t *testing.T) {
	e := withLarge(t)
	for range largeAnswers {
		e.answers.large <- struct{}{}
	}
	search := storage.Search{Targets: []storage.Collection{things}, Size: 5}
	_, err := e.Search(t.Context(), search)
	must(t, err)
	search.Size = 20
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := e.Search(short, search); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one large answer too many: %v", err)
	}
	time.AfterFunc(10*time.Millisecond, func() { <-e.answers.large })
	_, err = e.Search(t.Context(), search)
	must(t, err)
}

// TestSelectGivesFewLargeDocuments: a batch has so many bytes of documents, and one more.
func TestSelectGivesFewLargeDocuments(t *testing.T) {
	e := withLarge(t)
	seen := map[string]bool{}
	must(t, e.Select(t.Context(), things, storage.Selection{Batch: maxBatch}, func(docs []storage.Document) error {
		bytes := 0
		for i, d := range docs {
			if bytes >= batchBytes {
				t.Errorf("the document %d of a batch comes after %d bytes", i, bytes)
			}
			bytes += len(d.Source)
			seen[d.ID] = true
		}
		return nil
	}))
	if len(seen) != 40 {
		t.Errorf("%d documents", len(seen))
	}
}
