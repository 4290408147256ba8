package embedded

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
)

// MGet reads documents one after the other: each is whole, but they need not be of one moment.
func (e *Engine) MGet(ctx context.Context, c storage.Collection, ids []string) ([]*storage.Document, error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	coll, err := e.catalogue.find(c)
	if err != nil {
		return nil, err
	}
	docs := make([]*storage.Document, len(ids))
	answer := e.answers.begin()
	defer answer.end()
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		doc, err := e.load(coll.number, id)
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := answer.add(ctx, len(doc.Source)); err != nil {
			return nil, err
		}
		docs[i] = &doc
	}
	return docs, nil
}
