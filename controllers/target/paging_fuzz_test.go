package target

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/protocol"
)

// FuzzLifetime: a scroll is kept for some time, and no longer than allowed.
func FuzzLifetime(f *testing.F) {
	for _, text := range []string{"30s", "1m", "60001ms", "106752d", "9223372036854775808h", "-1s", "1.5s", "0ms", "s", "+1s", "1 s", ""} {
		f.Add(text)
	}
	p := Paging{MaxFetch: 100, MaxScroll: time.Minute}
	f.Fuzz(func(t *testing.T, text string) {
		sent, err := json.Marshal(text)
		if err != nil {
			return // no UTF-8: it never gets here
		}
		var req protocol.Request
		req.Args.Set("scroll", sent)
		keep, err := p.lifetime(&req, defaultScroll)
		if (err == nil) != (keep > 0) || keep > p.MaxScroll {
			t.Fatalf("%q: %v, %v", text, keep, err)
		}
		likely, goErr := time.ParseDuration(text) // which knows no days, but fractions and several units
		if err == nil && goErr == nil && likely != keep {
			t.Fatalf("%q: %v, want %v", text, keep, likely)
		}
	})
}
