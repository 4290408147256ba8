package storagetest

import (
	"errors"
	"slices"
	"strings"
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
	calls := append(slices.Clone(otherCalls), documentCalls...)
	for _, m := range calls {
		if err := m.do(t.Context(), f, storage.Collection{}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", m.name, err)
		}
		if op, _, _ := strings.Cut(m.name, " "); asked[len(asked)-1] != op {
			t.Errorf("%s asked for %q", m.name, asked[len(asked)-1])
		}
	}
}
