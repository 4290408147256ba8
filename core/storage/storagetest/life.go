package storagetest

import (
	"slices"
	"testing"

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

	wantErr(t, "DropIndex", f.DropIndex(t.Context(), f.c.Scope, f.c.Index), nil) // nobody can when the engine is closed
	wantErr(t, "Close", f.Close(), nil)
	for _, m := range append(slices.Clone(otherCalls), documentCalls...) {
		wantErr(t, m.name+" after Close", m.do(t.Context(), f, f.c), kerror.ServicesStorageNotConnected)
	}
}
