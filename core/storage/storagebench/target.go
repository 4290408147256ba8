package storagebench

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"
)

// Target is an engine that is measured. Its methods are called by many goroutines; writes are durable when they return.
type Target interface {
	named
	// Create writes a new document, found says that searches see it on return.
	Create(ctx context.Context, d Document, found bool) error
	Get(ctx context.Context, id string) error
	// Search reads a whole answer of as many hits with their sources, and gives how many documents match.
	Search(ctx context.Context, body jsontext.Value, hits int) (total int, err error)
	Count(ctx context.Context, query jsontext.Value) (int, error)
	// Bulk writes the documents, whether or not they are there.
	Bulk(ctx context.Context, documents []Document) error
	// Update sets qty of the documents that match, Delete removes them; both give how many there were. Documents that somebody
	// writes at the same time may be left out.
	Update(ctx context.Context, query jsontext.Value, qty int) (int, error)
	Delete(ctx context.Context, query jsontext.Value) (int, error)
	// Settle returns when searches see every write.
	Settle(ctx context.Context) error
	// Usage is what the engine takes now.
	Usage(ctx context.Context) (Usage, error)
	// Close removes the documents.
	Close() error
}

// Usage is what an engine takes, in bytes; 0 is unknown.
type Usage struct {
	// Memory is all that is resident, Own the part that is not the cache of a file.
	Memory, Own, Disk int64
}
