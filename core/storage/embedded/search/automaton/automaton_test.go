package automaton

import (
	"errors"
	"strings"
	"testing"
)

func TestRegexp(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"", []string{""}, []string{"a"}},
		{"abc", []string{"abc"}, []string{"ab", "abcd", "xabc", ""}},
		{"a.c", []string{"abc", "aéc", "a\U0001F600c"}, []string{"ac", "abbc"}},
		{"a|bc", []string{"a", "bc"}, []string{"ac", "b"}},
		{"(ab)*", []string{"", "ab", "abab"}, []string{"aba"}},
		{"a+b?", []string{"a", "aab"}, []string{"", "b", "abb"}},
		{"a{2}", []string{"aa"}, []string{"a", "aaa"}},
		{"a{2,}", []string{"aa", "aaaa"}, []string{"a"}},
		{"a{1,3}", []string{"a", "aaa"}, []string{"", "aaaa"}},
		{"(a?){2}", []string{"", "a", "aa"}, []string{"aaa"}},
		{"[a-c]x", []string{"ax", "cx"}, []string{"dx"}},
		{"[^a-c]x", []string{"dx", "éx"}, []string{"ax", "x"}},
		{"[à-ö]", []string{"é"}, []string{"e"}},
		{"~(ab.*)", []string{"", "a", "xab"}, []string{"ab", "abc"}},
		{".*foo.*&.*bar.*", []string{"foobar", "bar foo"}, []string{"foo", "bar"}},
		{"a@z", []string{"az", "abz"}, []string{"a"}},
		{"#", nil, []string{"", "#"}},
		{"a|#", []string{"a"}, []string{"#"}},
		{`"a.b"`, []string{"a.b"}, []string{"axb"}},
		{`a\.b`, []string{"a.b"}, []string{"axb"}},
		{`\d+`, []string{"0", "42"}, []string{"", "x"}},
		{`\D\W\S`, []string{"a-b"}, []string{"1-b", "aab", "a- "}},
		{`[\w-]`, []string{"a", "-"}, []string{"."}},
		{"x<8-12>", []string{"x8", "x12", "x010"}, []string{"x7", "x13", "x"}},
		{"<08-12>", []string{"08", "12"}, []string{"8", "008", "13"}},
		{"<5-5>", []string{"5"}, []string{"05"}},
		{"()", []string{""}, []string{"()"}},
		{"*", []string{"*"}, []string{""}},
		{"a)", nil, nil},
	}
	for _, test := range tests {
		a, err := Regexp(test.pattern, "ALL", false, 10000)
		if test.yes == nil && test.no == nil {
			if err == nil {
				t.Errorf("%q: expected an error", test.pattern)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", test.pattern, err)
			continue
		}
		check(t, test.pattern, a, test.yes, test.no)
	}
}

func check(t *testing.T, name string, a *Automaton, yes, no []string) {
	t.Helper()
	for _, s := range yes {
		if !a.Match([]byte(s)) {
			t.Errorf("%q does not match %q", name, s)
		}
	}
	for _, s := range no {
		if a.Match([]byte(s)) {
			t.Errorf("%q matches %q", name, s)
		}
	}
}

func TestRegexpRefuses(t *testing.T) {
	for _, pattern := range []string{"(", "(a", "[a", "[]", "a{", "a{2", "a{x}", "a{3,2}", "a|", `a\`, `"a`, "<1-", "<a-b>", "[z-a]", "a&", strings.Repeat("(", 300)} {
		if _, err := Regexp(pattern, "ALL", false, 10000); err == nil {
			t.Errorf("%q: expected an error", pattern)
		}
	}
	if _, err := Regexp("a", "FOO", false, 10000); err == nil {
		t.Error("an unknown flag: expected an error")
	}
	if _, err := Regexp(strings.Repeat("a", 1001), "ALL", false, 10000); err == nil {
		t.Error("a long expression: expected an error")
	}
	for _, pattern := range []string{"(a|b)*a(a|b){14}", "((a{1,100}){1,100}){1,100}b", "(((a?){50}){50}){4}"} {
		if _, err := Regexp(pattern, "ALL", false, 10000); !errors.Is(err, ErrTooComplex) {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	if _, err := Regexp("abcdef", "ALL", false, 3); !errors.Is(err, ErrTooComplex) {
		t.Errorf("three states: %v", err)
	}
}

// TestLongTexts: no text is so long that an automaton for it could not be refused at once.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("aé", 1<<20)
	for name, build := range map[string]func(text string) error{
		"wildcard": func(text string) error { _, err := Wildcard(text, false); return err },
		"folded":   func(text string) error { _, err := Folded(text, false); return err },
		"prefix":   func(text string) error { _, err := Folded(text, true); return err },
		"near": func(text string) error {
			n := NewNear(text, 2, 1, true)
			for _, near := range []string{"", "a", text} {
				if _, ok := n.Distance([]byte(near)); ok && n.Err() != nil {
					t.Errorf("%.10s is near a word that is too long", near)
				}
			}
			return n.Err()
		},
	} {
		if err := build(long); !errors.Is(err, ErrTooComplex) {
			t.Errorf("%s: %v", name, err)
		}
		if n := testing.AllocsPerRun(1, func() { _ = build(long) }); n > 100 {
			t.Errorf("%s: %v allocations for a text that is refused", name, n)
		}
		if err := build(long[:3000]); err != nil {
			t.Errorf("%s of 3000 bytes: %v", name, err)
		}
	}
}

func TestRegexpFlags(t *testing.T) {
	a, err := Regexp("~a&@<1-2>#", "NONE", false, 10000)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "NONE", a, []string{"~a&@<1-2>#"}, []string{"b"})
	a, err = Regexp("~a", "complement", false, 10000)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "complement", a, []string{"b", ""}, []string{"a"})
}

func TestFold(t *testing.T) {
	a, err := Regexp("aB[c-d]é", "ALL", true, 10000)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "fold", a, []string{"ABcé", "abdé"}, []string{"abCé", "abcÉ"})
	a, err = Folded("aÉ", true)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "prefix", a, []string{"aÉ", "AÉx"}, []string{"aé", "A"})
}

func TestWildcard(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
		prefix  string
	}{
		{"a*c", []string{"ac", "abc"}, []string{"acd"}, "a"},
		{"ab?", []string{"abé"}, []string{"ab", "abcd"}, "ab"},
		{`a\*`, []string{"a*"}, []string{"ab"}, "a*"},
		{`a\`, []string{`a\`}, []string{"a"}, `a\`},
		{"*", []string{"", "x"}, nil, ""},
		{"", []string{""}, []string{"x"}, ""},
	}
	for _, test := range tests {
		a, err := Wildcard(test.pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		check(t, test.pattern, a, test.yes, test.no)
		if got := string(a.Prefix()); got != test.prefix {
			t.Errorf("the prefix of %q is %q", test.pattern, got)
		}
	}
	a, _ := Wildcard("*", false)
	if !a.WillAlwaysMatch(a.Start()) {
		t.Error("* does not always match")
	}
}

func FuzzRegexp(f *testing.F) {
	for _, seed := range []string{"a.b*", "~(a|b)&c{2,3}", "[^a-z]<1-20>", `\d"x"@#`} {
		f.Add(seed, "ab")
	}
	f.Fuzz(func(_ *testing.T, pattern, text string) {
		if len(pattern) > 60 {
			return
		}
		if a, err := Regexp(pattern, "ALL", false, 1000); err == nil {
			a.Match([]byte(text))
			a.Prefix()
		}
	})
}
