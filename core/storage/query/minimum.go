package query

import (
	"strconv"
	"strings"
)

// MinimumShouldMatch says how many of a number of optional clauses must match. The forms are those of Elasticsearch: 2, -1
// (all but one), "75%", "-25%", and conditions such as "2<75%" or "2<-25% 9<-3": with up to 2 clauses all must match, with
// more the text behind the last condition that fits counts. The zero value says nothing: Set is false.
type MinimumShouldMatch struct {
	Set bool
	// rules stand in the order of the text. Without conditions there is one, with above -1.
	rules []minimumRule
}

// minimumRule holds for more than above clauses.
type minimumRule struct {
	above   int
	number  int
	percent bool
}

// Of gives how many of clauses must match. It may be more than there are: then nothing matches.
func (m MinimumShouldMatch) Of(clauses int) int {
	result := clauses
	for _, r := range m.rules {
		if clauses <= r.above {
			break
		}
		result = r.of(clauses)
	}
	return result
}

func (r minimumRule) of(clauses int) int {
	n := r.number
	if r.percent {
		// Single precision, as Elasticsearch calculates: 29 % of 100 must come out the same.
		n = int(float32(clauses*r.number) * (1 / float32(100)))
	}
	if n < 0 || r.percent && r.number < 0 {
		n += clauses
	}
	return max(n, 0)
}

// setMinimum reads a minimum_should_match.
func (n *node) setMinimum(to *MinimumShouldMatch) error {
	var text string
	if n.is(`"0`) {
		text = Text(n.raw)
	}
	rules, ok := parseMinimum(text)
	if !ok {
		return n.fail("expected a form such as 2, -1, \"75%%\" or \"2<75%%\"")
	}
	*to = MinimumShouldMatch{Set: true, rules: rules}
	return nil
}

func parseMinimum(text string) ([]minimumRule, bool) {
	if !strings.Contains(text, "<") {
		r, ok := parseMinimumRule(strings.TrimSpace(text))
		r.above = -1
		return []minimumRule{r}, ok
	}
	// Blanks around < belong to it; others part the rules.
	parts := strings.Split(text, "<")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	var rules []minimumRule
	for _, part := range strings.Fields(strings.Join(parts, "<")) {
		condition, rest, _ := strings.Cut(part, "<")
		above, ok := smallInt(condition)
		if !ok {
			return nil, false
		}
		r, ok := parseMinimumRule(rest)
		if !ok {
			return nil, false
		}
		r.above = above
		rules = append(rules, r)
	}
	return rules, true
}

func parseMinimumRule(text string) (minimumRule, bool) {
	text, percent := strings.CutSuffix(text, "%")
	number, ok := smallInt(text)
	return minimumRule{number: number, percent: percent}, ok
}

// smallInt reads a whole number of up to 6 digits: no search has more clauses.
func smallInt(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && -1e6 < n && n < 1e6
}
