// Package embedded is the default document engine: Sluice's own, in one directory, over Pebble (an LSM store that brings
// the log, group commit, checksums and compaction) and a search index of its own.
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
//     Open waits for that too, and says every few seconds what for; it ends when its context does.
//   - A file of a search index cannot be written: searches and writes go on in memory and it is tried every 100 ms, and
//     Healthy fails meanwhile. Once the memory is full writes are refused until a file can be written.
//   - A checksum of the database does not match: that read fails, the damaged bytes are never served; Healthy fails and writes are refused
//     until the operator has restored a backup and restarted. Damage in the log is found when it is read at the next
//     start, but in its last 32 KiB it looks like the torn end that a power cut leaves: the log ends there then. Close leaves
//     nothing in the log, so that this is about nodes that were killed.
//   - The list of files (MANIFEST) cannot be written, or no new log can be begun: the process ends with status 1 or 2, since
//     neither going on nor undoing is safe. Nothing acknowledged is lost; the next start recovers.
//
// # Search
//
// Each collection has an index beside its documents, in segments: files that never change and memories (package segment). Every
// write takes a number, its position, which the record of the document carries, so that the old version is found in the index
// when a new one comes. A unit of writes is analysed and added to the memory before it is applied, where no search sees it; once
// it is applied all of its documents appear and the versions they replace disappear at once, before the write is acknowledged.
// So a search sees every acknowledged write, never sees half of a unit, and never sees two versions of a document or none while
// it is updated. Like a reader it can see a write shortly before it is acknowledged. RefreshWaitFor has nothing to wait for.
//
// A search works on views: which documents live is an immutable set for each segment, so that what is written meanwhile does not
// change what it finds. Sources are read when the hits are known: a document that has changed since is given as it is then, one that
// is gone is left out. A scroll reads from a snapshot of the database that was taken with the views, between two writes. At most
// as many searches as there are processors compute at once; the others wait.
//
// # The index on disk
//
//   - When a memory has 25,000 writes it waits to become a file, and another one takes the writes. When the memories of all
//     collections together need more than half of Options.IndexBytes the largest and oldest wait; when those that wait need more
//     than the other half, writers do.
//   - One goroutine writes files. Then one batch in the database makes the file count: the manifest of the collection with the
//     position it covers, the documents of older files that have died, and the removal of the log up to there.
//   - Another goroutine merges four files of about the same size into one, and rewrites those that are mostly dead. It rests as
//     long as it worked. Small files become one with the memory that follows them when there are three, and what would become a
//     file above 1 GiB is not merged: so neither the files of a collection nor the memory of a merge grow without bound.
//   - The log has an entry for every write, in the batch of the document. What a restart does not find in files it reads from
//     there, so that a start does not take longer because there are more documents.
//
// An index is only derived: the documents are the truth. A file that is missing, or a part of one whose checksum does not match
// when it is first read, makes the index lost. Searches of the collection fail with services.storage.unexpected_error, Healthy
// tells, and the index is made again from the documents in the background (rebuild.go), while they are read and written. A client
// tries again later. A document is indexed by the mapping of the moment: one that was written before a field was mapped is not found
// by that field until it is written again, or the index made again.
//
// A directory of an older layout, without index, is refused at Open.
//
// # Backup
//
// Backup copies the directory while it is used: a checkpoint of the database, and links to the files of the indexes.
//
// # Keys
//
// keys.go has the layout.
//
// # Versions of deleted documents
//
// The version outlives the document in its head, so that a document created again never repeats one. That costs the id and about
// ten bytes for each id that was ever deleted and not created again, in a key range of their own where no Scan meets them.
// They go away with the collection: Drop forgets them, and a collection made again counts from 1. A Delete that is told to
// forget leaves nothing behind; sessions are deleted so.
package embedded
