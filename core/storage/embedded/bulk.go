package embedded

import (
	"context"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// MGet is not there yet.
func (e *Engine) MGet(context.Context, storage.Collection, []string) ([]*storage.Document, error) {
	return nil, kerror.ServicesStorageUnexpectedError.New("not there yet")
}

// Write is not there yet.
func (e *Engine) Write(context.Context, storage.Collection, []storage.Op, storage.BulkOptions) ([]storage.OpResult, error) {
	return nil, kerror.ServicesStorageUnexpectedError.New("not there yet")
}

var _ storage.Bulk = (*Engine)(nil)
