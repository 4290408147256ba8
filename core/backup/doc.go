// Package backup copies the data folder of a node while the node runs, and makes a data folder of such a copy.
//
// The process that runs the node has its storage to itself, so that only it can copy it: it listens on a socket in its data
// folder, Serve, and "sluice backup" asks it there, Ask. Whoever may open the socket is the user that runs the node (the
// folder of the socket lets nobody else in), so there is nothing to log in to, and nothing is reachable over the network.
//
// It does not know what the engine of documents writes: that is the engine's own. It is not for copies of a folder without node: that
// folder can be copied as it is. core/node imports it; it imports nothing of Sluice.
//
// # What a backup is
//
// A folder with
//
//	backup.json   the names and sizes of all files, written last: a folder without it is no complete backup
//	documents/    what Engine.Backup wrote
//	              and copies of the files that Source.Files names
//
// Files may be hard links to those of the data folder, which never change once they are complete. So a backup on the same
// disk is quick and small, but it does not survive that disk: copy it to another machine.
package backup
