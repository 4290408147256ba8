package network

import "testing"

func TestNamedOrigins(t *testing.T) {
	for _, c := range []struct {
		entry, origin  string
		pattern        bool
		allowed, named bool
	}{
		{"*", "https://a.example", false, true, false},
		{"*", "https://a.example", true, true, false},
		{"https://a.example", "https://a.example", false, true, true},
		{"https://a.example", "https://b.example", false, false, false},
		{`https://.*\.a\.example`, "https://x.a.example", true, true, true},
		{".*", "https://a.example", true, true, false},
		{"https?://.*", "https://a.example", true, true, false},
		{`http://[a-z.]+:\d+`, "http://a.example:1", true, true, false},
		{"null", "null", false, true, false},
		{".*", "null", true, true, false},
		{"null|https://a", "null", true, true, false},
	} {
		o, err := NewOrigins([]string{c.entry}, c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if allowed, named := o.Allowed(c.origin), o.Named(c.origin); allowed != c.allowed || named != c.named {
			t.Errorf("%+v: allowed %v, named %v", c, allowed, named)
		}
	}
}
