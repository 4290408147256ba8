package analysis

import (
	"reflect"
	"regexp"
	"slices"
	"testing"
	"unicode/utf8"
)

func matchesOf(p *pattern, text string) [][]int {
	var b Budget
	var list [][]int
	p.each(&b, []byte(text), func(match []int) bool {
		list = append(list, slices.Clone(match))
		return true
	})
	return list
}

var patternSeeds = []string{
	`\W+`, `a.*b|a`, `\b`, `\ba|b\b`, `(?m)^a`, `^`, `$`, `(?m)$`, `(a)|(b)`, `x*`, `(x*)(y)?`, `,\s*`, `(?i)É+`, `a{2,3}`, `.`, `(?:ab)*?c|a`, `\Bb`, `[^ab]*`, ``,
}

// FuzzPattern holds the matches that are found one by one to those that regexp finds at once.
func FuzzPattern(f *testing.F) {
	for _, expression := range patternSeeds {
		for _, text := range []string{"", "a", "aab, b  ab\nabxxy é", "ééa\nb", "xxx,  ,y", "aaaaaaab"} {
			f.Add(expression, text)
		}
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		if !utf8.ValidString(text) || !utf8.ValidString(expression) || len(text) > 256 || len(expression) > 64 {
			t.Skip()
		}
		p, err := newPattern(expression)
		if err != nil {
			t.Skip()
		}
		want := regexp.MustCompile(expression).FindAllStringSubmatchIndex(text, -1)
		if got := matchesOf(p, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q in %q:\n got %v\nwant %v", expression, text, got, want)
		}
	})
}

// TestShortPatterns: only patterns that do not read on are looked for without counting what they read.
func TestShortPatterns(t *testing.T) {
	for expression, short := range map[string]bool{
		`\W+`: true, `,`: true, `,\s*`: true, `[ab]{2,30}c?`: true, `(\d+)`: true, `(ab|cd)x*`: true,
		`a.*b|a`: false, `a{2,1000}b|a`: false, `\b`: false, `(?:ab)*c`: false, `a+b`: false, `(a*|b)`: false, `a{2,}b`: false, `(?:a{60}){2}`: false,
	} {
		p, err := newPattern(expression)
		if err != nil {
			t.Fatal(err)
		}
		if p.short != short {
			t.Errorf("%q: %v", expression, p.short)
		}
	}
}
