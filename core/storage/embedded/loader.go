package embedded

import (
	"context"
	"fmt"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Load writes documents with the versions that they have, chunk by chunk as Write does.
func (e *Engine) Load(ctx context.Context, c storage.Collection, docs []storage.Document) error {
	ops := make([]storage.Op, len(docs))
	versions := make([]int64, len(docs))
	for i, d := range docs {
		if d.Version < 1 {
			return refusedDocument(d.ID, kerror.ServicesStorageInvalidArgument.New("version", "a positive number"))
		}
		ops[i], versions[i] = storage.Op{Kind: storage.OpPut, ID: d.ID, Source: d.Source}, d.Version
	}
	results, err := e.writeAll(ctx, &bulkWrite{engine: e, address: c, ops: ops, versions: versions})
	if err != nil {
		return err
	}
	for i, r := range results {
		if r.Err != nil {
			return refusedDocument(ops[i].ID, r.Err)
		}
	}
	return nil
}

// refusedDocument says which document an error is about.
func refusedDocument(id string, err error) error { return fmt.Errorf("document %q: %w", id, err) }

var _ storage.Loader = (*Engine)(nil)
