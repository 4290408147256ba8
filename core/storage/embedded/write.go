package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// documentLocks order the writers of one document; documents share a lock by chance only. Nobody holds two.
type documentLocks struct {
	seed maphash.Seed
	mu   [256]sync.Mutex
}

func (l *documentLocks) of(collection uint32, id string) *sync.Mutex {
	h := maphash.String(l.seed, id) + uint64(collection)
	return &l.mu[h%uint64(len(l.mu))]
}

// current is a document as a write finds it. version without exists is the last version of a deleted document.
type current struct {
	exists  bool
	version int64
	source  jsontext.Value
}

// decision gives the source to write over what is there, nil to remove the document. It runs under the document's lock.
type decision func(current) (jsontext.Value, error)

// write is the way of every single-document write: look at the document under its lock, decide, apply, unlock, wait for
// the disk.
func (e *Engine) write(ctx context.Context, c storage.Collection, id string, o storage.WriteOptions, decide decision) (doc storage.Document, created bool, err error) {
	if err := e.beginWrite(ctx); err != nil {
		return doc, false, err
	}
	defer e.gate.leave()
	if len(id) == 0 || len(id) > maxIDBytes {
		return doc, false, kerror.ServicesStorageInvalidArgument.New("_id", "1 to 512 bytes")
	}
	batch := e.db.NewBatch()
	doc, created, err = e.stage(batch, c, id, o, decide)
	if err != nil {
		_ = batch.Close()
		return storage.Document{}, false, err
	}
	if err := e.sync(batch); err != nil {
		return storage.Document{}, false, err
	}
	return doc, created, nil
}

// stage decides and applies a write under the document's lock.
func (e *Engine) stage(batch *pebble.Batch, c storage.Collection, id string, o storage.WriteOptions, decide decision) (doc storage.Document, created bool, err error) {
	coll, err := e.catalogue.enter(c)
	if err != nil {
		return doc, false, err
	}
	defer coll.mu.RUnlock()
	lock := e.locks.of(coll.number, id)
	lock.Lock()
	defer lock.Unlock()

	old, err := e.current(coll.number, id)
	if err != nil {
		return doc, false, err
	}
	source, err := decide(old)
	if err != nil {
		return doc, false, err
	}
	if o.IfVersion != 0 && (!old.exists || old.version != o.IfVersion) {
		return doc, false, kerror.ServicesStorageTooManyChanges.New(id)
	}
	doc = storage.Document{ID: id, Version: old.version + 1, Source: source}
	stageDocument(batch, coll.number, old, doc, o.Forget)
	if err := stageKeywords(batch, coll, id, old.source, source); err != nil {
		return doc, false, err
	}
	return doc, !old.exists, e.apply(batch)
}

// stageDocument writes the document and what is kept of a deleted one.
func stageDocument(batch *pebble.Batch, collection uint32, old current, doc storage.Document, forget bool) {
	var room [keyRoom]byte
	key := appendDocumentKey(room[:0], collection, doc.ID)
	if doc.Source == nil {
		_ = batch.Delete(key, nil)
		if !forget {
			_ = batch.Set(appendDeletedKey(room[:0], collection, doc.ID), binary.AppendUvarint(nil, uint64(old.version)), nil) //nolint:gosec // a version is positive
		}
		return
	}
	value := appendRecord(make([]byte, 0, len(doc.Source)+binary.MaxVarintLen64+1), doc.Version, doc.Source)
	_ = batch.Set(key, value, nil)
	if !old.exists && old.version > 0 {
		_ = batch.Delete(appendDeletedKey(room[:0], collection, doc.ID), nil)
	}
}

// current reads the document, or the version it had when it was deleted.
func (e *Engine) current(collection uint32, id string) (current, error) {
	doc, err := e.load(collection, id)
	if err == nil {
		return current{exists: true, version: doc.Version, source: doc.Source}, nil
	}
	if !errors.Is(err, pebble.ErrNotFound) {
		return current{}, err
	}
	var room [keyRoom]byte
	value, closer, err := e.db.Get(appendDeletedKey(room[:0], collection, id))
	if errors.Is(err, pebble.ErrNotFound) {
		return current{}, nil
	}
	if err != nil {
		return current{}, readError(err)
	}
	defer closer.Close()
	version, n := binary.Uvarint(value)
	if n <= 0 {
		return current{}, readError(errRecord)
	}
	return current{version: int64(version)}, nil //nolint:gosec // as it was written
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
