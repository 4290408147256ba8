package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Mark is the collection that an unfinished target has.
var Mark = storage.Collection{Scope: storage.Internal, Index: "sluice-migration", Name: "state"}

// migrationID is the document that says what is copied.
const migrationID = "migration"

// markFormat is the layout of the mark.
const markFormat = 1

// about is the document migrationID.
type about struct {
	Format int    `json:"format"`
	From   string `json:"from"`
	To     string `json:"to"`
}

// position is how far a collection has been copied.
type position struct {
	// After is the last id that is known to be in the target.
	After     string `json:"after"`
	Documents int    `json:"documents"`
	Whole     bool   `json:"whole"`
	// Differs says that the copy was found to be another than the source: it is copied anew.
	Differs bool `json:"differs"`
}

// positionID is the id of a collection's document. No name has a dot.
func positionID(c storage.Collection) string {
	return c.Scope.String() + "." + c.Index + "." + c.Name
}

// Unfinished fails when the documents in an engine are those of a migration that has not ended.
func Unfinished(ctx context.Context, e storage.Engine) error {
	a, err := readAbout(ctx, e)
	if err != nil || a == nil {
		return err
	}
	return fmt.Errorf(`these documents are an unfinished copy of %s: stop all nodes on either of them, and let "sluice migrate" go on by running it again as before`, a.From)
}

// readAbout gives nil when there is no mark.
func readAbout(ctx context.Context, e storage.Engine) (*about, error) {
	var a about
	if ok, err := read(ctx, e, migrationID, &a); err != nil || !ok {
		return nil, err
	}
	if a.Format != markFormat {
		return nil, errors.New("the unfinished migration was begun by another version of this program: go on with that one, or begin anew in an empty target")
	}
	return &a, nil
}

// read reads a document of the mark; ok is false when there is none.
func read(ctx context.Context, e storage.Engine, id string, to any) (ok bool, err error) {
	doc, err := e.Get(ctx, Mark, id)
	switch {
	case errors.Is(err, kerror.ServicesStorageUnknownIndex), errors.Is(err, kerror.ServicesStorageUnknownCollection),
		errors.Is(err, kerror.ServicesStorageNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read the mark of a migration: %w", err)
	}
	if err := json.Unmarshal(doc.Source, to); err != nil {
		return false, fmt.Errorf("read the mark of a migration: %w", err)
	}
	return true, nil
}

// write writes a document of the mark.
func write(ctx context.Context, e storage.Engine, id string, v any) error {
	source, err := json.Marshal(v)
	if err == nil {
		_, _, err = e.Put(ctx, Mark, id, source, storage.WriteOptions{})
	}
	if err != nil {
		return fmt.Errorf("write the mark of the migration: %w", err)
	}
	return nil
}
