package embedded

import (
	"bytes"
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"
)

// lookup reads single keys, many of which are not there. Unlike Get of Pebble it asks the filters of the lowest level too, so
// that a key that is not there costs no block of the disk. It sees what was applied before its first read.
type lookup struct {
	db   *pebble.DB
	iter *pebble.Iterator
}

// get gives the value of a key, which is good until the next one; ok is false when there is none.
func (l *lookup) get(key []byte) (value []byte, ok bool, err error) {
	if l.iter == nil {
		if l.iter, err = l.db.NewIter(&pebble.IterOptions{UseL6Filters: true}); err != nil {
			return nil, false, readError(err)
		}
	}
	if !l.iter.SeekPrefixGE(key) {
		if err := l.iter.Error(); err != nil {
			return nil, false, readError(err)
		}
		return nil, false, nil
	}
	if !bytes.Equal(l.iter.Key(), key) {
		return nil, false, nil
	}
	if value, err = l.iter.ValueAndErr(); err != nil {
		return nil, false, readError(err)
	}
	return value, true, nil
}

// close lets go of the state that was read; the lookup may be used again, and then sees a later one.
func (l *lookup) close() {
	if l.iter != nil {
		_ = l.iter.Close() // what it could not read was told by get
		l.iter = nil
	}
}

// current reads the document, or the version it had when it was deleted.
func (l *lookup) current(collection uint32, id string) (current, error) {
	r, ok, err := l.document(collection, id)
	if ok || err != nil {
		return current{exists: ok, record: r}, err
	}
	version, err := l.deleted(collection, id)
	return current{record: record{version: version}}, err
}

// document reads a document, whose source is a copy.
func (l *lookup) document(collection uint32, id string) (r record, ok bool, err error) {
	var room [keyRoom]byte
	value, ok, err := l.get(appendDocumentKey(room[:0], collection, id))
	if !ok || err != nil {
		return r, false, err
	}
	r, err = readRecord(value)
	return r, err == nil, err
}

// deleted reads the version that a document had when it was deleted, 0 when there never was one.
func (l *lookup) deleted(collection uint32, id string) (int64, error) {
	var room [keyRoom]byte
	value, ok, err := l.get(appendDeletedKey(room[:0], collection, id))
	if !ok || err != nil {
		return 0, err
	}
	version, n := binary.Uvarint(value)
	if n <= 0 {
		return 0, readError(errRecord)
	}
	return int64(version), nil //nolint:gosec // as it was written
}
