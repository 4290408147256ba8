package storage

import (
	"strings"
	"testing"
)

func TestValidName(t *testing.T) {
	for _, good := range []string{"a", "0", "a-b_c", "é", "_x", "-", strings.Repeat("n", 126)} {
		if !ValidName(good) {
			t.Errorf("%q is refused", good)
		}
	}
	bad := []string{"", "_all", "A", "aB", strings.Repeat("n", 127), "a\x00", "a\x7f", "a\n", "\xff"}
	for _, r := range `\/*?"<>| ,+#:.&%` {
		bad = append(bad, "a"+string(r))
	}
	for _, s := range bad {
		if ValidName(s) {
			t.Errorf("%q is accepted", s)
		}
	}
}
