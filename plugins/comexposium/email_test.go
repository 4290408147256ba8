package main

import "testing"

func TestSameEmail(t *testing.T) {
	e := newEmails()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"ann@example.org", "ann@example.org", true},
		{"ann@example.org", " Ann@EXAMPLE.org\t", true},
		{"zoe\u0301@example.org", "zo\u00e9@example.org", true}, // decomposed and composed
		{"ann@b\u00fccher.example", "ann@xn--bcher-kva.example", true},
		{"ann@example.org", "bob@example.org", false},
		{"ann@example.org", "ann@example.org.", false},
		{"ann@example.org", "ann", false},
		{"ann", "ann", false},
		{"@example.org", "@example.org", false},
		{"ann@", "ann@", false},
		{"an n@example.org", "an n@example.org", false},
		{"ann@exa mple.org", "ann@exa mple.org", false},
		{"ann@-example-.org", "ann@-example-.org", false},
		{"", "", false},
	} {
		if e.same(c.a, c.b) != c.same || e.same(c.b, c.a) != c.same {
			t.Errorf("%q and %q: want same %v", c.a, c.b, c.same)
		}
	}
}
