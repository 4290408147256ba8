package embedded

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/sluicehq/sluice/core/storage"
)

// The layout of the keys. Numbers are big-endian, so that the order of keys is the order of numbers.
//
//	0x01 'f'                                          format of this layout, one byte
//	0x01 'n'                                          the last collection number given, 4 bytes
//	0x01 'c' scope index 0x00 name                    a collection: catalogueRecord as JSON
//	0x01 'i' scope index                              an index: empty
//	0x02 collection(4) 'd' id                         a document: record
//	0x02 collection(4) 'h' id                         its head, which outlives it: head
//	0x02 collection(4) 'i'                            the files of the search index: manifest as JSON
//	0x02 collection(4) 'k' field(4) value id          a keyword of a document: empty
//	0x02 collection(4) 'm'                            the mapping of the collection as JSON; absent when it has none
//	0x02 collection(4) 'x' file(8)                    the dead documents of a file of the search index: roaring bitmap
//	0x03 collection(4) position(8)                    the log of the search index: logEntry
//
// Everything of a collection is two ranges, so that Drop is two range deletions; its number is never given again, and Truncate
// gives a new one. The log is apart, because it is written in order and removed from the front. The mapping is apart from the record of the collection, because writes of documents change it. A value is
// 0x00 length(2) text, or 0x01 and the SHA-256 of a text above maxPlainKeyword bytes (Find compares the document itself).
const (
	spaceMeta byte = 1
	spaceData byte = 2
	spaceLog  byte = 3

	metaFormat     byte = 'f'
	metaLastNumber byte = 'n'
	metaCollection byte = 'c'
	metaIndex      byte = 'i'

	kindDocument byte = 'd'
	kindHead     byte = 'h'
	kindManifest byte = 'i'
	kindKeyword  byte = 'k'
	kindMapping  byte = 'm'
	kindDead     byte = 'x'

	// formatVersion is the version of the layout; another one is refused at Open.
	formatVersion byte = 3

	maxPlainKeyword = 256
	// keyRoom is the room that fits most keys, for buffers on the stack.
	keyRoom = 96
	// logKeyBytes is how long a key of the log is.
	logKeyBytes = 1 + 4 + 8
)

var (
	formatKey     = []byte{spaceMeta, metaFormat}
	lastNumberKey = []byte{spaceMeta, metaLastNumber}
	catalogueKeys = []byte{spaceMeta, metaCollection}
	indexKeys     = []byte{spaceMeta, metaIndex}
)

func appendCollectionKey(b []byte, c storage.Collection) []byte {
	b = append(b, spaceMeta, metaCollection, byte(c.Scope))
	b = append(b, c.Index...)
	b = append(b, 0)
	return append(b, c.Name...)
}

func indexKey(i index) []byte {
	return append([]byte{spaceMeta, metaIndex, byte(i.scope)}, i.name...)
}

func mappingKey(collection uint32) []byte {
	return append(appendDataPrefix(nil, collection), kindMapping)
}

func appendDataPrefix(b []byte, collection uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, spaceData), collection)
}

func appendDocumentKey(b []byte, collection uint32, id string) []byte {
	return append(append(appendDataPrefix(b, collection), kindDocument), id...)
}

func appendHeadKey(b []byte, collection uint32, id string) []byte {
	return append(append(appendDataPrefix(b, collection), kindHead), id...)
}

func manifestKey(collection uint32) []byte {
	return append(appendDataPrefix(nil, collection), kindManifest)
}

// deadPrefix begins the keys of the dead documents of all files.
func deadPrefix(collection uint32) []byte {
	return append(appendDataPrefix(nil, collection), kindDead)
}

func deadKey(collection uint32, file uint64) []byte {
	return binary.BigEndian.AppendUint64(deadPrefix(collection), file)
}

func appendLogPrefix(b []byte, collection uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, spaceLog), collection)
}

func appendLogKey(b []byte, collection uint32, position uint64) []byte {
	return binary.BigEndian.AppendUint64(appendLogPrefix(b, collection), position)
}

// appendFieldPrefix begins every key of one keyword field.
func appendFieldPrefix(b []byte, collection, field uint32) []byte {
	return binary.BigEndian.AppendUint32(append(appendDataPrefix(b, collection), kindKeyword), field)
}

// appendKeywordPrefix begins the keys of every document that holds value; the id follows.
func appendKeywordPrefix(b []byte, collection, field uint32, value []byte) []byte {
	b = appendFieldPrefix(b, collection, field)
	if len(value) > maxPlainKeyword {
		sum := sha256.Sum256(value)
		return append(append(b, 1), sum[:]...)
	}
	b = binary.BigEndian.AppendUint16(append(b, 0), uint16(len(value))) //nolint:gosec // longer values are hashed
	return append(b, value...)
}

// after gives the first key behind all keys that begin with prefix. Prefixes begin with a space, which is never 0xff, so
// that there always is one.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
