package storagebench

import (
	"context"
	"fmt"
	"math"
	"time"
)

// row is a kind of work.
type row[T named] struct {
	name, unit string
	// most bounds the calls of each number of callers.
	most int
	// call does number i for t.
	call func(ctx context.Context, t T, c corpus, i int) (int, error)
}

const (
	calls     = "calls"
	documents = "documents"
	// batch is how many documents a bulk has.
	batch = 1000
	// portionsEach is how many portions each number of callers deletes.
	portionsEach = portions / 3
)

// reads are the rows that change nothing.
func reads() []row[Target] {
	rows := []row[Target]{{"get", calls, math.MaxInt, func(ctx context.Context, t Target, c corpus, i int) (int, error) {
		return 1, t.Get(ctx, id(random(i).IntN(c.documents)))
	}}}
	for _, q := range questions {
		rows = append(rows, row[Target]{q.name, calls, math.MaxInt, func(ctx context.Context, t Target, c corpus, i int) (int, error) {
			_, err := t.Search(ctx, q.body(c, i), q.hits)
			return 1, err
		}})
	}
	return append(rows, row[Target]{"count", calls, math.MaxInt, func(ctx context.Context, t Target, _ corpus, i int) (int, error) {
		_, err := t.Count(ctx, counted(i))
		return 1, err
	}})
}

// writes are the rows that change the documents; removing some comes last. The numbers of a row never come twice.
func writes() []row[Target] {
	return []row[Target]{
		{"create", calls, math.MaxInt, func(ctx context.Context, t Target, c corpus, i int) (int, error) {
			return 1, t.Create(ctx, c.document(c.documents+2*i), false)
		}},
		{"create, then found", calls, math.MaxInt, createdAndFound},
		{"bulk", documents, math.MaxInt, func(ctx context.Context, t Target, c corpus, i int) (int, error) {
			return batch, t.Bulk(ctx, c.others(i))
		}},
		{"updateByQuery", documents, math.MaxInt, func(ctx context.Context, t Target, _ corpus, i int) (int, error) {
			return t.Update(ctx, portion(i), i)
		}},
		{"deleteByQuery", documents, portionsEach, func(ctx context.Context, t Target, _ corpus, i int) (int, error) {
			return t.Delete(ctx, portion(i))
		}},
	}
}

// createdAndFound writes a document with an owner of its own, and looks for it.
func createdAndFound(ctx context.Context, t Target, c corpus, i int) (int, error) {
	n := c.documents + 2*i + 1
	owner := fmt.Sprintf("only%d", n)
	if err := t.Create(ctx, Document{id(n), c.source(random(n), owner)}, true); err != nil {
		return 0, err
	}
	total, err := t.Search(ctx, owned(owner), pageHits)
	if err == nil && total != 1 {
		err = fmt.Errorf("%s finds %d documents of the one that was just written", t.Name(), total)
	}
	return 1, err
}

// others are new sources for a batch of documents that are there.
func (c corpus) others(i int) []Document {
	all := make([]Document, batch)
	r := random(i)
	for k := range all {
		all[k] = c.other(r.IntN(c.documents))
	}
	return all
}

// searchers is how many callers search while one writes.
const searchers = 4

// upserts measures both sides of documents that are written in bulk while others search.
func upserts(ctx context.Context, t Target, c corpus, within time.Duration) ([]Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		rate
		err error
	}
	written := make(chan outcome, 1)
	go func() {
		r, err := load{1, within, math.MaxInt, func(ctx context.Context, i int) (int, error) {
			return batch, t.Bulk(ctx, c.others(-i-1))
		}}.run(ctx)
		written <- outcome{r, err}
	}()
	searched, err := load{searchers, within, math.MaxInt, once(func(ctx context.Context, i int) error {
		_, err := t.Search(ctx, filteredList(c, i), pageHits)
		return err
	})}.run(ctx)
	if err != nil {
		cancel()
	}
	w := <-written
	if err == nil {
		err = w.err
	}
	return []Result{
		searched.result("search during upserts", searchers, t.Name(), calls),
		w.result("upserts during searches", 1, t.Name(), documents),
	}, err
}
