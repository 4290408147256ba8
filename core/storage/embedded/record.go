package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// recordPlain is the only kind of record so far: the version and the position as uvarints, then the source. The kind is the
// first byte, so that a later one can stand beside it.
const recordPlain byte = 1

// recordRoom is what a record needs at most besides its source.
const recordRoom = 1 + 2*binary.MaxVarintLen64

var errRecord = errors.New("malformed record")

// record is a stored document. position is the number of the write that made it, by which the search index knows it.
type record struct {
	version  int64
	position uint64
	source   jsontext.Value
}

func appendRecord(b []byte, r record) []byte {
	b = binary.AppendUvarint(append(b, recordPlain), uint64(r.version)) //nolint:gosec // a version is positive
	return append(binary.AppendUvarint(b, r.position), r.source...)
}

// parseRecord splits a record; source points into b.
func parseRecord(b []byte) (r record, err error) {
	if len(b) == 0 || b[0] != recordPlain {
		return r, fmt.Errorf("%w: unknown kind", errRecord)
	}
	version, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return r, fmt.Errorf("%w: no version", errRecord)
	}
	b = b[1+n:]
	if r.position, n = binary.Uvarint(b); n <= 0 {
		return r, fmt.Errorf("%w: no position", errRecord)
	}
	r.version, r.source = int64(version), jsontext.Value(b[n:]) //nolint:gosec // as it was written
	return r, nil
}
