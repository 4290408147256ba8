package segment

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestCreatePanics: nothing is left of a file whose filling panicked.
func TestCreatePanics(t *testing.T) {
	fs := vfs.NewMem()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		_ = create(t.Context(), fs, "1", func(w *writer) error {
			_, _ = w.Write(make([]byte, 3*pageSize))
			panic("a page is gone")
		})
	}()
	if names, err := fs.List(""); err != nil || len(names) > 0 {
		t.Errorf("%v are left, %v", names, err)
	}
}
