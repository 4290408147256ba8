package koncorde

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// needed reports whether text has all grams that p says it needs.
func needed(p pattern, text string) bool {
	grams := appendGrams(nil, text)
	for _, g := range p.grams {
		if !slices.Contains(grams, g) {
			return false
		}
	}
	return true
}

// FuzzPattern: an expression is never found in a text that lacks what it was said to need.
func FuzzPattern(f *testing.F) {
	for _, c := range [][3]string{
		{`^order-[0-9]+$`, "", "order-7"},
		{`order(ed|ing)? twice`, "i", "ORDERED TWICE"},
		{`(?i:kelvin)Case`, "", "\u212aELVINCase"},
		{`stra\x{df}e|street`, "i", "STRASSE"},
		{`mi\x{17f}t`, "i", "mist"},
		{`mist`, "i", "mi\u017ft"},
		{`(abc){2,3}d`, "", "abcabcd"},
		{`(abc)*def`, "", "def"},
		{`a.c\Qd.e\E`, "s", "a\ncd.e"},
		{`été`, "i", "ÉTÉ"},
	} {
		f.Add(c[0], c[1], c[2])
	}
	f.Fuzz(func(t *testing.T, source, flags, text string) {
		p, err := newPattern(source, flags)
		if err == nil && p.compiled.MatchString(text) && !needed(p, text) {
			t.Errorf("/%s/%s is found in %q", source, flags, text)
		}
	})
}

func TestGrams(t *testing.T) {
	for source, want := range map[string]int{
		`order`: 3, `^order-1$`: 5, `or`: 0, `(order)+`: 3, `(order)?`: 0, `(order|offer)`: 0, `ord.er`: 1, `(?i)ordER`: 3,
		`(?i)task`: 0, `(?i)tasked`: 0, `(?i)ordered sk order`: 7, `(order){2,}`: 3, ``: 0,
	} {
		p, err := newPattern(source, "")
		if err != nil {
			t.Fatal(err)
		}
		if len(p.grams) != want {
			t.Errorf("%s needs %d grams, want %d", source, len(p.grams), want)
		}
	}
}

// TestStepsOfExpressions: what people write is taken, what takes a second for a page of text is not.
func TestStepsOfExpressions(t *testing.T) {
	var words []string
	for i := range 50 {
		words = append(words, fmt.Sprintf("%04dgermanwords", 37*i))
	}
	for name, c := range map[string]struct {
		source  string
		refused bool
	}{
		"date":     {`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$`, false},
		"e-mail":   {`^[a-zA-Z0-9.!#$%&'*+/=?^_{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$`, false},
		"UUID":     {`^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, false},
		"URL":      {`^(https?://)?([\w-]+\.)+[\w-]+(/[\w./?%&=-]*)?$`, false},
		"50 words": {strings.Join(words, "|"), false},
		"255":      {`^.{1,255}$`, false},
		"attack":   {`(.{0,400}|[a1]{1,300})*x.{300}y.{100}Z`, true},
		"800":      {`.{800}`, true},
	} {
		if _, err := newPattern(c.source, ""); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyPatterns finds those that match one by one, while they come and go.
func TestManyPatterns(t *testing.T) {
	r := newRandom(7)
	piece := func() string {
		return r.pick("order", "ring", "times", "the bell", "shipped", "ab", "x", "ORDER", "mist", "été", "7", "12")
	}
	expression := func() string {
		source := piece()
		for range r.IntN(3) {
			source += r.pick("", ".", "[0-9]*", " ", "|", "-") + piece()
		}
		return r.pick("", "^") + source + r.pick("", "$")
	}
	m, filters := NewMatcher(), map[string]*Normal{}
	for i := range 2000 {
		id := strconv.Itoa(r.IntN(300))
		if filters[id] != nil {
			m.Remove(id)
			delete(filters, id)
		} else {
			parsed, err := Parse(fmt.Appendf(nil, `{"regexp":{"a":{"value":%q,"flags":%q}}}`, expression(), r.pick("", "i")))
			if err != nil {
				t.Fatal(err)
			}
			if filters[id], err = parsed.Normalise(0); err != nil {
				t.Fatal(err)
			}
			m.Add(id, filters[id])
		}
		d, err := NewDocument("", fmt.Appendf(nil, `{"a":%q}`, piece()+r.pick("", " ", "-", "7")+piece()+piece()))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for id, n := range filters {
			if n.Match(d) {
				want = append(want, id)
			}
		}
		got := m.Match(d)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("step %d: %v, want %v", i, got, want)
		}
	}
	for id := range filters {
		m.Remove(id)
	}
	if len(m.byPath.children) > 0 {
		t.Error("the index is not empty")
	}
}
