// Package elastic is the document engine on an Elasticsearch 8: for nodes that share their documents, and for the data of an
// existing Kuzzle 2, whose index and alias conventions it keeps.
//
// It stores what it is given and searches it. It is not for running Elasticsearch. Only core/node imports it; everyone else
// works with storage.Engine.
//
// # Names
//
// The collection c of the public index i is the physical index "&i.c" behind the alias "@&i.c"; in the internal scope "%"
// stands for "&". Everything goes through the alias. A physical name that is taken gets ".<number>" behind it, and so does the
// one that Truncate makes. The collection "_kuzzle_keep" keeps an empty index in being and is never listed.
//
// # What is kept in the mapping
//
// The settings of a Spec stand in the mapping's _meta under "_sluice", a keyword is a field "_sluice.<name>"; Describe leaves both
// out. A keyword that a collection was made with is indexed there by a script that reads the document, so that the document
// stays as it was given and may hold anything under that name. In a collection that Kuzzle made it is an alias of Kuzzle's own
// keyword field. Any other keyword, and a value too long to be indexed, is found by reading all documents of the collection, since
// indexing them would change their versions.
//
// # Consistency
//
//   - Nothing is remembered that decides whether something exists or is written: another node may make and drop collections
//     at any time. The mapping is remembered to check documents by, so that a refusal is that of the embedded engine; before a
//     document is refused the mapping is read again.
//   - A write that depends on the document (Replace, Delete, IfVersion) reads it first and is held to its sequence number.
//     When it meets another write it starts over, unless IfVersion forbids.
//   - A write is never sent twice when it may have been done: only a connection that could not be made is tried on the next
//     address, and what Elasticsearch refused because it was busy (429) is sent again, five times with pauses. A read whose
//     connection breaks is tried on the next address too. services.storage.not_connected for a write leaves open whether it
//     happened, unless the text says that there was no shard or since when nobody answers.
//   - Find and Scan refresh the collection first. RefreshWaitFor forces a refresh: wait_for takes up to a second, forcing
//     about ten milliseconds, and a shard does one refresh for all who wait.
//   - Scan and Find sort ids in memory, since Elasticsearch does not sort by them: about 50 bytes for each document.
//
// # Joined requests
//
//   - Writes of concurrent callers to one collection become one _bulk: while four are under way, others wait and go together, in
//     their order. What must be seen by searches goes in a _bulk of its own. Reads of documents by id are joined likewise.
//     Nobody waits for company, and no collection for another.
//   - Each write keeps its own result, and is tried again by itself. A _bulk that is refused as a whole for what it holds is sent
//     again in halves: Elasticsearch reads all of it before it does anything.
//   - The end of a caller's ctx ends his waiting only. A write that was not sent by then never is; otherwise it goes on.
//   - What waits is bounded in number, bytes and time (services.storage.too_many_operations). What is large goes by itself.
//
// # Faults
//
//   - After Options.BreakerFailures requests in a row without an answer of a working cluster, the next ones fail at once. A
//     monitor asks every Options.ProbeInterval how Elasticsearch is, and its first answer lets requests through again. A
//     refusal that concerns one index, such as one that is red, does not count.
//   - Options.MaxRequests run at once, each with a time limit of its own; others wait as long, and then fail with
//     services.storage.too_many_operations.
//   - Ready says what the monitor knows: nil unless Elasticsearch is away, red, or refuses the node.
//   - A full disk (the flood stage) and blocks refuse writes with services.storage.unexpected_error, whose text says what an
//     operator must do. Reads go on.
//   - A shard that is away is waited for a third of Options.Timeout by a write, and not a second by a read.
//
// # Where it differs from the embedded engine
//
//   - The version of a deleted document is known for index.gc_deletes, an hour in collections made here, and not after a restart
//     of Elasticsearch. A document created again later counts from 1.
//   - Update stores what Elasticsearch makes of numbers in the whole document: 1.50 becomes 1.5, beyond a double digits are lost.
//   - A document must have no empty field names and at most 1000 levels, even without a mapping.
//   - A collection whose mapping uses what core/storage/mapping does not know, such as its own analyzers, is used as it is:
//     Elasticsearch alone checks its documents.
package elastic
