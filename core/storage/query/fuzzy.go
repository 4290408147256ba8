package query

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Fuzzy matches documents with a term in the field that a few changes of characters make of Value.
type Fuzzy struct {
	Common
	Fuzzing
	Field string
	Value jsontext.Value // a text, a number or a boolean
}

// Fuzzing is which terms stand for a word besides the word itself. The zero value lets none.
type Fuzzing struct {
	Fuzziness Fuzziness
	// PrefixLength is how many characters at the beginning must be the same.
	PrefixLength int
	// MaxExpansions is how many terms a word stands for, the nearest ones.
	MaxExpansions int
	// Swaps says that two neighbours which changed places are one change.
	Swaps bool
	// Constant gives every match the boost for its score, and has no regard to MaxExpansions.
	Constant bool
}

// Fuzziness is how many changes a word may have: 0 to 2, or by its length. The zero value says nothing: Set is false.
type Fuzziness struct {
	Set bool
	// Two changes are allowed from two characters on, one from one on.
	one, two int
}

// always is a length that every word has, never one that none has.
const (
	always = 0
	never  = 1 << 30
)

// Of is how many changes a word may have.
func (f Fuzziness) Of(word string) int {
	switch n := utf8.RuneCountInString(word); {
	case n >= f.two:
		return 2
	case n >= f.one:
		return 1
	}
	return 0
}

// autoFuzziness is AUTO.
var autoFuzziness = Fuzziness{Set: true, one: 3, two: 6}

var plainFuzzing = Fuzzing{MaxExpansions: defaultExpansions, Swaps: true}

// option takes the options of a clause in which fuzziness is one among others.
func (f *Fuzzing) option(m *node) (taken bool, err error) {
	switch m.name {
	case "fuzziness":
		return true, m.setFuzziness(&f.Fuzziness)
	case "prefix_length":
		return true, m.setInt(&f.PrefixLength, 0)
	case "max_expansions":
		return true, m.setInt(&f.MaxExpansions, 1)
	case "fuzzy_transpositions":
		return true, m.setBool(&f.Swaps)
	case "fuzzy_rewrite":
		f.Constant = true
		return true, m.setWord(new(string), rewrites...)
	}
	return false, nil
}

// setFuzziness takes 0, 1, 2, "AUTO" and "AUTO:3,6".
func (n *node) setFuzziness(to *Fuzziness) error {
	var text string
	if err := n.setScalarText(&text); err != nil {
		return err
	}
	upper := strings.ToUpper(text)
	if upper == "AUTO" {
		*to = autoFuzziness
		return nil
	}
	if limits, ok := strings.CutPrefix(upper, "AUTO:"); ok {
		one, two, _ := strings.Cut(limits, ",")
		f := Fuzziness{Set: true}
		var known bool
		if f.one, known = smallInt(one); known {
			f.two, known = smallInt(two)
		}
		if !known || f.one < 0 || f.two < f.one {
			return n.fail("expected a form such as \"AUTO:3,6\", whose first number is not the greater one")
		}
		*to = f
		return nil
	}
	edits, err := strconv.ParseFloat(text, 64)
	if err != nil || !(edits >= 0 && edits < 3) {
		return n.fail("expected 0, 1, 2 or \"AUTO\"")
	}
	*to = [...]Fuzziness{{true, never, never}, {true, always, never}, {true, always, always}}[int(edits)]
	return nil
}

func parseFuzzy(n *node) (Query, error) {
	f, err := n.only("one field")
	if err != nil {
		return nil, err
	}
	q := &Fuzzy{Common: plain, Fuzzing: plainFuzzing, Field: f.name}
	q.Fuzziness = autoFuzziness
	if f.kind() != '{' {
		return q, f.setValue(&q.Value)
	}
	for _, m := range f.children {
		if err := q.option(m); err != nil {
			return nil, err
		}
	}
	if q.Value == nil {
		return nil, f.fail("expected a value")
	}
	return q, nil
}

func (q *Fuzzy) option(m *node) error {
	switch m.name {
	case "value":
		return m.setValue(&q.Value)
	case "transpositions":
		return m.setBool(&q.Swaps)
	case "rewrite":
		q.Constant = true
		return m.setWord(new(string), rewrites...)
	case "fuzzy_transpositions", "fuzzy_rewrite":
		return m.unknownOption()
	}
	if taken, err := q.Fuzzing.option(m); taken {
		return err
	}
	return q.other(m)
}
