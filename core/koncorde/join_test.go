package koncorde

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// rangesOf makes filters of ranges and equals on two paths.
func rangesOf(r *rand.Rand, depth int) string {
	path := []string{"n", "n", "n", "m"}[r.IntN(4)]
	switch k := r.IntN(6); {
	case depth > 0 && k < 3:
		joint := []string{"and", "and", "or"}[k]
		return `{"` + joint + `":[` + rangesOf(r, depth-1) + "," + rangesOf(r, depth-1) + "," + rangesOf(r, depth-1) + `]}`
	case depth > 0 && k == 3:
		return `{"not":` + rangesOf(r, depth-1) + `}`
	case k == 4:
		return fmt.Sprintf(`{"equals":{"%s":%d}}`, path, r.IntN(6))
	}
	low := r.IntN(6)
	lower := fmt.Sprintf(`"%s":%d`, []string{"gt", "gte"}[r.IntN(2)], low)
	upper := fmt.Sprintf(`"%s":%d`, []string{"lt", "lte"}[r.IntN(2)], low+1+r.IntN(4))
	return fmt.Sprintf(`{"range":{"%s":{%s}}}`, path, []string{lower, upper, lower + "," + upper}[r.IntN(3)])
}

// TestRangesAreJoined asks random filters about every number that matters, and about what is no number.
func TestRangesAreJoined(t *testing.T) {
	documents := []*Document{}
	for _, n := range []string{`"3"`, `null`, `[3]`, ``} {
		for m := range 4 {
			documents = append(documents, rangesDocument(t, n, fmt.Sprint(3*m)))
		}
	}
	for n := -1; n < 22; n++ {
		for _, m := range []string{`0`, `2.5`, `3`, `4`, `"x"`} {
			documents = append(documents, rangesDocument(t, fmt.Sprint(float64(n)/2), m))
		}
	}
	for seed := range uint64(1500) {
		raw := rangesOf(rand.New(rand.NewPCG(seed, 4)), 3)
		f, err := Parse([]byte(raw))
		if err != nil {
			t.Fatal(raw, err)
		}
		n, err := f.Normalise(0)
		if err != nil {
			t.Fatal(raw, err)
		}
		for _, d := range documents {
			if want := written(f.root, d) == yes; n.Match(d) != want {
				t.Fatalf("%s\n%s: %v of n %v, m %v", raw, n.AppendCanonical(nil), !want, d.at("n", unlimited()), d.at("m", unlimited()))
			}
		}
		for _, term := range n.terms {
			expectOneRange(t, raw, term)
		}
	}
}

func rangesDocument(t *testing.T, n, m string) *Document {
	t.Helper()
	source := `{"m":` + m + `}`
	if n != "" {
		source = `{"n":` + n + `,"m":` + m + `}`
	}
	d, err := NewDocument("", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func expectOneRange(t *testing.T, raw string, term []literal) {
	t.Helper()
	for i, l := range term {
		for _, m := range term[:i] {
			if l.joins(m) {
				t.Errorf("%s: %s and %s stand side by side", raw, l.key, m.key)
			}
		}
	}
}
