package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

// maxBatch bounds what Select gives at a time.
const maxBatch = storage.MaxWindow

// Select visits all documents that match, as they are when their turn comes.
func (e *Engine) Select(ctx context.Context, address storage.Collection, raw jsontext.Value, batch int, visit func([]storage.Document) error) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.gate.leave()
	if batch <= 0 {
		return searchArgument("batch", "a positive number")
	}
	q, err := query.Parse(raw)
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
		err = e.selectIn(ctx, p, p.target.Views[i], matches[i], min(batch, maxBatch), visit)
	}
	return err
}

// selectIn visits the matches in one view.
func (e *Engine) selectIn(ctx context.Context, p *pinned, v segment.View, matches *roaring.Bitmap, batch int, visit func([]storage.Document) error) error {
	docs := make([]uint32, batch)
	for it := matches.ManyIterator(); ; {
		n := it.NextMany(docs)
		if n == 0 {
			return nil
		}
		found, err := e.documentsOf(ctx, p, v, docs[:n])
		if err != nil {
			return err
		}
		if len(found) == 0 {
			continue
		}
		if err := visit(found); err != nil {
			return err
		}
	}
}

// documentsOf reads those documents of a view that are still there.
func (e *Engine) documentsOf(ctx context.Context, p *pinned, v segment.View, docs []uint32) ([]storage.Document, error) {
	var ids []string
	err := e.compute(ctx, []*pinned{p}, func() (err error) {
		ids, err = idsOf(v, docs)
		return err
	})
	if err != nil {
		return nil, err
	}
	found := make([]storage.Document, 0, len(ids))
	for _, id := range ids {
		doc, err := e.load(p.coll.number, id)
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, doc)
	}
	return found, nil
}

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
	return ids, nil
}
