package embedded

import (
	"context"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
)

// write is the way of every single-document write: look at the document under its lock, decide, apply, unlock, wait for
// the disk.
func (e *Engine) write(ctx context.Context, c storage.Collection, op storage.Op, forget bool) (doc storage.Document, created bool, err error) {
	if err := e.beginWrite(ctx); err != nil {
		return doc, false, err
	}
	defer e.gate.Leave()
	if err := e.budget.wait(ctx); err != nil {
		return doc, false, err
	}
	ch := newChange(op)
	ch.forget = forget
	batch := e.db.NewBatch()
	r, err := e.applyOne(batch, c, ch)
	if err != nil {
		_ = batch.Close()
		return storage.Document{}, false, err
	}
	if err := e.sync(batch); err != nil {
		return storage.Document{}, false, err
	}
	return r.Document, r.Created, nil
}

// applyOne decides and applies a write under the document's lock.
func (e *Engine) applyOne(batch *pebble.Batch, c storage.Collection, ch change) (storage.OpResult, error) {
	u, err := e.enter(c, batch, []change{ch}, false, ahead{})
	if err != nil {
		return storage.OpResult{}, err
	}
	defer e.leave(&u)
	r := u.stage(ch)
	if r.Err != nil {
		return r, r.Err
	}
	return r, u.apply()
}

// stageDocument writes a document over what is there.
func stageDocument(batch *pebble.Batch, collection uint32, id string, old head, r record) {
	var room [keyRoom]byte
	value := appendRecord(make([]byte, 0, len(r.source)+recordRoom), r)
	_ = batch.Set(appendDocumentKey(room[:0], collection, id), value, nil)
	stageHead(batch, collection, id, r.head)
	stageLog(batch, collection, r.position, logEntry{op: logPut, old: old.position, id: id})
}

func stageHead(batch *pebble.Batch, collection uint32, id string, h head) {
	var key, value [keyRoom]byte
	_ = batch.Set(appendHeadKey(key[:0], collection, id), h.append(value[:0]), nil)
}

// stageDeletion removes a document, and keeps its version unless it is to be forgotten.
func stageDeletion(batch *pebble.Batch, collection uint32, ch change, old head, position uint64) {
	var room [keyRoom]byte
	_ = batch.Delete(appendDocumentKey(room[:0], collection, ch.id), nil)
	if ch.forget {
		_ = batch.Delete(appendHeadKey(room[:0], collection, ch.id), nil)
	} else {
		stageHead(batch, collection, ch.id, head{version: old.version})
	}
	stageLog(batch, collection, position, logEntry{op: logDelete, old: old.position, id: ch.id})
}

// commit applies and syncs; it closes batch.
func (e *Engine) commit(batch *pebble.Batch) error {
	if err := e.apply(batch); err != nil {
		_ = batch.Close()
		return err
	}
	return e.sync(batch)
}

// apply puts batch into the log and into memory; readers see it from here on. sync must follow.
func (e *Engine) apply(batch *pebble.Batch) error {
	if err := e.db.ApplyNoSyncWait(batch, pebble.Sync); err != nil {
		return e.health.fail(err)
	}
	return nil
}

// sync waits until an applied batch is durable and closes it. The log is in order: when this batch is durable, all that
// were applied before it are.
func (e *Engine) sync(batch *pebble.Batch) error {
	err := batch.SyncWait()
	_ = batch.Close()
	if err != nil {
		return e.health.fail(err)
	}
	return nil
}
