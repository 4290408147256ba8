package search_test

import (
	"strings"
	"testing"
)

// TestFuzzyWordsThatAreTooLong: the automaton of a word has a bound, and what exceeds it is told.
func TestFuzzyWordsThatAreTooLong(t *testing.T) {
	long := make([]byte, 20_000)
	for i := range long {
		long[i] = byte('a' + i*i%23)
	}
	c := newCollection(sampleMapping)
	c.add("1", `{"k":"`+string(long)+`"}`)
	for _, rewrite := range []string{"", `,"rewrite":"constant_score"`} {
		_, err := run(t, c.targets(), `{"query":{"fuzzy":{"k":{"value":"`+string(long)+`","fuzziness":2`+rewrite+`}}}}`)
		if err == nil || !strings.Contains(err.Error(), "is too long to look for words near it") {
			t.Errorf("%s: %v", rewrite, err)
		}
	}
}
