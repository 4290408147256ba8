package embedded

import (
	"context"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// CreateIndex is not there yet.
func (e *Engine) CreateIndex(context.Context, storage.Scope, string) error {
	return kerror.ServicesStorageUnexpectedError.New("not there yet")
}

// Indexes is not there yet.
func (e *Engine) Indexes(context.Context, storage.Scope) ([]string, error) {
	return nil, kerror.ServicesStorageUnexpectedError.New("not there yet")
}

// DropIndex is not there yet.
func (e *Engine) DropIndex(context.Context, storage.Scope, string) error {
	return kerror.ServicesStorageUnexpectedError.New("not there yet")
}

// Describe is not there yet.
func (e *Engine) Describe(context.Context, storage.Collection) (storage.Spec, error) {
	return storage.Spec{}, kerror.ServicesStorageUnexpectedError.New("not there yet")
}

// Truncate is not there yet.
func (e *Engine) Truncate(context.Context, storage.Collection) error {
	return kerror.ServicesStorageUnexpectedError.New("not there yet")
}

var _ storage.Indexes = (*Engine)(nil)
