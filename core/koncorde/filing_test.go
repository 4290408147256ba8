package koncorde

import (
	"fmt"
	"testing"
)

// TestConjunctionsAreFiledWhereFewAre: a condition that all filters share does not make a document try them all.
func TestConjunctionsAreFiledWhereFewAre(t *testing.T) {
	for _, c := range []struct{ filter, shared string }{
		{`{"and":[{"equals":{"a":1}},{"exists":"p"},{"equals":{"z":%d}}]}`, "a"},
		{`{"and":[{"equals":{"z":1}},{"exists":"p"},{"equals":{"a":%d}}]}`, "z"},
		{`{"and":[{"regexp":{"z":"x"}},{"match":{"o":{"x":2},"a":%d}}]}`, "z"},
		{`{"and":[{"missing":"z"},{"exists":"a[%d]"}]}`, "z"},
		{`{"match":{"z":1,"o":{"p":{"a":%d}}}}`, "z"},
		{`{"match":{"z":1,"l":["x",%d]}}`, "z"},
		{`{"and":[{"exists":"z"},{"select":{"field":"l","index":-1,"query":{"and":[{"equals":{"value":%d}},{"exists":"value"}]}}}]}`, "z"},
		{`{"and":[{"exists":"z"},{"regexp":{"a":"^order-%d$"}}]}`, "z"},
	} {
		m := NewMatcher()
		for i := range 1000 {
			f, err := Parse(fmt.Appendf(nil, c.filter, i+1))
			if err != nil {
				t.Fatal(err)
			}
			n, err := f.Normalise(0)
			if err != nil {
				t.Fatal(err)
			}
			m.Add(fmt.Sprint(i), n)
		}
		if x := m.byPath.index(c.shared); x != nil && x.entries > 10 || len(m.always) > 0 {
			t.Errorf("%s: %d of 1,000 filed under what all share, %d always tried", c.filter, x.entries, len(m.always))
		}
	}
}
