package search_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestTooManyWords asks for texts of as many words as there may be, and of one more.
func TestTooManyWords(t *testing.T) {
	c := newCollection(`{"properties":{"t":{"type":"text"},"k":{"type":"keyword"}}}`)
	c.add("1", `{"t":"a b","k":"a"}`)
	for clause, body := range map[string]string{
		"match":               `{"match":{"t":{"query":%q,"lenient":true}}}`,
		"match_phrase":        `{"match_phrase":{"t":{"query":%q,"slop":1}}}`,
		"match_phrase_prefix": `{"match_phrase_prefix":{"t":%q}}`,
		"multi_match":         `{"multi_match":{"query":%q,"fields":["*"]}}`,
	} {
		for n, fails := range map[int]bool{1024: false, 1025: true} {
			_, err := run(t, c.targets(), `{"query":`+fmt.Sprintf(body, strings.Repeat("a ", n))+`}`)
			switch {
			case !fails && err != nil:
				t.Errorf("%s of %d words: %v", clause, n, err)
			case fails && (!errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) || !strings.Contains(err.Error(), clause+":")):
				t.Errorf("%s of %d words: %v", clause, n, err)
			}
		}
	}
	if _, err := run(t, c.targets(), `{"query":{"match":{"k":"`+strings.Repeat("a ", 2000)+`"}}}`); err != nil {
		t.Errorf("a keyword is one word: %v", err)
	}
}
