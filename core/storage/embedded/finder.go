package embedded

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Find gives the documents whose keyword field holds value. Each is read and compared as it is at that moment: a document
// that holds value all the while is found, one that changes while Find runs may be found or not.
func (e *Engine) Find(ctx context.Context, c storage.Collection, field, value string, limit int) ([]storage.Document, error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	coll, err := e.catalogue.find(c)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, kerror.ServicesStorageInvalidArgument.New("limit", "a positive number")
	}
	k, ok := coll.keyword(field)
	if !ok {
		return nil, kerror.ServicesStorageInvalidArgument.New("field", "a keyword of the collection")
	}
	var found []storage.Document
	err = e.eachHolder(ctx, coll.number, k, value, func(doc storage.Document) bool {
		found = append(found, doc)
		return len(found) < limit
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// keyword gives the field's keyword when Find can use it.
func (l *collection) keyword(field string) (keyword, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	k, ok := named(l.keywords, []byte(field))
	return k, ok && !k.building
}

// eachHolder reads the documents that the keyword index names, and visits those that still hold value.
func (e *Engine) eachHolder(ctx context.Context, collection uint32, k keyword, value string, visit func(storage.Document) bool) error {
	prefix := appendKeywordPrefix(nil, collection, k.field, []byte(value))
	return e.each(ctx, prefix, after(prefix), func(key, _ []byte) (bool, error) {
		doc, err := e.load(collection, string(key[len(prefix):]))
		if errors.Is(err, pebble.ErrNotFound) {
			return true, nil // deleted since the iterator was made
		}
		if err != nil {
			return false, err
		}
		still, err := holds(doc.Source, k, value)
		if err != nil {
			return false, readError(err)
		}
		return !still || visit(doc), nil
	})
}

// Scan visits the documents of a collection in the order of their ids. It keeps the state it began with on disk until it
// returns: a visit that takes hours keeps old files from being removed for hours.
func (e *Engine) Scan(ctx context.Context, c storage.Collection, afterID string, visit func(storage.Document) bool) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	coll, err := e.catalogue.find(c)
	if err != nil {
		return err
	}
	prefix := appendDocumentKey(nil, coll.number, "")
	from := prefix
	if afterID != "" {
		from = append(appendDocumentKey(nil, coll.number, afterID), 0) // the next possible id
	}
	return e.each(ctx, from, after(prefix), func(key, value []byte) (bool, error) {
		r, err := parseRecord(value)
		if err != nil {
			return false, readError(err)
		}
		return visit(storage.Document{ID: string(key[len(prefix):]), Version: r.version, Source: r.source.Clone()}), nil
	})
}

// each visits the keys from a key to before another, in one consistent state, until visit gives false or an error.
func (e *Engine) each(ctx context.Context, from, to []byte, visit func(key, value []byte) (bool, error)) error {
	it, err := e.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return readError(err)
		}
		if more, err := visit(it.Key(), value); !more || err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return readError(err)
	}
	return nil
}

var _ storage.Finder = (*Engine)(nil)
