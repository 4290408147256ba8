package embedded

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

// What Select gives at a time ends after maxBatch documents at most, and at this many bytes.
const (
	maxBatch   = storage.MaxWindow
	batchBytes = 1 << 20
)

// Select visits all documents that match, as they are when their turn comes.
func (e *Engine) Select(ctx context.Context, address storage.Collection, s storage.Selection, visit func([]storage.Document) error) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if s.Batch <= 0 {
		return searchArgument("batch", "a positive number")
	}
	q, err := query.Parse(s.Query)
	if err != nil {
		return err
	}
	p, err := e.pin(address)
	if err != nil {
		return err
	}
	defer p.letGo()
	var matches []*roaring.Bitmap
	err = e.compute(ctx, []*pinned{p}, func() (err error) {
		matches, err = search.Match(ctx, p.target, q, time.Now())
		return err
	})
	for i := 0; err == nil && i < len(matches); i++ {
		err = e.selectIn(ctx, p, p.target.Views[i], matches[i], s, visit)
	}
	return err
}

// selectIn visits the matches in one view.
func (e *Engine) selectIn(ctx context.Context, p *pinned, v segment.View, matches *roaring.Bitmap, s storage.Selection, visit func([]storage.Document) error) error {
	docs := make([]uint32, min(s.Batch, maxBatch))
	for it := matches.ManyIterator(); ; {
		n := it.NextMany(docs)
		if n == 0 {
			return nil
		}
		if err := e.visitAll(ctx, p, v, docs[:n], !s.NoSource, visit); err != nil {
			return err
		}
	}
}

// visitAll visits those documents of a view that are still there, some at a time.
func (e *Engine) visitAll(ctx context.Context, p *pinned, v segment.View, docs []uint32, whole bool, visit func([]storage.Document) error) error {
	var ids []string
	err := e.compute(ctx, []*pinned{p}, func() (err error) {
		ids, err = idsOf(v, docs)
		return err
	})
	for err == nil && len(ids) > 0 {
		var found []storage.Document
		if found, ids, err = e.loadSome(ctx, p.coll.number, ids, whole); err == nil && len(found) > 0 {
			err = visit(found)
		}
	}
	return err
}

// loadSome reads some documents, whole or their heads, of a list of ids in order, as many as are given at a time, and gives the
// ids of the rest.
func (e *Engine) loadSome(ctx context.Context, collection uint32, ids []string, whole bool) (found []storage.Document, rest []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	for i, f := range e.fetch(collection, ids, func(int) bool { return whole }, batchBytes) {
		switch {
		case f.err != nil:
			return nil, nil, f.err
		case !f.done:
			rest = append(rest, ids[i])
		case f.exists():
			found = append(found, storage.Document{ID: ids[i], Version: f.version, Source: f.source})
		}
	}
	return found, rest, nil
}

// idsOf gives the ids of documents, in order.
func idsOf(v segment.View, docs []uint32) ([]string, error) {
	if v.Lock != nil {
		v.Lock.Lock()
		defer v.Lock.Unlock()
	}
	ids := make([]string, len(docs))
	for i, doc := range docs {
		var err error
		if ids[i], err = v.Segment.ID(doc); err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	return ids, nil
}
