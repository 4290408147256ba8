// Package storagebench measures document engines: the same documents, the same rows of work, one after the other on every
// engine, in one run, so that what else the machine does falls on all of them. `sluice bench storage` prints what it gives.
//
// The embedded engine is measured in this process; Elasticsearch over go-elasticsearch, without core/storage/elastic between,
// as a program would call it. Before anything is measured the engines must agree on the totals of every search. A node and
// PocketBase are measured over HTTP. Only the command line imports this package.
package storagebench
