package search_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestPhrasesOfSegments: it does not matter in which segments the words stand.
func TestPhrasesOfSegments(t *testing.T) {
	const body = `{"suggest":{"a":{"text":"nobl prize","phrase":{"field":"t","gram_size":2,"size":1}}}}`
	whole, parts := newCollection(`{"properties":{"t":{"type":"text","analyzer":"keyword","search_analyzer":"standard"}}}`), newCollection(`{"properties":{"t":{"type":"text","analyzer":"keyword","search_analyzer":"standard"}}}`)
	for i, words := range []string{`["nobel","prize","nobel prize"]`, `["price","noble","prize","nobel"]`, `["nobel","prize","nobel prize"]`} {
		if i > 0 {
			parts.freeze()
		}
		for _, c := range []*collection{whole, parts} {
			c.add(fmt.Sprint(i), `{"t":`+words+`}`)
		}
	}
	want, err := run(t, whole.targets(), body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := run(t, parts.targets(), body)
	if err != nil {
		t.Fatal(err)
	}
	w, g := want.Suggestions[0].Entries[0].Options, got.Suggestions[0].Entries[0].Options
	if len(w) != 1 || w[0].Text != "nobel prize" {
		t.Fatalf("%+v", w)
	}
	if len(g) != 1 || g[0].Text != w[0].Text {
		t.Errorf("%+v in parts, %+v in one", g, w)
	}
}

// TestTooManyPhrases: what a few words may be replaced by multiplies.
func TestTooManyPhrases(t *testing.T) {
	c := newCollection(`{"properties":{"t":{"type":"text"}}}`)
	c.add("1", `{"t":"worda wordb wordc wordd worde wordf wordg wordh"}`)
	body := func(errors int) string {
		return fmt.Sprintf(`{"suggest":{"a":{"text":%q,"phrase":{"field":"t","max_errors":%d,"direct_generator":[{"field":"t","size":10,"max_edits":1}],"shard_size":10}}}}`,
			strings.Repeat("wordz ", 9), errors)
	}
	if r, err := run(t, c.targets(), body(2)); err != nil || len(r.Suggestions[0].Entries[0].Options) == 0 {
		t.Errorf("%+v, %v", r.Suggestions, err)
	}
	_, err := run(t, c.targets(), body(9))
	if !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) || !strings.Contains(err.Error(), "lower max_errors") {
		t.Errorf("%v", err)
	}
}
