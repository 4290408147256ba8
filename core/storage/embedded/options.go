package embedded

import (
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say where and how to open the engine.
type Options struct {
	// Dir holds the data; it is made when it does not exist. Required.
	Dir string
	// CacheBytes bounds the cache of blocks read from disk; it fills as needed. 0 means 64 MiB.
	CacheBytes int64
	// IndexBytes bounds what the search indexes keep in memory until it is written to files. 0 means 64 MiB.
	IndexBytes int64
	// IndexDocuments is how many writes to a collection are kept there at most; 0 means 25,000. Tests make it small.
	IndexDocuments int
	// Logger takes what the engine has to say about its disk; nil means slog.Default().
	Logger *slog.Logger
	// FS replaces the disk in tests; nil means the real one, watched for slowness.
	FS vfs.FS
}

const (
	defaultCacheBytes     = 64 << 20
	defaultIndexBytes     = 64 << 20
	defaultIndexDocuments = 25_000
	// memtableBytes is small because memory counts more here than the longest possible write burst; Pebble starts with
	// 256 KiB and doubles.
	memtableBytes = 8 << 20
	// memtables is how many full memtables may wait for the disk before writers do.
	memtables = 4
	// indexBlockBytes lets a file of the usual size have one block that says where its documents are. The 4 KiB of Pebble make
	// that two levels, of which every look-up reads both.
	indexBlockBytes = 256 << 10
	// fileFormat is Pebble's on-disk format. It must know synced offsets in the log (FormatWALSyncChunks), else damage to
	// acknowledged records at its end would look like a torn tail. Raising it cannot be undone: an older binary will not open
	// the directory.
	fileFormat = pebble.FormatValueSeparation
)

func (o Options) pebble(h *health, log pebbleLog) *pebble.Options {
	p := &pebble.Options{
		CacheSize:                   o.CacheBytes,
		EventListener:               listener(h, log.log),
		FS:                          o.FS,
		FormatMajorVersion:          fileFormat,
		Logger:                      log,
		MaxOpenFiles:                256,
		MemTableSize:                memtableBytes,
		MemTableStopWritesThreshold: memtables,
	}
	for i := range p.Levels {
		// A look-up of an id that is not there, as in every Create, should not read a block on each level.
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		p.Levels[i].IndexBlockSize = indexBlockBytes
	}
	return p
}
