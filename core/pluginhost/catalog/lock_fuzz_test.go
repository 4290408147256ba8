package catalog

import (
	"slices"
	"strings"
	"testing"
)

// A line that is taken pins one file by one name below the folder of the lock file, and comes back as it was.
func FuzzLockLine(f *testing.F) {
	sum := strings.Repeat("0123456789abcdef", 4)
	for _, seed := range []string{sum + "  a/b", sum + " *a", sum + "  ../a", sum + "  /a", sum + "  a\\b", sum + "  ./a", sum, "x" + sum[1:] + "  a", sum + "  a\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		name, sum, err := parseLine(line)
		if err != nil {
			return
		}
		var l Lock
		if err := l.Pin(name, sum); err != nil {
			return
		}
		again, same, err := parseLine(sum.String() + "  " + name)
		if err != nil || again != name || same != sum || !slices.Equal(l.Paths(), []string{name}) {
			t.Errorf("%q pins %q and comes back as %q: %v", line, name, again, err)
		}
		if strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\n\\\x00") {
			t.Errorf("%q pins %q", line, name)
		}
	})
}
