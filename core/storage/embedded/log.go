package embedded

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// What an entry of the log did.
const (
	logPut    byte = 1
	logDelete byte = 2
)

// logEntry says what one write did, so that the search index can be brought up to date after a restart. It is written in the
// batch of the document, and removed once a file of the index holds what it did. old is the position of the version that
// went away, 0 when there was none.
type logEntry struct {
	op  byte
	old uint64
	id  string
}

func stageLog(batch *pebble.Batch, collection uint32, position uint64, entry logEntry) {
	var room [keyRoom]byte
	value := make([]byte, 0, 1+binary.MaxVarintLen64+len(entry.id))
	value = append(binary.AppendUvarint(append(value, entry.op), entry.old), entry.id...)
	_ = batch.Set(appendLogKey(room[:0], collection, position), value, nil)
}

// parseLog reads an entry from its key and its value.
func parseLog(key, value []byte) (position uint64, entry logEntry, err error) {
	if len(key) != logKeyBytes || len(value) == 0 || value[0] != logPut && value[0] != logDelete {
		return 0, entry, fmt.Errorf("%w: log entry %x", errRecord, key)
	}
	old, n := binary.Uvarint(value[1:])
	if n <= 0 {
		return 0, entry, fmt.Errorf("%w: log entry %x", errRecord, key)
	}
	return binary.BigEndian.Uint64(key[logKeyBytes-8:]), logEntry{op: value[0], old: old, id: string(value[1+n:])}, nil
}
