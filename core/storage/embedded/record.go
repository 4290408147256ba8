package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// recordPlain is the only kind of record so far: the version as uvarint, then the source. The kind is the first byte, so
// that a later one (with a position in the sequence log) can stand beside it.
const recordPlain byte = 1

var errRecord = errors.New("malformed record")

func appendRecord(b []byte, version int64, source jsontext.Value) []byte {
	b = binary.AppendUvarint(append(b, recordPlain), uint64(version)) //nolint:gosec // a version is positive
	return append(b, source...)
}

// parseRecord splits a record; source points into b.
func parseRecord(b []byte) (version int64, source jsontext.Value, err error) {
	if len(b) == 0 || b[0] != recordPlain {
		return 0, nil, fmt.Errorf("%w: unknown kind", errRecord)
	}
	v, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return 0, nil, fmt.Errorf("%w: no version", errRecord)
	}
	return int64(v), jsontext.Value(b[1+n:]), nil //nolint:gosec // as it was written
}
