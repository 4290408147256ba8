package koncorde

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func joined(keyword string, filters ...string) string {
	return `{"` + keyword + `":[` + strings.Join(filters, ",") + `]}`
}

func oneOf(path string, n int) string {
	return `{"in":{"` + path + `":[` + numbered(n, `"x%d"`) + `]}}`
}

// groups gives n groups of m conditions.
func groups(keyword string, n, m int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = joined(keyword, numbered(m, fmt.Sprintf(`{"equals":{"p%d.%%d":1}}`, i)))
	}
	return strings.Join(all, ",")
}

// TestWhatNormalisingCosts: filters as large as people have need a part of what may be spent; hostile ones are refused when it
// is spent.
func TestWhatNormalisingCosts(t *testing.T) {
	var selects, prefixes []string
	for i := range 30 {
		selects = append(selects, fmt.Sprintf(`{"select":{"field":"l","index":%d,"query":%s}}`, i,
			joined("or", joined("and", `{"equals":{"value":1}}`, `{"exists":"b"}`), `{"missing":"b"}`, `{"not":{"equals":{"value":3}}}`)))
		prefixes = append(prefixes, joined("and", numbered(i+15, `{"equals":{"a%d":1}}`), fmt.Sprintf(`{"equals":{"b":%d}}`, i)))
	}
	words := numbered(100, `{"equals":{"a":"`+strings.Repeat("x", 500)+`%03d"}}`)
	for name, c := range map[string]struct {
		filter  string
		refused bool
	}{
		"100 of or":                  {oneOf("a", 100), false},
		"200 of or":                  {oneOf("a", 200), false},
		"100 of and":                 {joined("and", numbered(100, `{"equals":{"a%d":1}}`)), false},
		"none of 100":                {`{"not":` + oneOf("a", 100) + `}`, false},
		"bool of 20 times 5":         {`{"bool":{"should":[` + groups("and", 20, 5) + `]}}`, false},
		"bool of 5 times 20":         {`{"bool":{"must_not":[` + groups("or", 5, 20) + `]}}`, false},
		"bool of all":                {`{"bool":{"must":[` + groups("and", 4, 5) + `],"must_not":[` + oneOf("x", 20) + `],"should":[` + groups("and", 10, 1) + `]}}`, false},
		"10 with 10":                 {joined("and", oneOf("a", 10), oneOf("b", 10)), false},
		"5 with 5 with 4":            {joined("and", oneOf("a", 5), oneOf("b", 5), oneOf("c", 4)), false},
		"90 less 50":                 {joined("and", oneOf("a", 90), `{"not":`+oneOf("a", 50)+`}`), false},
		"90 that an expression asks": {joined("and", oneOf("a", 90), `{"regexp":{"a":"^x[0-9]{1,20}$"}}`), false},
		"30 selects":                 {joined("or", selects...), false},

		"two to the tenth":       {joined("and", groups("or", 10, 2)), true},
		"two to the fortieth":    {joined("and", groups("or", 40, 2)), true},
		"300 with 300":           {joined("and", oneOf("a", 300), oneOf("b", 300)), true},
		"1000":                   {oneOf("a", 1000), true},
		"none of 1000":           {`{"not":` + oneOf("a", 1000) + `}`, true},
		"30 that begin alike":    {joined("or", prefixes...), true},
		"100 values, 100 of 400": {joined("and", joined("or", words), joined("or", numbered(100, `{"regexp":{"a":"%d.{400}"}}`))), true},
	} {
		f, err := Parse([]byte(c.filter))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n := newNormaliser()
		if _, err = n.run(f.root); errors.Is(err, errTooComplex) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
		if spent := maxWork - n.budget.comparisons; !c.refused && spent > maxWork/3 || spent > maxWork+maxWork/100 {
			t.Errorf("%s: %d comparisons", name, spent)
		}
	}
}
