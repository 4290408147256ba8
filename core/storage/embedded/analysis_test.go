package embedded

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestAnalysisIsKept: what settings define is there when the engine is opened again, stays while a field uses it, and new
// definitions count for what is written and asked from then on.
func TestAnalysisIsKept(t *testing.T) {
	c := storage.Collection{Scope: storage.Public, Index: "i", Name: "c"}
	settings := func(filter string) []byte {
		return []byte(`{"analysis":{"normalizer":{"mine":{"filter":["` + filter + `"]}}}}`)
	}
	fs, ctx := vfs.NewMem(), context.Background()
	e := opened(t, "data", fs)
	must(t, e.Ensure(ctx, c, storage.Spec{Settings: settings("uppercase"), Mapping: []byte(`{"properties":{"k":{"type":"keyword","normalizer":"mine"}}}`)}))
	_, err := e.Create(ctx, c, "1", []byte(`{"k":"é"}`), storage.WriteOptions{})
	must(t, err)
	must(t, e.Close())
	e = opened(t, "data", fs)
	_, err = e.Create(ctx, c, "2", []byte(`{"k":"É"}`), storage.WriteOptions{})
	must(t, err)
	count := func(want int) {
		t.Helper()
		if n, err := e.Count(ctx, []storage.Collection{c}, jsontext.Value(`{"term":{"k":"é"}}`)); err != nil || n != want {
			t.Errorf("found %d, %v; want %d", n, err, want)
		}
	}
	count(2)
	if err := e.Ensure(ctx, c, storage.Spec{Settings: []byte(`{}`)}); !errors.Is(err, kerror.ServicesStorageInvalidMappingArgument) {
		t.Errorf("a normalizer in use was taken away: %v", err)
	}
	count(2)
	must(t, e.Ensure(ctx, c, storage.Spec{Settings: settings("asciifolding")}))
	count(0)
	_, err = e.Create(ctx, c, "3", []byte(`{"k":"e"}`), storage.WriteOptions{})
	must(t, err)
	count(1)
}
