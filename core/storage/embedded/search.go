package embedded

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func later() error { return kerror.ServicesStorageUnexpectedBadRequest.New("search: not supported yet") }

// Search is not there yet.
func (e *Engine) Search(context.Context, storage.Search) (storage.Found, error) {
	return storage.Found{}, later()
}

// NextHits is not there yet.
func (e *Engine) NextHits(context.Context, storage.Scope, string, time.Duration) (storage.Found, error) {
	return storage.Found{}, later()
}

// Count is not there yet.
func (e *Engine) Count(context.Context, []storage.Collection, jsontext.Value) (int, error) {
	return 0, later()
}

// Select is not there yet.
func (e *Engine) Select(context.Context, storage.Collection, jsontext.Value, int, func([]storage.Document) error) error {
	return later()
}

// Refresh has nothing to do.
func (e *Engine) Refresh(context.Context, storage.Collection) error { return nil }

// Size is not there yet.
func (e *Engine) Size(context.Context, storage.Collection) (storage.Size, error) {
	return storage.Size{}, later()
}
