package search_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// listed repeats a text n times, with commas between; each # in it is the number.
func listed(n int, text string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.ReplaceAll(text, "#", fmt.Sprint(i))
	}
	return strings.Join(list, ",")
}

func should(n int, clause string) string {
	return `{"query":{"bool":{"should":[` + listed(n, clause) + `]}}}`
}

// heavy are searches that would go on for long.
var heavy = map[string]string{
	"phrase with slop":          `{"query":{"match_phrase":{"t":{"query":"` + strings.Repeat("a ", 1000) + `","slop":5}}}}`,
	"short phrase with slop":    should(500, `{"match_phrase":{"t":{"query":"a a a a a a a a","slop":#}}}`),
	"phrase of what is nowhere": should(500, `{"match_phrase":{"t":"`+strings.Repeat("a ", 500)+`"}}`),
	"phrase as a filter":        `{"query":{"bool":{"filter":{"match_phrase":{"t":{"query":"` + strings.Repeat("a ", 500) + `","slop":2}}}}}}`,
	"words":                     should(100, `{"match":{"t":"`+strings.ReplaceAll(listed(500, "w#"), ",", " ")+`"}}`),
	"words, all":                should(100, `{"match":{"t":{"query":"`+strings.Repeat("a ", 1000)+`","operator":"and"}}}`),
	"words, most":               should(100, `{"match":{"t":{"query":"`+strings.Repeat("a ", 1000)+`","minimum_should_match":"99%"}}}`),
	"prefixes":                  should(1000, `{"match_phrase_prefix":{"t":{"query":"a w","max_expansions":60}}}`),
	"one prefix":                `{"query":{"match_phrase_prefix":{"k2":{"query":"k","max_expansions":100000}}}}`,
	"expressions":               should(1000, `{"regexp":{"k":"(a|b)*#a(a|b){11}"}}`),
	"wildcards":                 should(1000, `{"wildcard":{"k":"*k*y*#*"}}`),
	"fuzzy words":               should(1000, `{"fuzzy":{"k":{"value":"k#abcdefghijklmno","fuzziness":2,"max_expansions":1000}}}`),
	"long fuzzy words":          should(300, `{"fuzzy":{"k":{"value":"`+strings.Repeat("abcde", 300)+`#","fuzziness":2}}}`),
	"fuzzy filter":              should(300, `{"fuzzy":{"k":{"value":"k#","fuzziness":2,"rewrite":"constant_score"}}}`),
	"functions":                 `{"query":{"function_score":{"functions":[` + listed(500, `{"filter":{"range":{"n":{"gte":#}}},"gauss":{"d":{"origin":#,"scale":3}}}`) + `]}}}`,
	"functions as a filter":     `{"query":{"bool":{"filter":{"function_score":{"min_score":0.1,"functions":[` + listed(1000, `{"exp":{"n":{"origin":#,"scale":3}}}`) + `]}}}}}`,
	"set of terms":              `{"query":{"terms_set":{"n":{"terms":[` + listed(1000, "#") + `],"minimum_should_match":"99%"}}}}`,
	"words in many fields":      should(60, `{"multi_match":{"type":"cross_fields","fields":["t","k2"],"query":"`+strings.ReplaceAll(listed(500, "w#"), ",", " ")+`"}}`),
	"numbers":                   `{"query":{"bool":{"must_not":{"terms":{"n":[` + listed(60_000, "#") + `]}}}}}`,
	"ranges":                    `{"query":{"bool":{"filter":{"bool":{"minimum_should_match":900,"should":[` + listed(1000, `{"range":{"n":{"gte":#}}}`) + `]}}}}}`,
	"conjunction":               `{"size":0,"query":{"bool":{"filter":[` + listed(1000, `{"range":{"d":{"gte":-#}}}`) + `]}}}`,
	"corners":                   `{"query":{"geo_polygon":{"g":{"points":[` + listed(50_000, `[#e-3,1]`) + `]}}}}`,
	"neighbours":                `{"knn":[` + listed(200, `{"field":"v","query_vector":[#,1,2,3,4,5,6,7],"k":5000,"num_candidates":10000,"filter":{"range":{"n":{"gte":#}}}}`) + `]}`,
	"neighbours in a clause":    should(200, `{"knn":{"field":"v","query_vector":[#,1,2,3,4,5,6,7],"num_candidates":10000}}`),
	"phrases":                   `{"suggest":{` + listed(64, `"a#":{"text":"`+strings.ReplaceAll(listed(500, "w#"), ",", " ")+`","phrase":{"field":"t","token_limit":1001,"size":1000,"max_errors":3,"direct_generator":[`+listed(16, `{"field":"t","suggest_mode":"always","max_term_freq":100000,"min_word_length":1,"size":1000}`)+`]}}`) + `}}`,
	"nested ranges":             `{"query":{"nested":{"path":"o","query":{"bool":{"should":[` + listed(1000, `{"range":{"o.n":{"gte":#}}}`) + `]}}}}}`,
	"nested ranges as a filter": `{"query":{"bool":{"filter":{"nested":{"path":"o","query":{"bool":{"filter":[` + listed(1000, `{"range":{"o.n":{"lte":10#}}}`) + `]}}}}}}}`,
	"most of nested ranges":     `{"query":{"bool":{"filter":{"nested":{"path":"o","query":{"bool":{"minimum_should_match":900,"should":[` + listed(1000, `{"range":{"o.n":{"gte":#}}}`) + `]}}}}}}}`,
	"ranges each nested":        should(500, `{"nested":{"path":"o","query":{"range":{"o.n":{"gte":#}}}}}`),
	"many sort keys":            `{"size":5000,"sort":["k","n","d","_id","_doc","_score"]}`,
	"terms in terms":            `{"size":0,"aggs":{"a":{"terms":{"field":"k","size":20000},"aggs":{"b":{"terms":{"field":"n","size":1,"min_doc_count":0}}}}}}`,
	"empty buckets":             `{"size":0,"aggs":{"a":{"terms":{"field":"k","size":3},"aggs":{"b":{"terms":{"field":"n","size":60000,"min_doc_count":0}}}}}}`,
	"cardinalities":             `{"size":0,"aggs":{` + listed(1000, `"a#":{"cardinality":{"field":"k"}}`) + `}}`,
	"terms":                     `{"size":0,"aggs":{` + listed(1000, `"a#":{"terms":{"field":"k"}}`) + `}}`,
	"expressions in terms":      `{"size":0,"aggs":{` + listed(1000, `"a#":{"terms":{"field":"k","include":"(a|b)*#a(a|b){11}"}}`) + `}}`,
	"metrics":                   `{"size":0,"aggs":{"a":{"terms":{"field":"k","size":20000},"aggs":{` + listed(500, `"b#":{"stats":{"field":"n"}}`) + `}}}}`,
}

func heavyCollection() *collection {
	c := newCollection(`{"properties":{"t":{"type":"text"},"k2":{"type":"text"},"k":{"type":"keyword"},"n":{"type":"integer"},"d":{"type":"double"},"g":{"type":"geo_point"},"v":{"type":"dense_vector","dims":8},"o":{"type":"nested","properties":{"n":{"type":"integer"}}}}}`)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		text := strings.Repeat("a ", 10) + fmt.Sprintf("w%d w%d", rng.IntN(500), rng.IntN(500))
		if i%5000 == 7 {
			text = strings.Repeat("a ", 5000)
		}
		c.add(fmt.Sprint(i), fmt.Sprintf(`{"t":%q,"k":"key%d","k2":"k%d","n":%d,"d":%g,"g":[%d,1],"v":[%d,3,1,4,1,5,9,2],"o":[%s]}`, text, i, i, i, rng.Float64(), i%50, i, listed(20, fmt.Sprintf(`{"n":%d#}`, 1+i%100))))
	}
	return c
}

// TestEndsWithContext says that a search ends soon after its context, whatever it does.
func TestEndsWithContext(t *testing.T) {
	c := heavyCollection()
	many := make([]search.Target, 200)
	for i := range many {
		many[i] = c.target()
	}
	for name, body := range heavy {
		for places, targets := range map[string][]search.Target{"one target": many[:1], "many targets": many} {
			t.Run(name+" in "+places, func(t *testing.T) { endsWithContext(t, targets, body) })
		}
	}
}

func endsWithContext(t *testing.T, targets []search.Target, raw string) {
	t.Helper()
	body, err := query.ParseSearch(jsontext.Value(raw))
	if err != nil {
		t.Fatal(err)
	}
	r := search.Request{Search: body, Size: max(body.Size, 0), Now: now}
	if body.Size < 0 {
		r.Size = 10
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err = search.Run(ctx, targets, r)
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("ended after %v", took)
	} else {
		t.Logf("ended after %v: %v", took, err)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
		t.Error(err)
	}
}
