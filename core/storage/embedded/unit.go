package embedded

import (
	"cmp"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// unit is a number of writes to one collection that are applied together in one batch: a single write, or a chunk of Bulk.
//
//  1. enter takes the locks: the collection's, for reading, and those of all documents, in one order. What was read ahead counts
//     unless it was written since.
//  2. stage decides one write after the other; each sees those before it. One that fails leaves nothing in the batch. What is
//     written is in the search index from here on, but no search sees it.
//  3. apply makes what was staged visible, and with it the fields it added to the mapping. Then searches see all of it at once.
//  4. leave gives the locks back. Then the batch waits for the disk.
type unit struct {
	engine  *Engine
	address storage.Collection
	coll    *collection
	// previous keeps what the changes found in their results.
	previous bool
	places   []uint32 // of the changes
	locked   stripes
	stored   lookup // used under the locks
	batch    *pebble.Batch

	// schema is the mapping with what the unit added; growing says that it may have added something and holds coll.growing.
	schema  *schema
	growing bool
	reader  *reader
	// fresh are the documents in the memory of the index, and gone the positions of the versions that they, or deletions,
	// took the place of.
	fresh []uint32
	gone  []uint64
	// full says that the memory of the index has enough.
	full bool
	// known has the documents of more than one change as they are so far.
	known map[string]current
}

// enter begins a unit of changes, whose results have what they found if previous asks; the caller must leave it.
func (e *Engine) enter(c storage.Collection, batch *pebble.Batch, changes []change, previous bool, before ahead) (unit, error) {
	coll, err := e.catalogue.enter(c)
	if err != nil {
		return unit{}, err
	}
	u := unit{
		engine: e, address: c, coll: coll, previous: previous, batch: batch, reader: e.readers.get(), stored: lookup{db: e.db},
		places: make([]uint32, len(changes)),
	}
	for i := range changes {
		u.places[i] = e.locks.place(coll.number, changes[i].id)
		u.locked.add(u.places[i])
	}
	e.locks.lock(&u.locked)
	u.schema = coll.schema.Load()
	if len(changes) > 1 {
		u.known = make(map[string]current, len(changes))
	}
	if before.coll == coll {
		u.keepUnchanged(changes, before)
	}
	return u, nil
}

// keepUnchanged takes over what was read before the locks were taken and is still so.
func (u *unit) keepUnchanged(changes []change, before ahead) {
	for i, ch := range changes {
		now, ok := before.found[ch.id]
		if ok && u.engine.locks.mark(u.places[i]).Load() == before.marks[ch.id] {
			u.keep(ch.id, now)
		}
	}
}

// leave gives the locks back, and looks after the memory that the search index needs.
func (e *Engine) leave(u *unit) {
	u.stored.close()
	e.readers.put(u.reader)
	if u.growing {
		u.coll.growing.Unlock()
	}
	for _, place := range u.places {
		e.locks.mark(place).Add(1)
	}
	e.locks.unlock(&u.locked)
	u.coll.mu.RUnlock()
	if u.full {
		e.turn(u.coll)
	}
	e.keepBudget()
}

// stage puts a write into the batch.
func (u *unit) stage(ch change) storage.OpResult {
	r, err := u.tryStage(ch)
	if err != nil {
		return storage.OpResult{Err: err}
	}
	return r
}

func (u *unit) tryStage(ch change) (r storage.OpResult, err error) {
	if len(ch.id) == 0 || len(ch.id) > maxIDBytes {
		return r, kerror.ServicesStorageInvalidArgument.New("_id", "1 to 512 bytes")
	}
	old, err := u.current(ch.id, needsWhole(u.coll, ch, u.previous))
	if err != nil {
		return r, err
	}
	source, err := ch.decide(u.address, old)
	if err != nil {
		return r, err
	}
	keys, err := keywordChanges(u.coll, ch.id, old.source, source)
	if err != nil {
		return r, err
	}
	if err := u.conform(source); err != nil {
		return r, err
	}
	r.Document = storage.Document{ID: ch.id, Version: old.version}
	if u.previous {
		r.Document.Source, r.Previous = old.source, old.source
	}
	if source == nil {
		u.delete(ch, old.head, keys)
		return r, nil
	}
	r.Created, r.Document.Source = !old.exists(), source
	r.Document.Version, err = u.put(ch, old.head, keys, source)
	return r, err
}

// put stages a document that fits the mapping; the reader has its fields.
func (u *unit) put(ch change, old head, keys keywordDiff, source jsontext.Value) (version int64, err error) {
	if err := u.reader.entry.Read(u.reader.fields()); err != nil {
		return 0, err
	}
	keys.stage(u.batch)
	doc, position, full := u.engine.addTo(u.coll.segments, &u.reader.entry, ch.id)
	r := record{head{cmp.Or(ch.version, old.version+1), position}, source}
	stageDocument(u.batch, u.coll.number, ch.id, old, r)
	u.fresh, u.full = append(u.fresh, doc), u.full || full
	u.replace(old)
	u.keep(ch.id, current{record: r, whole: true})
	return r.version, nil
}

func (u *unit) delete(ch change, old head, keys keywordDiff) {
	keys.stage(u.batch)
	position, full := u.coll.segments.next()
	stageDeletion(u.batch, u.coll.number, ch, old, position)
	u.full = u.full || full
	u.replace(old)
	u.keep(ch.id, current{record: record{head: head{version: old.version}}})
}

func (u *unit) replace(old head) {
	if old.exists() {
		u.gone = append(u.gone, old.position)
	}
}

// current gives a document as the unit has it so far.
func (u *unit) current(id string, whole bool) (current, error) {
	if old, ok := u.known[id]; ok && (old.whole || !whole || !old.exists()) {
		return old, nil
	}
	return u.stored.current(u.coll.number, id, whole)
}

func (u *unit) keep(id string, now current) {
	if u.known != nil {
		u.known[id] = now
	}
}

// conform checks a source against the mapping, and adds its new fields to the unit's. Who adds some is alone from then on,
// and looks again at what others have added meanwhile.
func (u *unit) conform(source jsontext.Value) error {
	u.reader.unmapped = u.schema == nil
	if u.schema == nil || source == nil {
		return nil
	}
	grown, err := u.schema.accept(source, &u.reader.document)
	if err != nil || grown == nil {
		return err
	}
	if !u.growing {
		u.coll.growing.Lock()
		u.growing = true
		u.schema = u.coll.schema.Load()
		if grown, err = u.schema.accept(source, &u.reader.document); err != nil || grown == nil {
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
	if err := u.coll.segments.publish(u.fresh, u.gone); err != nil {
		u.engine.lose(u.coll, err)
	}
	return nil
}
