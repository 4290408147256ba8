package embedded

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxIDBytes bounds a document id; Elasticsearch has the same limit.
const maxIDBytes = 512

// Get reads a document.
func (e *Engine) Get(ctx context.Context, c storage.Collection, id string) (storage.Document, error) {
	if err := e.begin(ctx); err != nil {
		return storage.Document{}, err
	}
	defer e.gate.Leave()
	coll, err := e.catalogue.find(c)
	if err != nil {
		return storage.Document{}, err
	}
	doc, err := e.load(coll.number, id)
	if errors.Is(err, pebble.ErrNotFound) {
		return storage.Document{}, notFound(c, id)
	}
	return doc, err
}

// load reads a document; pebble.ErrNotFound when there is none. The source is a copy.
func (e *Engine) load(collection uint32, id string) (storage.Document, error) {
	r, err := loadRecord(e.db, collection, id)
	return storage.Document{ID: id, Version: r.version, Source: r.source}, err
}

// loadRecord reads a document as db has it; pebble.ErrNotFound when there is none. The source is a copy.
func loadRecord(db pebble.Reader, collection uint32, id string) (record, error) {
	var room [keyRoom]byte
	value, closer, err := db.Get(appendDocumentKey(room[:0], collection, id))
	if errors.Is(err, pebble.ErrNotFound) {
		return record{}, err
	}
	if err != nil {
		return record{}, readError(err)
	}
	defer closer.Close()
	return readRecord(value)
}

// readRecord reads the value of a document. The source is a copy.
func readRecord(value []byte) (record, error) {
	r, err := parseRecord(value)
	if err != nil {
		return record{}, readError(err)
	}
	r.source = r.source.Clone()
	return r, nil
}

// Create writes a new document.
func (e *Engine) Create(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, error) {
	doc, _, err := e.write(ctx, c, storage.Op{Kind: storage.OpCreate, ID: id, Source: source, IfVersion: o.IfVersion}, false)
	return doc, err
}

// Put writes a document whether or not the id is taken.
func (e *Engine) Put(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, bool, error) {
	return e.write(ctx, c, storage.Op{Kind: storage.OpPut, ID: id, Source: source, IfVersion: o.IfVersion}, false)
}

// Replace writes over an existing document.
func (e *Engine) Replace(ctx context.Context, c storage.Collection, id string, source jsontext.Value, o storage.WriteOptions) (storage.Document, error) {
	doc, _, err := e.write(ctx, c, storage.Op{Kind: storage.OpReplace, ID: id, Source: source, IfVersion: o.IfVersion}, false)
	return doc, err
}

// Update merges partial into an existing document. It never loses a race, since it reads and writes under the document's
// lock: RetryOnConflict is not needed.
func (e *Engine) Update(ctx context.Context, c storage.Collection, id string, partial jsontext.Value, o storage.UpdateOptions) (storage.Document, error) {
	doc, _, err := e.write(ctx, c, storage.Op{Kind: storage.OpUpdate, ID: id, Source: partial, IfVersion: o.IfVersion}, false)
	return doc, err
}

// Delete removes a document.
func (e *Engine) Delete(ctx context.Context, c storage.Collection, id string, o storage.WriteOptions) error {
	_, _, err := e.write(ctx, c, storage.Op{Kind: storage.OpDelete, ID: id, IfVersion: o.IfVersion}, o.Forget)
	return err
}

// object checks that v is one JSON object (UTF-8, no name twice) and gives a copy: the caller's buffer stays the caller's.
func object(argument string, v jsontext.Value) (jsontext.Value, error) {
	if v.Kind() != '{' || !v.IsValid() {
		return nil, kerror.ServicesStorageInvalidArgument.New(argument, "a JSON object")
	}
	return v.Clone(), nil
}

func notFound(c storage.Collection, id string) error {
	return kerror.ServicesStorageNotFound.New(id, c.Index, c.Name)
}

// readError is the answer when stored data could not be read; damage has already reached health through DataCorruption.
func readError(err error) error {
	if pebble.IsCorruptionError(err) {
		return unexpected("stored data is damaged", err)
	}
	return unexpected("stored data could not be read", err)
}

var _ storage.Documents = (*Engine)(nil)
