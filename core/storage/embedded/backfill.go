package embedded

import (
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
)

// addKeywordsLocked indexes the documents of a collection by more fields. The caller holds catalogue.changing.
//
//  1. Keys that a cancelled or killed attempt left under the new fields are removed, and from the same moment on writes
//     maintain the fields; Find does not know them yet.
//  2. Each document that was there is indexed under its own lock.
//  3. The record of the collection is written, which makes all of it durable: the log is in order.
//  4. Find knows the fields.
//
// When a step fails writes stop to maintain the fields, and the next attempt begins at 1.
func (e *Engine) addKeywordsLocked(ctx context.Context, c storage.Collection, live *collection, fresh []string) error {
	if len(fresh) == 0 {
		return nil
	}
	had := live.keywords // only Ensure changes them
	all := numbered(had, fresh)
	building := slices.Clone(all)
	for i := len(had); i < len(building); i++ {
		building[i].building = true
	}
	err := e.startBuilding(live, building, len(had))
	if err == nil {
		err = e.indexDocuments(ctx, live, building[len(had):])
	}
	if err == nil {
		batch := e.db.NewBatch()
		if err = stageRecord(batch, c, live.number, all, live.settings); err == nil {
			err = e.commit(batch)
		}
	}
	live.mu.Lock()
	defer live.mu.Unlock()
	if err != nil {
		live.keywords = had
		return err
	}
	live.keywords = all
	return nil
}

// startBuilding is step 1.
func (e *Engine) startBuilding(live *collection, building []keyword, from int) error {
	batch := e.db.NewBatch()
	for _, k := range building[from:] {
		keys := appendFieldPrefix(nil, live.number, k.field)
		_ = batch.DeleteRange(keys, after(keys), nil)
	}
	live.mu.Lock()
	err := e.apply(batch)
	if err == nil {
		live.keywords = building
	}
	live.mu.Unlock()
	if err != nil {
		return err
	}
	return e.sync(batch)
}

// indexDocuments is step 2.
func (e *Engine) indexDocuments(ctx context.Context, live *collection, fresh []keyword) error {
	prefix := appendDocumentKey(nil, live.number, "")
	return e.each(ctx, prefix, after(prefix), func(key, _ []byte) (bool, error) {
		if err := e.health.writable(); err != nil {
			return false, err
		}
		return true, e.indexDocument(live.number, string(key[len(prefix):]), fresh)
	})
}

func (e *Engine) indexDocument(collection uint32, id string, fresh []keyword) error {
	lock := e.locks.of(collection, id)
	lock.Lock()
	defer lock.Unlock()
	doc, err := e.load(collection, id)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	keys, err := keywordKeys(collection, fresh, id, doc.Source)
	if err != nil || len(keys) == 0 {
		return err
	}
	batch := e.db.NewBatch()
	defer batch.Close()
	for key := range keys {
		_ = batch.Set([]byte(key), nil, nil)
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return e.health.fail(err)
	}
	return nil
}
