package embedded

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// CreateIndex makes an empty index.
func (e *Engine) CreateIndex(ctx context.Context, s storage.Scope, name string) error {
	if err := e.beginWrite(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if !storage.ValidName(name) {
		return kerror.ServicesStorageInvalidIndexName.New(name)
	}
	e.catalogue.changing.Lock()
	defer e.catalogue.changing.Unlock()
	i := index{s, name}
	if _, ok := e.catalogue.now.Load().indexes[i]; ok {
		return kerror.ServicesStorageIndexAlreadyExists.New(s.String(), name)
	}
	batch := e.db.NewBatch()
	_ = batch.Set(indexKey(i), nil, nil)
	if err := e.commit(batch); err != nil {
		return err
	}
	e.catalogue.publishLocked(func(next *snapshot) { next.indexes[i] = struct{}{} })
	return nil
}

// Indexes gives the indexes of a scope.
func (e *Engine) Indexes(ctx context.Context, s storage.Scope) ([]string, error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	var names []string
	for i := range e.catalogue.now.Load().indexes {
		if i.scope == s {
			names = append(names, i.name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// DropIndex removes an index with its collections, all at once. A write that runs at the same time is either removed with
// its collection or fails.
func (e *Engine) DropIndex(ctx context.Context, s storage.Scope, name string) error {
	if err := e.beginWrite(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	e.catalogue.changing.Lock()
	defer e.catalogue.changing.Unlock()
	i, now := index{s, name}, e.catalogue.now.Load()
	if _, ok := now.indexes[i]; !ok {
		return kerror.ServicesStorageUnknownIndex.New(name)
	}
	gone := map[storage.Collection]*collection{}
	for c, live := range now.collections {
		if indexOf(c) == i {
			gone[c] = live
		}
	}
	batch := e.db.NewBatch()
	_ = batch.Delete(indexKey(i), nil)
	return e.dropLocked(batch, gone, func(next *snapshot) { delete(next.indexes, i) })
}

// dropLocked removes collections, with what is in batch and in change besides. The caller holds catalogue.changing.
func (e *Engine) dropLocked(batch *pebble.Batch, gone map[storage.Collection]*collection, change func(*snapshot)) error {
	for c, live := range gone {
		_ = batch.Delete(appendCollectionKey(nil, c), nil)
		stageRemoval(batch, live.number)
	}
	if err := e.applyDrop(batch, gone, change); err != nil {
		_ = batch.Close()
		return err
	}
	return e.syncRemoval(batch, slices.Collect(maps.Values(gone))...)
}

// applyDrop is the part of dropLocked that no write may run beside.
func (e *Engine) applyDrop(batch *pebble.Batch, gone map[storage.Collection]*collection, change func(*snapshot)) error {
	defer lockAll(slices.Collect(maps.Values(gone)))()
	if err := e.apply(batch); err != nil {
		return err
	}
	e.catalogue.publishLocked(func(next *snapshot) {
		for c, live := range gone {
			delete(next.collections, c)
			live.dropped = true
		}
		change(next)
	})
	return nil
}

// lockAll locks collections, in one order so that two who do it do not wait for each other.
func lockAll(all []*collection) (unlock func()) {
	slices.SortFunc(all, func(a, b *collection) int { return cmp.Compare(a.number, b.number) })
	for _, c := range all {
		c.mu.Lock()
	}
	return func() {
		for _, c := range all {
			c.mu.Unlock()
		}
	}
}

// syncRemoval makes the removal of collections durable, then their search indexes go. Searches that run keep them for a while.
func (e *Engine) syncRemoval(batch *pebble.Batch, gone ...*collection) error {
	if err := e.sync(batch); err != nil {
		return err
	}
	for _, c := range gone {
		e.closeIndex(c)
	}
	return nil
}

// stageRemoval removes all data under a collection number.
func stageRemoval(batch *pebble.Batch, number uint32) {
	for _, all := range [][]byte{appendDataPrefix(nil, number), appendLogPrefix(nil, number)} {
		_ = batch.DeleteRange(all, after(all), nil)
	}
}

var _ storage.Indexes = (*Engine)(nil)
