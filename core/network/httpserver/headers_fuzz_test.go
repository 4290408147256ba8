package httpserver

import (
	"slices"
	"testing"
)

func FuzzNegotiate(f *testing.F) {
	for _, seed := range []string{"gzip, deflate;q=0.5", "*;q=0", "gzip;q=1e999", "gzip;q=NaN", "gzip;q=-0", "x-gzip;;q=0.1;q=1", ";,;q", "identity;q=1, *"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		chosen := negotiate([]string{header})
		if !slices.Contains([]string{"", "gzip", "deflate"}, chosen) {
			t.Errorf("%q: %q", header, chosen)
		}
		if refused := negotiate([]string{header, "gzip;q=0, deflate;q=0"}); refused != "" {
			t.Errorf("%q, then neither: %q", header, refused)
		}
	})
}
