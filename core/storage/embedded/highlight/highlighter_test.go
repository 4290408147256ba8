package highlight_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/highlight"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const fields = `{"properties":{"t":{"type":"text","copy_to":["all"],"fields":{"en":{"type":"text","analyzer":"english"}}},"all":{"type":"text"},
	"k":{"type":"keyword"},"v":{"type":"keyword","index":false},"n":{"type":"integer"},"other":{"type":"alias","path":"k"},
	"items":{"type":"nested","properties":{"note":{"type":"text"}}}}}`

// apply highlights one document for one search.
func apply(ctx context.Context, t *testing.T, body, doc string) (string, error) {
	t.Helper()
	m, err := mapping.Parse(jsontext.Value(fields))
	if err != nil {
		t.Fatal(err)
	}
	s, err := query.ParseSearch(jsontext.Value(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	h, err := highlight.New(search.NewBounds(t.Context()), m, s.Highlight, s.Query)
	if err != nil {
		return "", err
	}
	shown, err := h.Apply(ctx, jsontext.Value(doc))
	return string(shown), err
}

func TestApply(t *testing.T) {
	const (
		fox   = `{"t":"The quick brown fox. It jumps! A fox <b>& a dog"}`
		two   = `{"t":["a fox","no","one fox, two foxes"],"k":["red","blue"],"items":[{"note":"a fox"},{"note":"a dog"}]}`
		emoji = `{"t":"👍 fox 👍🏽 été"}`
	)
	for _, tt := range []struct{ query, highlight, doc, want string }{
		{`{"match":{"t":"fox"}}`, `"fields":{"t":{}}`, fox, `{"t":["The quick brown <em>fox</em>. It jumps! A <em>fox</em> <b>& a dog"]}`},
		{`{"match":{"t":"fox"}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The quick brown <em>fox</em>.","A <em>fox</em> <b>& a dog"]}`},
		{`{"match":{"t":"fox"}}`, `"fields":{"t":{"fragment_size":0,"number_of_fragments":1}}`, fox, `{"t":["A <em>fox</em> <b>& a dog"]}`},
		{`{"match":{"t":"fox"}}`, `"boundary_scanner":"word","fields":{"t":{}}`, fox, `{"t":["<em>fox</em>","<em>fox</em>"]}`},
		{`{"match":{"t":"dog"}}`, `"encoder":"html","fields":{"t":{"fragment_size":5}}`, fox, `{"t":["&gt;&amp; a <em>dog</em>"]}`},
		{`{"match":{"t":"fox"}}`, `"encoder":"html","fields":{"t":{"number_of_fragments":0}}`, fox, `{"t":["The quick brown <em>fox</em>. It jumps! A <em>fox</em> &lt;b&gt;&amp; a dog"]}`},
		{`{"match_phrase":{"t":"quick brown fox"}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The <em>quick brown fox</em>."]}`},
		{`{"match_phrase":{"t":"quick fox"}}`, `"fields":{"t":{}}`, fox, ``},
		{`{"match_phrase":{"t":{"query":"quick fox","slop":1}}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The <em>quick brown fox</em>."]}`},
		{`{"match_phrase_prefix":{"t":"quick br"}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The <em>quick brown</em> fox."]}`},
		{`{"bool":{"must_not":{"match":{"t":"quick"}},"should":{"match":{"t":"dog"}}}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["A fox <b>& a <em>dog</em>"]}`},
		{`{"match":{"t":"foxes"}}`, `"fields":{"t*":{}}`, two, `{"t":["one fox, two <em>foxes</em>"]}`},
		{`{"match":{"t.en":"foxes"}}`, `"fields":{"t*":{}}`, two, `{"t.en":["a <em>fox</em>","one <em>fox</em>, two <em>foxes</em>"]}`},
		{`{"match":{"t":"fox"}}`, `"require_field_match":false,"fields":{"items.note":{},"all":{}}`, two, `{"items.note":["a <em>fox</em>"],"all":["a <em>fox</em>","one <em>fox</em>, two foxes"]}`},
		{`{"match":{"t":{"query":"foy jumps","fuzziness":1}}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The quick brown <em>fox</em>.","It <em>jumps</em>!","A <em>fox</em> <b>& a dog"]}`},
		{`{"fuzzy":{"t":"dig"}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["A fox <b>& a <em>dog</em>"]}`},
		{`{"match_bool_prefix":{"t":"brown ju"}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The quick <em>brown</em> fox.","It <em>jumps</em>!"]}`},
		{`{"multi_match":{"query":"quick brown","type":"phrase","fields":["t"]}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The <em>quick brown</em> fox."]}`},
		{`{"boosting":{"positive":{"match":{"t":"dog"}},"negative":{"match":{"t":"fox"}},"negative_boost":0.5}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["A fox <b>& a <em>dog</em>"]}`},
		{`{"dis_max":{"queries":[{"terms_set":{"k":{"terms":["red"],"minimum_should_match":1}}}]}}`, `"fields":{"k":{}}`, two, `{"k":["<em>red</em>"]}`},
		{`{"term":{"k":"red"}}`, `"fields":{"*":{"pre_tags":"[","post_tags":"]"}}`, two, `{"k":["[red]"],"other":["[red]"]}`},
		{`{"range":{"k":{"gt":"blue","lte":"red"}}}`, `"fields":{"k":{}}`, two, `{"k":["<em>red</em>"]}`},
		{`{"prefix":{"k":{"value":"RE","case_insensitive":true}}}`, `"fields":{"k":{"type":"plain"}}`, two, `{"k":["<em>red</em>"]}`},
		{`{"match_all":{}}`, `"fields":{"t":{"no_match_size":5}}`, fox, `{"t":["The quick"]}`},
		{`{"match_all":{}}`, `"fields":{"t":{"no_match_size":9,"type":"plain"}}`, fox, `{"t":["The quick"]}`},
		{`{"match_all":{}}`, `"fields":{"t":{"no_match_size":2,"type":"plain"}}`, fox, ``},
		{`{"match_all":{}}`, `"highlight_query":{"match":{"t":"fox"}},"fields":{"t":{"fragment_size":0}},"order":"score","number_of_fragments":1`, fox, `{"t":["A <em>fox</em> <b>& a dog"]}`},
		{`{"match":{"t":"fox"}}`, `"fields":{"t":{"type":"plain","fragment_size":20}}`, fox, `{"t":["The quick brown <em>fox</em>",". It jumps! A <em>fox</em> <b>& a dog"]}`},
		{`{"match":{"t":"fox été"}}`, `"fields":{"t":{}}`, emoji, `{"t":["👍 <em>fox</em> 👍🏽 <em>été</em>"]}`},
		{`{"match":{"t":{"query":"quick cat","operator":"and"}}}`, `"fields":{"t":{}}`, fox, ``},
		{`{"multi_match":{"query":"quick cat dog","minimum_should_match":2,"fields":["t"]}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The <em>quick</em> brown fox.","A fox <b>& a <em>dog</em>"]}`},
		{`{"bool":{"should":[{"bool":{"must":[{"match":{"t":"fox"}},{"match":{"t":"cat"}}]}},{"match":{"t":"dog"}}]}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["A fox <b>& a <em>dog</em>"]}`},
		{`{"bool":{"should":[{"bool":{"must":{"match":{"t":"dog"}},"must_not":{"match":{"t":"fox"}}}},{"match":{"t":"quick"}}]}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The <em>quick</em> brown fox.","A fox <b>& a <em>dog</em>"]}`},
		{`{"bool":{"should":[{"bool":{"must":{"match":{"t":"dog"}},"must_not":{"match_all":{}}}},{"match":{"t":"quick"}}]}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The <em>quick</em> brown fox."]}`},
		{`{"bool":{"must":[{"match":{"t":"dog"}},{"range":{"n":{"gte":1}}}]}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["A fox <b>& a <em>dog</em>"]}`},
		{`{"bool":{"must":[{"match_phrase":{"t":"quick brown"}}],"must_not":{"nested":{"path":"items","query":{"match_all":{}}}}}}`, `"fields":{"t":{"fragment_size":0}}`, fox, `{"t":["The <em>quick</em> <em>brown</em> fox."]}`},
		{`{"terms_set":{"k":{"terms":["red","blue","green"],"minimum_should_match":3}}}`, `"fields":{"k":{}}`, two, ``},
		{`{"prefix":{"k":""}}`, `"fields":{"k":{}}`, `{"k":["a","","b"]}`, `{"k":["<em>a</em>","<em></em>","<em>b</em>"]}`},
		{`{"prefix":{"k":""}}`, `"fields":{"k":{}}`, `{"k":["a",""]}`, `{"k":["<em>a</em>"]}`},
		{`{"prefix":{"k":""}}`, `"fields":{"k":{"type":"plain"}}`, `{"k":["a",""]}`, `{"k":["<em>a</em>","<em></em>"]}`},
		{`{"term":{"v":"x"}}`, `"fields":{"v":{}}`, `{"v":"x"}`, ``},
		{`{"prefix":{"v":"x"}}`, `"fields":{"v":{}}`, `{"v":"x"}`, `{"v":["<em>x</em>"]}`},
		{`{"match":{"t":"fox"}}`, `"fields":{"n":{},"none":{},"t":{"max_analyzed_offset":5}}`, two, `{"t":["a <em>fox</em>"]}`},
		{`{"match":{"t":"fox"}}`, `"fields":{"t":{}}`, `{"t":null}`, ``},
		{`{"match":{"t":"fox"}}`, `"fields":{"t":{"no_match_size":3}}`, `{"t":["",""]}`, ``},
		{`{"match":{"t":"fox"}}`, `"fields":{"t":{"type":"plain","no_match_size":3}}`, `{"t":["",""]}`, ``},
	} {
		got, err := apply(t.Context(), t, `{"query":`+tt.query+`,"highlight":{`+tt.highlight+`}}`, tt.doc)
		if err != nil || got != tt.want {
			t.Errorf("%s, %s:\n got %s, %v\nwant %s", tt.query, tt.highlight, got, err, tt.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	long := `{"t":"` + strings.Repeat("fox ", 250_001) + `"}`
	for _, tt := range []struct{ body, doc, says string }{
		{`{"query":{"match":{"t":"fox"}},"highlight":{"fields":{"t":{}}}}`, long, "set max_analyzed_offset"},
		{`{"highlight":{"highlight_query":{"match":{"t":{"query":"a","analyzer":"none"}}},"fields":{"t":{}}}}`, `{}`, "analyzer [none] not found"},
		{`{"highlight":{"highlight_query":{"match":{"t":"` + strings.Repeat("a ", 1025) + `"}},"fields":{"t":{}}}}`, `{}`, "may have 1024"},
		{`{"highlight":{"highlight_query":{"regexp":{"t":"("}},"fields":{"t":{}}}}`, `{}`, "failed to parse the regular expression"},
		{
			`{"highlight":{"highlight_query":{"bool":{"should":[` + strings.Repeat(`{"prefix":{"t":"fo"}},`, 999) + `{"prefix":{"t":"f"}}]}},"fields":{"t":{}}}}`,
			`{"t":"` + strings.Repeat("fox ", 2000) + `"}`, "find more than",
		},
		{
			`{"highlight":{"highlight_query":{"bool":{"should":[` + strings.Repeat(`{"match":{"t":"fox"}},`, 999) + `{"prefix":{"t":"f"}}]}},"fields":{"t":{}}}}`,
			`{"t":"` + strings.Repeat("fox ", 2000) + `"}`, "find more than",
		},
	} {
		_, err := apply(t.Context(), t, tt.body, tt.doc)
		if !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.80s: %v, want %q", tt.body, err, tt.says)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := apply(ended, t, `{"query":{"match":{"t":"fox"}},"highlight":{"fields":{"t":{}}}}`, `{"t":"fox"}`); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// TestBounds: what is looked for is bounded for all fields and collections of a search together, and ends with it.
func TestBounds(t *testing.T) {
	m, err := mapping.Parse(jsontext.Value(fields))
	if err != nil {
		t.Fatal(err)
	}
	s, err := query.ParseSearch(jsontext.Value(`{"highlight":{"highlight_query":{"bool":{"should":[` +
		strings.Repeat(`{"regexp":{"t":".*a.{8}x"}},`, 999) + `{"match_all":{}}]}},"fields":{"t":{"type":"plain"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := highlight.New(search.NewBounds(ended), m, s.Highlight, s.Query); !errors.Is(err, context.Canceled) {
		t.Errorf("after the search ended: %v", err)
	}
	bounds := search.NewBounds(t.Context())
	for made := 0; ; made++ {
		_, err := highlight.New(bounds, m, s.Highlight, s.Query)
		if errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) && made > 10 {
			return
		}
		if err != nil || made > 1000 {
			t.Fatalf("after %d collections: %v", made, err)
		}
	}
}

// FuzzApply highlights any document with any search: what is shown is the text with marks.
func FuzzApply(f *testing.F) {
	for _, body := range []string{
		`{"query":{"match":{"t":"fox dog"}},"highlight":{"order":"score","fields":{"*":{"fragment_size":3,"number_of_fragments":2}}}}`,
		`{"query":{"match_phrase":{"t":{"query":"a a b","slop":2}}},"highlight":{"fields":{"t*":{"type":"plain","fragment_size":2}}}}`,
		`{"query":{"match_phrase_prefix":{"t":"one t"}},"highlight":{"require_field_match":false,"boundary_scanner":"word","fields":{"all":{}}}}`,
		`{"highlight":{"highlight_query":{"wildcard":{"k":"*e*"}},"fields":{"k":{"number_of_fragments":0},"t":{"no_match_size":4}}}}`,
	} {
		f.Add(body, "a fox. A dog!\x00 b", "one two? a a b")
	}
	m, err := mapping.Parse(jsontext.Value(fields))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, one, two string) {
		s, err := query.ParseSearch(jsontext.Value(body))
		if err != nil || s.Highlight == nil {
			return
		}
		h, err := highlight.New(search.NewBounds(t.Context()), m, s.Highlight, s.Query)
		if err != nil {
			return
		}
		first, err := jsontext.AppendQuote(nil, one)
		if err != nil {
			return
		}
		second, err := jsontext.AppendQuote(nil, two)
		if err != nil {
			return
		}
		doc := `{"t":[` + string(first) + `,` + string(second) + `],"k":` + string(second) + `}`
		shown, err := h.Apply(t.Context(), jsontext.Value(doc))
		if err != nil && !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
			t.Fatal(err)
		}
		if shown != nil && !shown.IsValid() {
			t.Errorf("%s is not JSON", shown)
		}
	})
}
