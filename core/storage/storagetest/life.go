package storagetest

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testLife: an open engine is well, a closed one answers nothing.
func testLife(t *testing.T, open Open) {
	f := setUp(t, open, "k")
	f.put(t, "a", `{"k":"v"}`)
	wantErr(t, "Healthy", f.Healthy(t.Context()), nil)
	info, err := f.Info(t.Context())
	wantErr(t, "Info", err, nil)
	if info.Type == "" || info.Version == "" || info.SpaceBytes <= 0 {
		t.Errorf("Info gave %+v", info)
	}

	wantErr(t, "Close", f.Close(), nil)
	for _, m := range append([]call{
		{"Ensure", func(ctx context.Context, e storage.Engine, c storage.Collection) error {
			return e.Ensure(ctx, c, storage.Spec{})
		}},
		{"Drop", func(ctx context.Context, e storage.Engine, c storage.Collection) error { return e.Drop(ctx, c) }},
		{"List", func(ctx context.Context, e storage.Engine, _ storage.Collection) error {
			_, err := e.List(ctx, storage.Public)
			return err
		}},
		{"Info", func(ctx context.Context, e storage.Engine, _ storage.Collection) error {
			_, err := e.Info(ctx)
			return err
		}},
		{"Healthy", func(ctx context.Context, e storage.Engine, _ storage.Collection) error { return e.Healthy(ctx) }},
	}, documentCalls...) {
		wantErr(t, m.name+" after Close", m.do(t.Context(), f, f.c), kerror.ServicesStorageNotConnected)
	}
}
