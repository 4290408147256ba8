package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// recordPlain is the only kind of record so far: the head, then the source. The kind is the
// first byte, so that a later one can stand beside it.
const recordPlain byte = 1

// recordRoom is what a record needs at most besides its source.
const recordRoom = 1 + 2*binary.MaxVarintLen64

var errRecord = errors.New("malformed record")

// head is what most writes need to know of what they replace. It stands in the record, and by itself, where it stays when the
// document is deleted: a write of many documents finds the heads in few blocks, which fit into memory when the documents do not.
type head struct {
	version int64
	// position is the number of the write that made the document, by which the search index knows it; 0 when there is none, and
	// version is the last one that there was.
	position uint64
}

func (h head) exists() bool { return h.position != 0 }

// append adds the version and the position as uvarints.
func (h head) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(h.version)) //nolint:gosec // a version is positive
	return binary.AppendUvarint(b, h.position)
}

// parseHead reads a head, and gives what follows it.
func parseHead(b []byte) (h head, rest []byte, err error) {
	version, n := binary.Uvarint(b)
	if n <= 0 {
		return h, nil, fmt.Errorf("%w: no version", errRecord)
	}
	b = b[n:]
	if h.position, n = binary.Uvarint(b); n <= 0 {
		return h, nil, fmt.Errorf("%w: no position", errRecord)
	}
	h.version = int64(version) //nolint:gosec // as it was written
	return h, b[n:], nil
}

// record is a stored document.
type record struct {
	head
	source jsontext.Value
}

func appendRecord(b []byte, r record) []byte {
	return append(r.append(append(b, recordPlain)), r.source...)
}

// parseRecord splits a record; source points into b.
func parseRecord(b []byte) (r record, err error) {
	if len(b) == 0 || b[0] != recordPlain {
		return r, fmt.Errorf("%w: unknown kind", errRecord)
	}
	h, source, err := parseHead(b[1:])
	return record{head: h, source: source}, err
}
