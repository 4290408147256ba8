package embedded

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// unit is a number of writes to one collection that are applied together in one batch: a single write, or a chunk of Bulk.
//
//  1. enter takes the locks: the collection's, for reading, and those of all documents, in one order.
//  2. stage decides one write after the other; each sees those before it. One that fails leaves nothing in the batch.
//  3. apply makes what was staged visible, and with it the fields it added to the mapping.
//  4. leave gives the locks back. Then the batch waits for the disk.
type unit struct {
	engine  *Engine
	address storage.Collection
	coll    *collection
	locked  stripes
	batch   *pebble.Batch

	// schema is the mapping with what the unit added; growing says that it may have added something and holds coll.growing.
	schema  *schema
	growing bool
	reader  *mapping.Document
	// written has the documents that were staged, once there is more than one.
	written map[string]current
}

// enter begins a unit of changes; the caller must leave it.
func (e *Engine) enter(c storage.Collection, batch *pebble.Batch, changes []change) (unit, error) {
	coll, err := e.catalogue.enter(c)
	if err != nil {
		return unit{}, err
	}
	u := unit{engine: e, address: c, coll: coll, batch: batch}
	for i := range changes {
		u.locked.add(e.locks.stripe(coll.number, changes[i].id))
	}
	e.locks.lock(u.locked)
	u.schema = coll.schema.Load()
	if len(changes) > 1 {
		u.written = make(map[string]current, len(changes))
	}
	return u, nil
}

func (u *unit) leave() {
	if u.reader != nil {
		u.engine.readers.put(u.reader)
	}
	if u.growing {
		u.coll.growing.Unlock()
	}
	u.engine.locks.unlock(u.locked)
	u.coll.mu.RUnlock()
}

// stage puts a write into the batch. The document of a deletion is the one that is gone.
func (u *unit) stage(ch change) (doc storage.Document, created bool, err error) {
	if len(ch.id) == 0 || len(ch.id) > maxIDBytes {
		return doc, false, kerror.ServicesStorageInvalidArgument.New("_id", "1 to 512 bytes")
	}
	old, err := u.current(ch.id)
	if err != nil {
		return doc, false, err
	}
	source, err := ch.decide(u.address, old)
	if err != nil {
		return doc, false, err
	}
	keys, err := keywordChanges(u.coll, ch.id, old.source, source)
	if err != nil {
		return doc, false, err
	}
	if err := u.conform(source); err != nil {
		return doc, false, err
	}
	keys.stage(u.batch)
	if source == nil {
		stageDeletion(u.batch, u.coll.number, ch, old)
		u.keep(ch.id, current{version: old.version})
		return storage.Document{ID: ch.id, Version: old.version, Source: old.source}, false, nil
	}
	doc = storage.Document{ID: ch.id, Version: old.version + 1, Source: source}
	stageDocument(u.batch, u.coll.number, old, doc)
	u.keep(ch.id, current{exists: true, version: doc.Version, source: source})
	return doc, !old.exists, nil
}

// current gives a document as the unit has it so far.
func (u *unit) current(id string) (current, error) {
	if old, ok := u.written[id]; ok {
		return old, nil
	}
	return u.engine.current(u.coll.number, id)
}

func (u *unit) keep(id string, now current) {
	if u.written != nil {
		u.written[id] = now
	}
}

// conform checks a source against the mapping, and adds its new fields to the unit's. Who adds some is alone from then on,
// and looks again at what others have added meanwhile.
func (u *unit) conform(source jsontext.Value) error {
	if u.schema == nil || source == nil {
		return nil
	}
	if u.reader == nil {
		u.reader = u.engine.readers.get()
	}
	grown, err := u.schema.accept(source, u.reader)
	if err != nil || grown == nil {
		return err
	}
	if !u.growing {
		u.coll.growing.Lock()
		u.growing = true
		u.schema = u.coll.schema.Load()
		if grown, err = u.schema.accept(source, u.reader); err != nil || grown == nil {
			return err
		}
	}
	u.schema = grown
	return nil
}

// apply makes the unit visible. sync must follow unless the batch is empty.
func (u *unit) apply() error {
	if u.batch.Empty() {
		return nil
	}
	grown := u.growing && u.schema != u.coll.schema.Load()
	if grown {
		stageMapping(u.batch, u.coll.number, u.schema)
	}
	if err := u.engine.apply(u.batch); err != nil {
		return err
	}
	if grown {
		u.coll.schema.Store(u.schema)
	}
	return nil
}
