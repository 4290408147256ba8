package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Ensure makes the collection or adds to it. Documents can be read and written while theirs are being indexed by a new
// keyword; it can be cancelled there, and a later Ensure starts over.
func (e *Engine) Ensure(ctx context.Context, c storage.Collection, spec storage.Spec) error {
	if err := e.beginWrite(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if !storage.ValidName(c.Index) {
		return kerror.ServicesStorageInvalidIndexName.New(c.Index)
	}
	if !storage.ValidName(c.Name) {
		return kerror.ServicesStorageInvalidCollectionName.New(c.Name)
	}
	if live, err := e.catalogue.find(c); err == nil && spec.Mapping == nil && spec.Settings == nil && len(live.missing(spec.Keywords)) == 0 {
		return nil
	}
	if spec.Settings != nil {
		settings, err := object("settings", spec.Settings)
		if err != nil {
			return err
		}
		spec.Settings = settings
	}
	e.catalogue.changing.Lock()
	defer e.catalogue.changing.Unlock()
	live, err := e.catalogue.find(c)
	if err != nil {
		return e.makeLocked(c, spec)
	}
	if err := e.describeLocked(c, live, spec); err != nil {
		return err
	}
	return e.addKeywordsLocked(ctx, c, live, live.missing(spec.Keywords))
}

// makeLocked makes a collection that does not exist. The caller holds catalogue.changing.
func (e *Engine) makeLocked(c storage.Collection, spec storage.Spec) error {
	live := e.newCollection(e.catalogue.lastNumber+1, c)
	live.settings = spec.Settings
	live.keywords = numbered(nil, live.missing(spec.Keywords))
	set, err := parseSet(spec.Settings)
	if err != nil {
		return err
	}
	mapping, err := (*schema)(nil).merge(c, spec.Mapping, set)
	if err != nil {
		return err
	}
	live.schema.Store(mapping)
	batch := e.db.NewBatch()
	if err := stageRecord(batch, c, live.number, live.keywords, live.settings); err != nil {
		_ = batch.Close()
		return err
	}
	stageMapping(batch, live.number, mapping)
	_ = batch.Set(indexKey(indexOf(c)), nil, nil)
	_ = batch.Set(lastNumberKey, binary.BigEndian.AppendUint32(nil, live.number), nil)
	if err := e.commit(batch); err != nil {
		return err
	}
	e.catalogue.lastNumber = live.number
	e.catalogue.publishLocked(func(next *snapshot) { next.put(c, live) })
	return nil
}

// newCollection gives a collection without documents.
func (e *Engine) newCollection(number uint32, c storage.Collection) *collection {
	return &collection{number: number, address: c, segments: newSegments(number, 0, e.most)}
}

// describeLocked adds to the mapping of a collection and replaces its settings. The caller holds catalogue.changing.
func (e *Engine) describeLocked(c storage.Collection, live *collection, spec storage.Spec) error {
	batch := e.db.NewBatch()
	changed, err := e.applyDescription(batch, c, live, spec)
	if err != nil || !changed {
		_ = batch.Close()
		return err
	}
	return e.sync(batch)
}

// applyDescription is the part of describeLocked that no write may run beside.
func (e *Engine) applyDescription(batch *pebble.Batch, c storage.Collection, live *collection, spec storage.Spec) (changed bool, err error) {
	live.mu.Lock()
	defer live.mu.Unlock()
	had, settings := live.schema.Load(), live.settings
	if spec.Settings != nil {
		settings = spec.Settings
	}
	set, err := parseSet(settings)
	if err != nil {
		return false, err
	}
	mapping, err := had.under(set)
	if err != nil {
		return false, err
	}
	if mapping, err = mapping.merge(c, spec.Mapping, set); err != nil {
		return false, err
	}
	if mapping.same(had) && bytes.Equal(settings, live.settings) {
		return false, nil
	}
	if err := stageRecord(batch, c, live.number, live.keywords, settings); err != nil {
		return false, err
	}
	stageMapping(batch, live.number, mapping)
	if err := e.apply(batch); err != nil {
		return false, err
	}
	live.schema.Store(mapping)
	live.settings = settings
	return true, nil
}

// numbered gives the keywords had and the fresh ones behind them.
func numbered(had []keyword, fresh []string) []keyword {
	all := slices.Clone(had)
	for _, name := range fresh {
		all = append(all, keyword{name: name, field: uint32(len(all) + 1)}) //nolint:gosec // a handful of keywords
	}
	return all
}

// stageRecord writes the record of a collection into batch.
func stageRecord(batch *pebble.Batch, c storage.Collection, number uint32, keywords []keyword, settings jsontext.Value) error {
	r := catalogueRecord{Number: number, Settings: settings}
	for _, k := range keywords {
		r.Keywords = append(r.Keywords, keywordRecord{k.name, k.field})
	}
	value, err := json.Marshal(r)
	if err != nil { // a name that is not UTF-8
		return kerror.ServicesStorageInvalidArgument.New("keywords", "UTF-8 names")
	}
	return batch.Set(appendCollectionKey(nil, c), value, nil)
}

// Describe gives the collection as it is now.
func (e *Engine) Describe(ctx context.Context, c storage.Collection) (storage.Spec, error) {
	if err := e.begin(ctx); err != nil {
		return storage.Spec{}, err
	}
	defer e.gate.Leave()
	live, err := e.catalogue.find(c)
	if err != nil {
		return storage.Spec{}, err
	}
	live.mu.RLock()
	defer live.mu.RUnlock()
	spec := storage.Spec{Mapping: live.schema.Load().json(), Settings: live.settings.Clone()}
	for _, k := range live.keywords {
		if !k.building {
			spec.Keywords = append(spec.Keywords, k.name)
		}
	}
	return spec, nil
}

// Drop removes the collection. A write that runs at the same time is either removed with it or fails.
func (e *Engine) Drop(ctx context.Context, c storage.Collection) error {
	if err := e.beginWrite(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	e.catalogue.changing.Lock()
	defer e.catalogue.changing.Unlock()
	live, err := e.catalogue.find(c)
	if err != nil {
		return kerror.ServicesStorageUnknownCollection.New(c.Index, c.Name)
	}
	return e.dropLocked(e.db.NewBatch(), map[storage.Collection]*collection{c: live}, func(*snapshot) {})
}

// List gives the collections of a scope.
func (e *Engine) List(ctx context.Context, s storage.Scope) ([]storage.Collection, error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
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
