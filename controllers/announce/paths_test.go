package announce

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestPaths(t *testing.T) {
	for changes, want := range map[string][]string{
		`{}`:                                {},
		`{"a":1,"b":null}`:                  {"a", "b"},
		`{"a":{"b":{"c":1,"d":[{"e":1}]}}}`: {"a.b.c", "a.b.d"},
		`{"a":{},"b":{"c":{}}}`:             {"a", "b.c"},
		`{"_kuzzle_info":{"updater":"x"},"a":{"_kuzzle_info":1}}`: {"a._kuzzle_info"},
		`{"a.b":1,"é":"ü"}`: {"a.b", "é"},
	} {
		if got := paths(jsontext.Value(changes)); !slices.Equal(got, want) {
			t.Errorf("%s changes %q, want %q", changes, got, want)
		}
	}
}
