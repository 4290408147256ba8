package embedded

import (
	"bytes"

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

// current reads a document, whole or its head.
func (l *lookup) current(collection uint32, id string, whole bool) (now current, err error) {
	if now.whole = whole; whole {
		now.record, err = l.document(collection, id)
	}
	if err == nil && !now.exists() {
		now.head, err = l.head(collection, id)
	}
	return now, err
}

// document reads a document, whose source is a copy; it has no head when there is none.
func (l *lookup) document(collection uint32, id string) (record, error) {
	var room [keyRoom]byte
	value, ok, err := l.get(appendDocumentKey(room[:0], collection, id))
	if !ok || err != nil {
		return record{}, err
	}
	return readRecord(value)
}

// head reads the head of a document; that of one that never was is zero.
func (l *lookup) head(collection uint32, id string) (head, error) {
	var room [keyRoom]byte
	value, ok, err := l.get(appendHeadKey(room[:0], collection, id))
	if !ok || err != nil {
		return head{}, err
	}
	h, _, err := parseHead(value)
	if err != nil {
		return head{}, readError(err)
	}
	return h, nil
}
