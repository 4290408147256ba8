package embedded

import (
	"context"
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
)

// Truncate removes all documents: the collection goes on under a new number, and what is under the old one goes away. A
// write that runs at the same time is either removed or in the new one.
func (e *Engine) Truncate(ctx context.Context, c storage.Collection) error {
	if err := e.beginWrite(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	e.catalogue.changing.Lock()
	defer e.catalogue.changing.Unlock()
	old, err := e.catalogue.find(c)
	if err != nil {
		return err
	}
	batch := e.db.NewBatch()
	if err := e.applyTruncation(batch, c, old); err != nil {
		_ = batch.Close()
		return err
	}
	return e.syncRemoval(batch, old)
}

// applyTruncation is the part of Truncate that no write may run beside.
func (e *Engine) applyTruncation(batch *pebble.Batch, c storage.Collection, old *collection) error {
	old.mu.Lock()
	defer old.mu.Unlock()
	fresh := e.newCollection(e.catalogue.lastNumber+1, c)
	fresh.keywords, fresh.settings = old.keywords, old.settings
	mapping := old.schema.Load()
	fresh.schema.Store(mapping)
	if err := stageRecord(batch, c, fresh.number, fresh.keywords, fresh.settings); err != nil {
		return err
	}
	stageMapping(batch, fresh.number, mapping)
	_ = batch.Set(lastNumberKey, binary.BigEndian.AppendUint32(nil, fresh.number), nil)
	stageRemoval(batch, old.number)
	if err := e.apply(batch); err != nil {
		return err
	}
	e.catalogue.lastNumber = fresh.number
	e.catalogue.publishLocked(func(next *snapshot) { next.put(c, fresh) })
	old.dropped = true
	return nil
}
