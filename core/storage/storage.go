// Package storage is the seam between Sluice and its document engines: what a document, a collection and a scope are,
// what every engine can do, and which errors it answers with.
//
// core/storage/embedded and core/storage/elastic implement Engine; core/storage/storagetest is the suite both must pass.
// Rights, metadata and validation stand above this seam: an engine stores what it is given. Every package of core and
// every controller may import it; it imports only protocol.
package storage

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"
)

// Scope keeps what users store apart from what the node and its plugins store: the same index name in two scopes is two
// indexes.
type Scope uint8

// The scopes.
const (
	// Public holds the documents that clients reach through the document controller.
	Public Scope = iota
	// Internal holds the node's own collections and those of plugins; no client reaches it except through an action made
	// for it.
	Internal
)

func (s Scope) String() string {
	if s == Internal {
		return "private" // the word of the Kuzzle API
	}
	return "public"
}

// Collection is the address of a collection.
type Collection struct {
	Scope Scope
	Index string
	Name  string
}

// Document is one stored document.
type Document struct {
	ID string
	// Version starts at 1 and grows by one with every write to this id. A document created again after a deletion gets a
	// version above every version it had, unless the deletion was told to forget.
	Version int64
	// Source is a JSON object. It belongs to the engine: the caller must not change it.
	Source jsontext.Value
}

// Spec describes a collection.
type Spec struct {
	// Keywords names the top-level fields that Find must answer for: each holds a text or an array of texts in a document
	// (any other value is not found).
	Keywords []string
	// Mapping says what the fields are: {dynamic?, _meta?, properties?}, see core/storage/mapping. nil is
	// {"dynamic":"false","properties":{}}: any object may be stored and no field is indexed.
	Mapping jsontext.Value
	// Settings are those of the engine, such as analyzers: a JSON object, nil for none.
	Settings jsontext.Value
}

// Refresh says when a write is visible to searches. Get and Find see every acknowledged write at once in any case.
type Refresh uint8

// The refresh modes.
const (
	// RefreshLater lets the engine choose, within a second.
	RefreshLater Refresh = iota
	// RefreshWaitFor returns once searches see the write.
	RefreshWaitFor
)

// WriteOptions refine a write; the zero value asks for nothing special.
type WriteOptions struct {
	// IfVersion makes the write fail with services.storage.too_many_changes unless the document has this version; 0 does
	// not ask.
	IfVersion int64
	Refresh   Refresh
	// Forget lets a Delete keep nothing of the id, which saves room where ids are never used again: a document created
	// under it again may count from 1. Other writes ignore it.
	Forget bool
}

// UpdateOptions refine Update.
type UpdateOptions struct {
	WriteOptions
	// RetryOnConflict is how often an update that lost a race is tried again; it has no meaning together with IfVersion.
	RetryOnConflict int
}

// Documents reads and writes single documents. A write that returned without error survives kill -9 of the node; one that
// returned an error changed nothing. All methods are safe for concurrent use, and fail with
// services.storage.unknown_index or unknown_collection for an address that does not exist.
type Documents interface {
	// Get reads a document; services.storage.not_found when there is none.
	Get(ctx context.Context, c Collection, id string) (Document, error)
	// Create writes a new document; services.storage.document_already_exists when the id is taken.
	Create(ctx context.Context, c Collection, id string, source jsontext.Value, o WriteOptions) (Document, error)
	// Put writes a document whether or not the id is taken.
	Put(ctx context.Context, c Collection, id string, source jsontext.Value, o WriteOptions) (doc Document, created bool, err error)
	// Replace writes over an existing document; services.storage.not_found when there is none.
	Replace(ctx context.Context, c Collection, id string, source jsontext.Value, o WriteOptions) (Document, error)
	// Update merges partial into an existing document: objects are merged key by key at every depth, every other value
	// (null and arrays too) replaces. services.storage.not_found when there is none. It returns the whole new document.
	Update(ctx context.Context, c Collection, id string, partial jsontext.Value, o UpdateOptions) (Document, error)
	// Delete removes a document; services.storage.not_found when there is none.
	Delete(ctx context.Context, c Collection, id string, o WriteOptions) error
}

// Finder answers the exact look-ups that the node itself lives on. It is not search: no analysis, no scores.
type Finder interface {
	// Find gives at most limit documents whose keyword field (declared in Spec.Keywords, else
	// services.storage.invalid_argument) holds value, ordered by id. limit must be positive.
	Find(ctx context.Context, c Collection, field, value string, limit int) ([]Document, error)
	// Scan calls visit for every document of the collection whose id is greater than after, ordered by id, until visit
	// returns false. It reads one consistent state. visit may write to the engine.
	Scan(ctx context.Context, c Collection, after string, visit func(Document) bool) error
}

// Collections makes and lists collections. Index and collection names follow the naming rules of ValidName; a bad one is
// services.storage.invalid_index_name or invalid_collection_name.
type Collections interface {
	// Ensure makes the collection, and its index, when they do not exist. To a collection that exists it adds: a new keyword,
	// whose documents are indexed before Ensure returns, and what is new in the mapping, by the rules of mapping.Merge
	// (services.storage.cannot_change_mapping and invalid_mapping change nothing). Nothing is taken away, but `_meta` and
	// Settings, when given, are replaced.
	Ensure(ctx context.Context, c Collection, spec Spec) error
	// Describe gives the collection as it is now, with the fields that documents added to its mapping.
	Describe(ctx context.Context, c Collection) (Spec, error)
	// Truncate removes all documents of the collection and keeps the rest. Their versions are forgotten.
	Truncate(ctx context.Context, c Collection) error
	// List gives every collection of the scope, ordered by index and name.
	List(ctx context.Context, s Scope) ([]Collection, error)
	// Drop removes the collection with its documents; services.storage.unknown_collection when it does not exist. The index
	// stays, even when it is empty.
	Drop(ctx context.Context, c Collection) error
}

// Indexes makes and lists indexes, which hold collections. A collection brings its index with it, so an index is made here
// only to stand empty.
type Indexes interface {
	// CreateIndex makes an empty index; services.storage.index_already_exists when there is one.
	CreateIndex(ctx context.Context, s Scope, index string) error
	// Indexes lists the scope's, in order.
	Indexes(ctx context.Context, s Scope) ([]string, error)
	// DropIndex removes an index with all collections; services.storage.unknown_index when there is none.
	DropIndex(ctx context.Context, s Scope, index string) error
}

// OpKind is what an Op does: as the method of Documents of that name does it.
type OpKind uint8

// The kinds.
const (
	OpCreate OpKind = iota
	OpPut
	OpReplace
	OpUpdate
	// OpUpsert updates the document, or creates it from Default.
	OpUpsert
	OpDelete
)

// Op is one write of many.
type Op struct {
	Kind OpKind
	ID   string
	// Source is the document, or what changes: for OpUpdate and OpUpsert. OpDelete has none.
	Source jsontext.Value
	// Default is the document that OpUpsert creates.
	Default jsontext.Value
	// IfVersion is that of WriteOptions.
	IfVersion int64
}

// OpResult is what became of an Op.
type OpResult struct {
	// Document is the new one, whole; of OpDelete, the one that is gone, whose source is given when BulkOptions.Previous asks.
	Document Document
	Created  bool
	// Previous is the source of the document as the op found it, when BulkOptions.Previous asks; nil when there was none. No
	// other write came between it and Document. Of OpDelete it is that of Document.
	Previous jsontext.Value
	// Err is nil, or the error that the method of Documents gives.
	Err error
}

// BulkOptions refine Bulk.
type BulkOptions struct {
	Refresh         Refresh
	RetryOnConflict int
	// Previous asks for OpResult.Previous.
	Previous bool
}

// Bulk reads and writes many documents of one collection at once.
type Bulk interface {
	// MGet reads documents in the order of ids; the place of one that does not exist is nil.
	MGet(ctx context.Context, c Collection, ids []string) ([]*Document, error)
	// Write does the ops in their order, so that two on the same id see each other, and gives a result for each, in the same
	// order. Each op holds or fails by itself; those without error are durable when Write returns. Its own error means that
	// no result is known.
	Write(ctx context.Context, c Collection, ops []Op, o BulkOptions) ([]OpResult, error)
}

// Info describes an engine to operators.
type Info struct {
	Type       string `json:"type"`
	Version    string `json:"version"`
	SpaceBytes int64  `json:"spaceUsed"`
}

// Engine is a whole document engine.
//
// Life: opened by its package, used by many goroutines, closed once; after Close every method fails with
// services.storage.not_connected.
type Engine interface {
	Documents
	Finder
	Collections
	Indexes
	Bulk
	Searcher
	// Info reports type, version and size.
	Info(ctx context.Context) (Info, error)
	// Healthy is nil when the engine can read and write.
	Healthy(ctx context.Context) error
	Close() error
}
