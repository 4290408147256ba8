package koncorde

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func mustNormalise(t testing.TB, raw string) *Normal {
	t.Helper()
	f, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.Normalise(0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustDocument(t testing.TB, source string) *Document {
	t.Helper()
	d, err := NewDocument("", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func repeated(n int, element string) string {
	return strings.TrimSuffix(strings.Repeat(element+",", n), ",")
}

func numbered(n int, format string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(all, ",")
}

// TestWhatConditionsCost: whatever takes longer with a larger document or filter is counted.
func TestWhatConditionsCost(t *testing.T) {
	const small, large = 100, 2000
	for _, c := range []struct {
		name             string
		filter, document func(n int) string
	}{
		{"members passed over", func(int) string { return `{"equals":{"z":1}}` }, func(n int) string { return `{` + numbered(n, `"m%d":1`) + `}` }},
		{"inner members", func(int) string { return `{"equals":{"o.z":1}}` }, func(n int) string { return `{"o":{` + numbered(n, `"m%d":1`) + `}}` }},
		{"text", func(n int) string { return `{"equals":{"a":"` + strings.Repeat("x", 100*n) + `y"}}` }, func(n int) string { return `{"a":"` + strings.Repeat("x", 100*n) + `z"}` }},
		{"items held", func(int) string { return `{"exists":"l[7]"}` }, func(n int) string { return `{"l":[` + repeated(n, "1") + `]}` }},
		{"items wanted", func(int) string { return `{"match":{"l":[1,7]}}` }, func(n int) string { return `{"l":[` + repeated(n, "1") + `]}` }},
		{"objects wanted", func(int) string { return `{"match":{"l":[{"a":1}]}}` }, func(n int) string { return `{"l":[` + repeated(n, `{"a":2}`) + `]}` }},
		{"objects that others may have", func(n int) string { return `{"match":{"l":[` + repeated(n/20, `{"a":1}`) + `]}}` }, func(n int) string { return `{"l":[` + repeated(n, `{"a":1}`) + `]}` }},
		{"inside an element", func(int) string { return `{"select":{"field":"l","index":0,"query":{"equals":{"value.z":1}}}}` }, func(n int) string { return `{"l":[{` + numbered(n, `"m%d":1`) + `}]}` }},
		{"corners", func(n int) string { return `{"geoPolygon":{"g":{"points":[[0,0],` + numbered(n, "[1,0.%04d]") + `]}}}` }, func(int) string { return `{"g":[0.5,0.1]}` }},
	} {
		spent := func(n int) int {
			b := unlimited()
			filter, err := Parser{MaxConditions: 1e6}.Parse([]byte(c.filter(n)))
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			normal, err := filter.Normalise(0)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			normal.match(mustDocument(t, c.document(n)), b)
			return math.MaxInt - b.comparisons
		}
		if less, more := spent(small), spent(large); more < 10*less {
			t.Errorf("%s: %d comparisons, with twenty times as much %d", c.name, less, more)
		}
	}
}

// TestStepsAreCounted: an expression is charged for each of its steps and each byte.
func TestStepsAreCounted(t *testing.T) {
	spent := func(expression string, bytes int) int {
		b := unlimited()
		mustNormalise(t, `{"regexp":{"a":"`+expression+`"}}`).match(mustDocument(t, `{"a":"`+strings.Repeat("x", bytes)+`"}`), b)
		return math.MaxInt - b.steps
	}
	if one := spent("y", 1000); spent(".{600}y", 1000) < 100*one || spent("y", 50_000) < 40*one {
		t.Errorf("%d steps, with a longer expression %d, with a longer text %d", one, spent(".{600}y", 1000), spent("y", 50_000))
	}
}

// TestFiltersThatCostTooMuch: others are found all the same, and the caller is told.
func TestFiltersThatCostTooMuch(t *testing.T) {
	large := `{"not":{"geoPolygon":{"g":{"points":[[0,0],` + numbered(20_000, "[1,0.%04d]") + `,[9,1]]}}}}`
	for name, c := range map[string]struct {
		filter   func(i int) string
		count    int
		document string
	}{
		"regular expressions": {
			func(i int) string { return fmt.Sprintf(`{"regexp":{"f":"(.{0,200}|[a1]{1,%d})*x.{100}y.{50}Z"}}`, 1+i) }, 60,
			`{"f":"` + strings.Repeat("xay", 10_000) + `","id":7}`,
		},
		"negated expressions": {
			func(i int) string {
				return fmt.Sprintf(`{"and":[{"exists":"f"},{"not":{"regexp":{"f":".{%d}Z"}}}]}`, 500+i)
			}, 60,
			`{"f":"` + strings.Repeat("xay", 1000) + `Z","id":7}`,
		},
		"negations": {
			func(i int) string {
				return fmt.Sprintf(`{"not":{"or":[%s]}}`, numbered(100, fmt.Sprintf(`{"equals":{"f":"%d-%%d"}}`, i)))
			}, 100,
			`{` + numbered(400, `"m%d":1`) + `,"id":7}`,
		},
		"polygons": {
			func(int) string { return large }, 99,
			`{"g":[8,0.5],"id":7}`,
		},
		"matches": {
			func(i int) string { return fmt.Sprintf(`{"match":{"l":[%s,{"b":%d}]}}`, repeated(50, `{"a":1}`), i) }, 100,
			`{"l":[` + repeated(5000, `{"a":1}`) + `],"id":7}`,
		},
	} {
		m := NewMatcher()
		var n *Normal
		for i := range c.count {
			if i == 0 || c.filter(i) != c.filter(0) {
				n = mustNormalise(t, c.filter(i))
			}
			m.Add(fmt.Sprint(i), n)
		}
		m.Add("plain", mustNormalise(t, `{"equals":{"id":7}}`))
		m.Add("everything", mustNormalise(t, `{}`))
		rooms, complete := m.AppendMatch(nil, mustDocument(t, c.document))
		if complete || !slices.Contains(rooms, "plain") || !slices.Contains(rooms, "everything") {
			t.Errorf("%s: complete %v, %d rooms, among them the plain ones: %v, %v", name, complete, len(rooms), slices.Contains(rooms, "plain"), slices.Contains(rooms, "everything"))
		}
		if rooms, complete = m.AppendMatch(nil, mustDocument(t, `{"id":7}`)); name != "negations" && (!complete || !slices.Contains(rooms, "plain")) {
			t.Errorf("%s: another document: complete %v, rooms %v", name, complete, rooms)
		}
	}
}

// TestAnyBudget: with whatever is left to spend, only filters that match are found, and all of them when nothing was left out.
func TestAnyBudget(t *testing.T) {
	partial := 0
	for seed := range uint64(5) {
		r := newRandom(seed + 100)
		m, all := NewMatcher(), map[string]*Normal{}
		for i := range 200 {
			id := fmt.Sprint(i)
			all[id] = mustNormalise(t, r.filter(r.IntN(4)))
			m.Add(id, all[id])
		}
		for range 200 {
			d, _, _, text := r.newDocument(t)
			m.limits = budget{comparisons: r.IntN(800), steps: r.IntN(200)}
			rooms, complete := m.AppendMatch(nil, d)
			if !complete {
				partial++
			}
			for id, n := range all {
				if got, want := slices.Contains(rooms, id), n.Match(d); got && !want || complete && got != want {
					t.Fatalf("%s on %s: found %v, want %v, complete %v, %+v", n.AppendCanonical(nil), text, got, want, complete, m.limits)
				}
			}
		}
	}
	if partial < 100 || partial > 900 {
		t.Errorf("%d of 1,000 matches were left incomplete", partial)
	}
}

// TestABudgetThatIsUsedUp admits nothing afterwards; of expressions only those that are too expensive.
func TestABudgetThatIsUsedUp(t *testing.T) {
	b := budget{comparisons: 10, steps: 10}
	if !b.compare(10) || b.undecided || b.compare(1) || b.compare(0) || !b.undecided {
		t.Errorf("comparisons: %+v", b)
	}
	b = budget{comparisons: 10, steps: 10}
	if b.run(11) || !b.undecided || !b.run(10) || b.run(1) {
		t.Errorf("steps: %+v", b)
	}
}
