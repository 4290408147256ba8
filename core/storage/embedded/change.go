package embedded

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/source"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// change is one write, of a method of Documents or of Bulk.
type change struct {
	kind      storage.OpKind
	id        string
	ifVersion int64
	forget    bool
	// version is the one that the document gets; 0 is the next one.
	version int64
	// source and fallback (what OpUpsert creates) are valid objects in memory of their own, unless bad says what they are not.
	source, fallback jsontext.Value
	bad              error
}

// newChange checks what can be checked without the document, and copies the sources: the caller's memory stays the caller's.
func newChange(op storage.Op) change {
	ch := change{kind: op.Kind, id: op.ID, ifVersion: op.IfVersion}
	switch op.Kind {
	case storage.OpCreate, storage.OpPut, storage.OpReplace:
		ch.source, ch.bad = object("source", op.Source)
	case storage.OpUpdate:
		ch.source, ch.bad = object("partial", op.Source)
	case storage.OpUpsert:
		if ch.source, ch.bad = object("partial", op.Source); ch.bad == nil {
			ch.fallback, ch.bad = object("default", op.Default)
		}
	case storage.OpDelete:
	default:
		ch.bad = kerror.ServicesStorageInvalidArgument.New("kind", "a kind of write")
	}
	return ch
}

// current is a document as a write finds it. It has its source only when it is whole.
type current struct {
	record
	whole bool
}

// merges reports whether the write needs the source of what is there.
func (ch change) merges() bool { return ch.kind == storage.OpUpdate || ch.kind == storage.OpUpsert }

// decide gives the source to write over what is there, nil to remove the document.
func (ch change) decide(c storage.Collection, old current) (jsontext.Value, error) {
	switch ch.kind {
	case storage.OpCreate:
		if old.exists() {
			return nil, kerror.ServicesStorageDocumentAlreadyExists.New()
		}
	case storage.OpReplace, storage.OpUpdate, storage.OpDelete:
		if !old.exists() {
			return nil, notFound(c, ch.id)
		}
	}
	if ch.bad != nil {
		return nil, ch.bad
	}
	if ch.ifVersion != 0 && (!old.exists() || old.version != ch.ifVersion) {
		return nil, kerror.ServicesStorageTooManyChanges.New(ch.id)
	}
	switch {
	case ch.kind == storage.OpUpsert && !old.exists():
		return ch.fallback, nil
	case ch.merges():
		merged, err := source.Merge(old.source, ch.source)
		if err != nil {
			return nil, readError(err)
		}
		return merged, nil
	}
	return ch.source, nil
}
