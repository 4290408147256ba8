package spelling_test

import (
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/spelling"
)

func TestHint(t *testing.T) {
	known := []string{"properties", "dynamic", "_meta", "dynamics", "é", "or"}
	for wrong, want := range map[string]string{
		"propertis": "properties", "PROPERTIES": "properties", "pproperties": "properties", "dinamic": "dynamic", "dynamicss": "dynamics",
		"meta": "_meta", "propeeertys": "", "colour": "", "foo": "", "o": "", strings.Repeat("properties", 100_000): "",
	} {
		if want != "" {
			want = `Did you mean "` + want + `"?`
		}
		if got := spelling.Hint(wrong, known); got != want {
			t.Errorf("%.20s: %s, want %s", wrong, got, want)
		}
	}
	if got := spelling.Hint("a", nil); got != "" {
		t.Error(got)
	}
}
