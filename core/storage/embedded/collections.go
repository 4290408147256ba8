package embedded

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Ensure makes the collection or adds keywords to it. Documents can be read and written while theirs are being indexed; it
// can be cancelled there, and a later Ensure starts over.
func (e *Engine) Ensure(ctx context.Context, c storage.Collection, spec storage.Spec) error {
	if err := e.beginWrite(ctx); err != nil {
		return err
	}
	defer e.gate.leave()
	if !storage.ValidName(c.Index) {
		return kerror.ServicesStorageInvalidIndexName.New(c.Index)
	}
	if !storage.ValidName(c.Name) {
		return kerror.ServicesStorageInvalidCollectionName.New(c.Name)
	}
	if live, err := e.catalogue.find(c); err == nil && len(live.missing(spec.Keywords)) == 0 {
		return nil
	}
	e.catalogue.changing.Lock()
	defer e.catalogue.changing.Unlock()
	live, err := e.catalogue.find(c)
	if err != nil {
		return e.makeLocked(c, spec)
	}
	return e.addKeywordsLocked(ctx, c, live, live.missing(spec.Keywords))
}

// makeLocked makes a collection that does not exist. The caller holds catalogue.changing.
func (e *Engine) makeLocked(c storage.Collection, spec storage.Spec) error {
	live := &collection{number: e.catalogue.lastNumber + 1}
	live.keywords = numbered(nil, live.missing(spec.Keywords))
	batch := e.db.NewBatch()
	if err := setCollection(batch, c, live.number, live.keywords); err != nil {
		return err
	}
	_ = batch.Set(lastNumberKey, binary.BigEndian.AppendUint32(nil, live.number), nil)
	if err := e.commit(batch); err != nil {
		return err
	}
	e.catalogue.lastNumber = live.number
	e.catalogue.publishLocked(c, live)
	return nil
}

// numbered gives the keywords had and the fresh ones behind them.
func numbered(had []keyword, fresh []string) []keyword {
	all := slices.Clone(had)
	for _, name := range fresh {
		all = append(all, keyword{name: name, field: uint32(len(all) + 1)}) //nolint:gosec // a handful of keywords
	}
	return all
}

// setCollection writes the record of a collection into batch.
func setCollection(batch *pebble.Batch, c storage.Collection, number uint32, keywords []keyword) error {
	r := catalogueRecord{Number: number}
	for _, k := range keywords {
		r.Keywords = append(r.Keywords, keywordRecord{k.name, k.field})
	}
	value, err := json.Marshal(r)
	if err != nil { // a name that is not UTF-8
		_ = batch.Close()
		return kerror.ServicesStorageInvalidArgument.New("keywords", "UTF-8 names")
	}
	return batch.Set(appendCollectionKey(nil, c), value, nil)
}

// Drop removes the collection. A write that runs at the same time is either removed with it or fails.
func (e *Engine) Drop(ctx context.Context, c storage.Collection) error {
	if err := e.beginWrite(ctx); err != nil {
		return err
	}
	defer e.gate.leave()
	e.catalogue.changing.Lock()
	defer e.catalogue.changing.Unlock()
	live, err := e.catalogue.find(c)
	if err != nil {
		return kerror.ServicesStorageUnknownCollection.New(c.Index, c.Name)
	}
	batch := e.db.NewBatch()
	all := appendDataPrefix(nil, live.number)
	_ = batch.Delete(appendCollectionKey(nil, c), nil)
	_ = batch.DeleteRange(all, after(all), nil)

	live.mu.Lock()
	if err = e.apply(batch); err == nil {
		e.catalogue.publishLocked(c, nil)
		live.dropped = true
	}
	live.mu.Unlock()
	if err != nil {
		return err
	}
	return e.sync(batch)
}

// List gives the collections of a scope.
func (e *Engine) List(ctx context.Context, s storage.Scope) ([]storage.Collection, error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer e.gate.leave()
	var list []storage.Collection
	for c := range e.catalogue.now.Load().collections {
		if c.Scope == s {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b storage.Collection) int {
		if n := strings.Compare(a.Index, b.Index); n != 0 {
			return n
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

var _ storage.Collections = (*Engine)(nil)
