package storagetest

import (
	"context"
	"errors"
	"testing"

	"github.com/sluicehq/sluice/core/storage"
)

// TestFaulty: every call but Close is failed by its name, and does not reach the engine (there is none).
func TestFaulty(t *testing.T) {
	var asked []string
	broken := errors.New("broken")
	f := Faulty{Fail: func(op string, _ storage.Collection, _ string) error {
		asked = append(asked, op)
		return broken
	}}
	calls := append([]call{
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
	}, documentCalls...)
	for _, m := range calls {
		if err := m.do(t.Context(), f, storage.Collection{}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", m.name, err)
		}
		if asked[len(asked)-1] != m.name {
			t.Errorf("%s asked for %q", m.name, asked[len(asked)-1])
		}
	}
}
