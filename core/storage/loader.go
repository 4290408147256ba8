package storage

import "context"

// Loader takes over documents of another engine. It is beside Engine, for whoever copies whole collections: no client and no
// plugin decides the version of a document.
type Loader interface {
	// Load writes documents over what is there, each with the version that it has, so that the next write counts on from there.
	// Loading the same again changes nothing. The ids of docs differ, and nobody else writes them meanwhile: a document with
	// another version is replaced, or is services.storage.too_many_changes. An error names the first document that was refused;
	// others of docs may have been written.
	Load(ctx context.Context, c Collection, docs []Document) error
}
