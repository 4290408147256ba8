// Package embedded is the default document engine: Sluice's own, in one directory, over Pebble (an LSM store that brings
// the log, group commit, checksums and compaction).
//
// It is for a node that needs no database beside it. It is not for several nodes on the same documents: the directory is
// locked by the process that has it open (see core/storage/elastic). Only core/node imports it; everyone else
// works with storage.Engine.
//
// # Durability
//
// A write is acknowledged when its log record is synced; writers that wait at the same time share one sync. It is applied
// under the lock of its document, and waits for the disk after that lock is free, so that writers of one document are
// ordered but do not queue for the disk one after the other. Two consequences:
//
//   - A reader can see a write shortly before it is acknowledged. Everything that was derived from it comes later in the
//     same log: a second write that was made on top of the first is durable only when the first is.
//   - A write that failed with services.storage.unexpected_error has an unknown outcome, as with every database whose
//     disk failed under it: after a restart it may be there or not, always whole. Every other error means that nothing
//     changed.
//
// A context is looked at when an operation starts, between the documents of Scan, Find and Ensure, and between the chunks of
// Bulk; a write that has been applied waits for the disk however short the deadline.
//
// # Bulk
//
// Write works in chunks of 500 ops or 1 MiB. A chunk is one batch in the log: it is applied under the locks of all its
// documents, which are taken in one order, and after a crash it is there as a whole or not at all. It waits for the disk while
// the next chunk is applied. A disk that fails marks the ops of the chunks that were open and all that follow; ops of earlier
// chunks are durable.
//
// # Mappings
//
// A document is read by the mapping of its collection under its lock, before anything is written. Fields that it adds are
// stored in its own batch, by one writer at a time, and the mapping with them becomes that of the collection once the batch is
// applied: a document with a field is never there without the field. Writers that add none do not wait. A collection without
// mapping is not looked at.
//
// # When the disk fails
//
//   - The log cannot be written or synced: the engine stops. That write and every call after it, reads too (memory may be
//     ahead of the disk), fail with services.storage.unexpected_error; Healthy says why. The process lives; a restart
//     recovers from what is on the disk. Trying the same log again would be wrong: after a failed fsync the kernel may
//     report success for pages it has dropped.
//   - A flush or compaction fails (a full disk): writes are refused and Healthy fails until one succeeds again, which is
//     tried every 100 ms. Reads go on, since all they show is in the log.
//   - A checksum does not match: that read fails, the damaged bytes are never served; Healthy fails and writes are refused
//     until the operator has restored a backup and restarted. Damage in the log is found when it is read at the next
//     start, but in its last 32 KiB it looks like the torn end that a power cut leaves: the log ends there then.
//   - The list of files (MANIFEST) cannot be written, or no new log can be begun: the process ends with status 1 or 2, since
//     neither going on nor undoing is safe. Nothing acknowledged is lost; the next start recovers.
//
// # Keys
//
// keys.go has the layout. Search will add a sequence log, written in the same batch as the document (position →
// collection, id, operation) under the prefix that is reserved for it, and trimmed up to the position that the newest
// index segment on disk contains. Nothing reads such a log yet, so nothing would bound it: it is not written.
//
// # Versions of deleted documents
//
// The version outlives the document, so that a document created again never repeats one. That costs the id and about ten
// bytes for each id that was ever deleted and not created again, in a key range of their own where no Scan meets them.
// They go away with the collection: Drop forgets them, and a collection made again counts from 1. A Delete that is told to
// forget leaves nothing behind; sessions are deleted so.
package embedded
