package document_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// library fills the collections c and d of index i, and c of index j, with books 0 to n-1, whose n is their number.
func library(t testing.TB, n *controllertest.Node, books int) *controllertest.Node {
	t.Helper()
	mapping := jsontext.Value(`{"properties":{"n":{"type":"integer"},"tag":{"type":"keyword","fields":{"c":{"type":"completion"}}},"by":{"properties":{"name":{"type":"keyword"}}}}}`)
	for _, where := range []storage.Collection{{Index: "i", Name: "c"}, {Index: "i", Name: "d"}, {Index: "j", Name: "c"}} {
		if err := n.Engine.Ensure(t.Context(), where, storage.Spec{Mapping: mapping}); err != nil {
			t.Fatal(err)
		}
		ops := make([]storage.Op, books)
		for i := range ops {
			tag := []string{"even", "odd"}[i%2]
			source := `{"n":` + strconv.Itoa(i) + `,"tag":"` + tag + `","by":{"name":"` + where.Index + where.Name + `"}}`
			ops[i] = storage.Op{Kind: storage.OpPut, ID: "b" + strconv.Itoa(i), Source: jsontext.Value(source)}
		}
		if _, err := n.Engine.Write(t.Context(), where, ops, storage.BulkOptions{Refresh: storage.RefreshWaitFor}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// book is a hit of a sorted search in i/c.
func book(n int) string { return bookIn(n, "i", "c", strconv.Itoa(n)) }

// bookIn is a hit with a key of a sort.
func bookIn(n int, index, collection, key string) string {
	return `{"_id":"b` + strconv.Itoa(n) + `","_score":null,"_source":` + sourceIn(n, index, collection) + `,"sort":[` + key + `],"index":"` + index + `","collection":"` + collection + `"}`
}

func source(n int) string { return sourceIn(n, "i", "c") }

func sourceIn(n int, index, collection string) string {
	return `{"n":` + strconv.Itoa(n) + `,"tag":"` + []string{"even", "odd"}[n%2] + `","by":{"name":"` + index + collection + `"}}`
}

// collapsedBook is a hit that stands for those with its tag, of which the last is shown inside.
func collapsedBook(n, last int) string {
	tag := []string{"even", "odd"}[n%2]
	return `{"_id":"b` + strconv.Itoa(n) + `","_score":null,"sort":[` + strconv.Itoa(n) + `],"fields":{"tag":["` + tag + `"]},"inner_hits":{"last":[` + book(last) + `]},"index":"i","collection":"c"}`
}

const (
	byNumber = `"sort":[{"n":"asc"}]`
	odd      = `"query":{"term":{"tag":"odd"}}`
)

func TestSearch(t *testing.T) {
	controllertest.Run(t, library(t, newNode(t), 5), []scenario{
		{
			"query", `document:search ` + c + `,"body":{` + odd + `,` + byNumber + `}`, 200, "", `{"hits":[` + book(1) + `,` + book(3) + `],"total":2}`,
			`generic:document:afterGet [{"_id":"b1","_source":` + source(1) + `},{"_id":"b3","_source":` + source(3) + `}]`,
		},
		{"score", `document:search ` + c + `,"size":1,"body":{"query":{"ids":{"values":["b2"]}}}`, 200, "", `{"hits":[{"_id":"b2","_score":1,"_source":` + source(2) + `,"index":"i","collection":"c"}],"total":1}`, "*"},
		{"from and size beside the body", `document:search ` + c + `,"from":1,"size":2,"body":{"from":3,"size":1,` + byNumber + `}`, 200, "", `{"hits":[` + book(1) + `,` + book(2) + `],"total":5}`, "*"},
		{"from and size in the body", `document:search ` + c + `,"body":{"from":3,"size":1,` + byNumber + `}`, 200, "", `{"hits":[` + book(3) + `],"total":5}`, "*"},
		{"from beside, size in the body", `document:search ` + c + `,"from":"4","body":{"from":3,"size":1,` + byNumber + `}`, 200, "", `{"hits":[` + book(4) + `],"total":5}`, "*"},
		{"only the total of some", `document:search ` + c + `,"size":0,"body":{` + odd + `}`, 200, "", `{"hits":[],"total":2}`, "*"},
		{"only the total", `document:search ` + c + `,"size":0`, 200, "", `{"hits":[],"total":5}`, `generic:document:afterGet []`},
		{"after a hit", `document:search ` + c + `,"size":4,"body":{` + byNumber + `,"search_after":[3]}`, 200, "", `{"hits":[` + book(4) + `],"total":5}`, "*"},
		{"without the source", `document:search ` + c + `,"body":{` + byNumber + `,"size":1,"_source":false}`, 200, "", `{"hits":[{"_id":"b0","_score":null,"sort":[0],"index":"i","collection":"c"}],"total":5}`, `generic:document:afterGet [{"_id":"b0"}]`},
		{"aggregations", `document:search ` + c + `,"size":0,"body":{"aggs":{"most":{"max":{"field":"n"}}}}`, 200, "", `{"hits":[],"total":5,"aggregations":{"most":{"value":4.0}}}`, "*"},
		{
			"highlights", `document:search ` + c + `,"size":1,"body":{` + odd + `,` + byNumber + `,"_source":false,"highlight":{"fields":{"tag":{}}}}`, 200, "",
			`{"hits":[{"_id":"b1","_score":null,"sort":[1],"highlight":{"tag":["<em>odd</em>"]},"index":"i","collection":"c"}],"total":2}`, "*",
		},
		{
			"collapsed", `document:search ` + c + `,"body":{` + byNumber + `,"_source":false,"collapse":{"field":"tag","inner_hits":{"name":"last","size":1,"sort":[{"n":"desc"}]}}}`, 200, "",
			`{"hits":[` + collapsedBook(0, 4) + `,` + collapsedBook(1, 3) + `],"total":5}`, `generic:document:afterGet [{"_id":"b0"},{"_id":"b1"}]`,
		},
		{
			"top hits", `document:search ` + c + `,"size":0,"body":{"aggs":{"by":{"terms":{"field":"tag"},"aggs":{"last":{"top_hits":{"size":1,"sort":[{"n":"desc"}],"_source":"n"}}}}}}`, 200, "",
			`{"hits":[],"total":5,"aggregations":{"by":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[` +
				`{"key":"even","doc_count":3,"last":{"hits":{"total":{"value":3,"relation":"eq"},"max_score":null,"hits":[{"_index":"&i.c","_id":"b4","_score":null,"_source":{"n":4},"sort":[4]}]}}},` +
				`{"key":"odd","doc_count":2,"last":{"hits":{"total":{"value":2,"relation":"eq"},"max_score":null,"hits":[{"_index":"&i.c","_id":"b3","_score":null,"_source":{"n":3},"sort":[3]}]}}}]}}}`, "*",
		},
		{
			"explained", `document:search ` + c + `,"body":{"query":{"ids":{"values":["b2"]}},"_source":false,"explain":true}`, 200, "",
			`{"hits":[{"_id":"b2","_score":1,"_explanation":{"value":1.0,"description":"score of every document that matches the clause","details":[]},` +
				`"index":"i","collection":"c"}],"total":1}`, "*",
		},
		{"collapsed with a scroll", `document:search ` + c + `,"scroll":"1m","body":{"collapse":{"field":"tag"}}`, 400, "services.storage.invalid_argument", "", ""},
		{"collapsed by what is not mapped", `document:search ` + c + `,"body":{"collapse":{"field":"none"}}`, 400, "services.storage.unexpected_bad_request", "", ""},
		{
			"suggestions", `document:search ` + c + `,"size":0,"body":{"suggest":{"close":{"text":"evenn","term":{"field":"tag"}}}}`, 200, "",
			`{"hits":[],"total":5,"suggest":{"close":[{"text":"evenn","offset":0,"length":5,"options":[{"text":"even","score":0.75,"freq":3}]}]}}`, "*",
		},
		{
			"suggested documents", `document:search ` + c + `,"size":0,"body":{"_source":"n","suggest":{"begun":{"prefix":"od","completion":{"field":"tag.c","size":1}}}}`, 200, "",
			`{"hits":[],"total":5,"suggest":{"begun":[{"text":"od","offset":0,"length":2,"options":[{"text":"odd","_index":"&i.c","_id":"b1","_score":1,"_source":{"n":1}}]}]}}`, "*",
		},
		{
			"suggested phrases", `document:search ` + c + `,"size":0,"body":{"suggest":{"all":{"text":"evenn odd","phrase":{"field":"tag","analyzer":"standard","size":1,"highlight":{"pre_tag":"<","post_tag":">"},` +
				`"direct_generator":[{"field":"tag","max_term_freq":0.9}]}}}}`, 200, "",
			`{"hits":[],"total":5,"suggest":{"all":[{"text":"evenn odd","offset":0,"length":9,"options":[{"text":"even odd","highlighted":"<even> odd","score":0.46849495}]}]}}`, "*",
		},
		{"search for nothing", `document:search ` + c + `,"body":{"query":{"ids":{"values":[]}}}`, 200, "", `{"hits":[],"total":0}`, "*"},

		{"koncorde", `document:search ` + c + `,"lang":"koncorde","body":{"query":{"equals":{"tag":"odd"}},` + byNumber + `}`, 200, "", `{"hits":[` + book(1) + `,` + book(3) + `],"total":2}`, "*"},
		{"koncorde without a filter", `document:search ` + c + `,"lang":"koncorde","body":{"size":0}`, 200, "", `{"hits":[],"total":5}`, "*"},
		{"lang elasticsearch", `document:search ` + c + `,"lang":"elasticsearch","body":{"query":{},"size":0}`, 200, "", `{"hits":[],"total":5}`, "*"},
		{"a filter that is no koncorde", `document:search ` + c + `,"lang":"koncorde","body":{"query":{"bool":{}}}`, 400, "api.assert.koncorde_restricted_keyword", "", ""},
		{"koncorde without lang", `document:search ` + c + `,"body":{"query":{"equals":{"tag":"odd"}}}`, 400, "services.storage.unknown_query_keyword", "", ""},
		{"an unknown lang", `document:search ` + c + `,"lang":"sql"`, 400, "api.assert.invalid_argument", "", ""},
		{"a number for lang", `document:search ` + c + `,"lang":1`, 400, "api.assert.invalid_type", "", ""},

		{"more than may be read", `document:search ` + c + `,"size":5`, 413, "services.storage.get_limit_exceeded", "", ""},
		{"more than may be read, in the body", `document:search ` + c + `,"body":{"size":5}`, 413, "services.storage.get_limit_exceeded", "", ""},
		{"huge", `document:search ` + c + `,"size":9007199254740991`, 413, "services.storage.get_limit_exceeded", "", ""},
		{"too deep", `document:search ` + c + `,"from":9999,"size":4`, 400, "services.storage.invalid_argument", "", ""},
		{"as deep as can be", `document:search ` + c + `,"from":9996,"size":4`, 200, "", `{"hits":[],"total":5}`, "*"},
		{"a negative size", `document:search ` + c + `,"size":-1`, 400, "api.assert.invalid_argument", "", ""},
		{"a negative from", `document:search ` + c + `,"body":{"from":-1}`, 400, "api.assert.invalid_argument", "", ""},
		{"a text for size", `document:search ` + c + `,"size":"x"`, 400, "api.assert.invalid_type", "", ""},
		{"a broken from", `document:search ` + c + `,"from":1.5`, 400, "api.assert.invalid_type", "", ""},
		{"an unknown key", `document:search ` + c + `,"body":{"rank":{}}`, 400, "services.storage.invalid_search_query", "", ""},
		{"an unknown clause", `document:search ` + c + `,"body":{"query":{"near":{}}}`, 400, "services.storage.unknown_query_keyword", "", ""},
		{"a script", `document:search ` + c + `,"body":{"query":{"script":{}}}`, 400, "services.storage.invalid_query_keyword", "", ""},
		{"a query that does not suit", `document:search ` + c + `,"body":{"query":{"range":{"n":{"gt":"x"}}}}`, 400, "services.storage.unexpected_bad_request", "", ""},
		{"a text for a query", `document:search ` + c + `,"body":{"query":"x"}`, 400, "services.storage.unexpected_bad_request", "", ""},
		{"a list for a body", `document:search ` + c + `,"body":[]`, 400, "api.assert.invalid_type", "", ""},
		{"searchBody counts with GET alone", `document:search ` + c + `,"searchBody":{"rank":{}},"body":{"size":0}`, 200, "", `{"hits":[],"total":5}`, "*"},
		{"no index", `document:search "collection":"c"`, 400, "api.assert.missing_argument", "", ""},
		{"no collection", `document:search "index":"i"`, 400, "api.assert.missing_argument", "", ""},
		{"an unknown index", `document:search "index":"x","collection":"c"`, 412, "services.storage.unknown_index", "", ""},
		{"an unknown collection", `document:search "index":"i","collection":"x"`, 412, "services.storage.unknown_collection", "", ""},
		{"a collection of the node", `document:search "index":"kuzzle","collection":"users"`, 412, "services.storage.unknown_index", "", ""},
		{"a pattern", `document:search "index":"i","collection":"*"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
		{"a list", `document:search "index":"i,j","collection":"c"`, 400, "services.storage.invalid_multi_index_collection_usage", "", ""},
	})
}

func TestSearchInTargets(t *testing.T) {
	const both = `"targets":[{"index":"i","collections":["c","d","c"]},{"index":"j","collections":["c"]},{"index":"i","collections":["c"]}]`
	controllertest.Run(t, library(t, newNode(t), 3), []scenario{
		{
			"each once", `document:search ` + both + `,"body":{"query":{"term":{"n":2}},"sort":["by.name"]}`, 200, "",
			`{"hits":[` + bookIn(2, "i", "c", `"ic"`) + `,` + bookIn(2, "i", "d", `"id"`) + `,` + bookIn(2, "j", "c", `"jc"`) + `],"total":3}`, "*",
		},
		{"with an index", `document:search "index":"i",` + both, 400, "api.assert.mutually_exclusive", "", ""},
		{"with a collection", `document:search "collection":"c",` + both, 400, "api.assert.mutually_exclusive", "", ""},
		{"an unknown one among them", `document:search "targets":[{"index":"i","collections":["c","x"]}]`, 412, "services.storage.unknown_collection", "", ""},
		{"none", `document:search "targets":[]`, 400, "api.assert.empty_argument", "", ""},
		{"a list", `document:search "targets":[{"index":"i","collections":["c,d"]}]`, 400, "services.storage.invalid_target_format", "", ""},
		{"all", `document:search "targets":[{"index":"_all","collections":["c"]}]`, 400, "services.storage.invalid_target_format", "", ""},
		{"a text", `document:search "targets":"x"`, 400, "api.assert.invalid_type", "", ""},
		{"texts", `document:search "targets":["x"]`, 400, "api.assert.invalid_type", "", ""},
		{"no list", `document:search "targets":[{"index":"i","collections":"c"}]`, 400, "api.assert.invalid_type", "", ""},
		{"an empty list", `document:search "targets":[{"index":"i","collections":[]}]`, 400, "api.assert.missing_argument", "", ""},
		{"a number", `document:search "targets":[{"index":1,"collections":["c"]}]`, 400, "api.assert.invalid_type", "", ""},
		{"a pattern of indexes", `document:search "targets":[{"index":"i*","collections":["c"]}]`, 400, "services.storage.invalid_target_format", "", ""},
		// Nobody may search what cannot be told apart.
		{"a pattern", `document:search "targets":[{"index":"i","collections":["*"]}]`, 400, "services.storage.invalid_target_format", "", ""},
		{"no collections", `document:search "targets":[{"index":"i"}]`, 400, "api.assert.missing_argument", "", ""},
		{"no index", `document:search "targets":[{"collections":["c"]}]`, 400, "api.assert.missing_argument", "", ""},
		{"an object", `document:search "targets":{"index":"i","collections":["c"]}`, 400, "api.assert.invalid_type", "", ""},
	})
}

// allow gives the user ann the right to actions of document in index i, collection c alone, and a token.
func allow(t *testing.T, n *controllertest.Node, actions string) (jwt string) {
	t.Helper()
	ctx := t.Context()
	if _, err := n.Users.PutRole(ctx, "reader", jsontext.Value(`{"controllers":{"document":{"actions":{`+actions+`}}}}`), security.Write{}); err != nil {
		t.Fatal(err)
	}
	profiles := storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "profiles"}
	profile := `{"policies":[{"roleId":"reader","restrictedTo":[{"index":"i","collections":["c"]}]}]}`
	if _, _, err := n.Engine.Put(ctx, profiles, "limited", jsontext.Value(profile), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Users.CreateUser(ctx, "ann", nil, jsontext.Value(`{"profileIds":["limited"]}`), security.Write{}); err != nil {
		t.Fatal(err)
	}
	token, err := n.Tokens.Issue(ctx, "ann", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return `"jwt":"` + token.Text + `"`
}

// TestSearchObeysRights: every target counts.
func TestSearchObeysRights(t *testing.T) {
	n, _ := newNodeWithSpecifications(t, false)
	library(t, n, 1)
	jwt := allow(t, n, `"search":true`)
	const forbidden = "security.rights.forbidden"
	controllertest.Run(t, n, []scenario{
		{"hers", `document:search ` + jwt + `,` + c + `,"body":{` + byNumber + `}`, 200, "", `{"hits":[` + book(0) + `],"total":1}`, "*"},
		{"her target", `document:search ` + jwt + `,"targets":[{"index":"i","collections":["c"]}],"body":{` + byNumber + `}`, 200, "", `{"hits":[` + book(0) + `],"total":1}`, "*"},
		{"another", `document:search ` + jwt + `,"index":"i","collection":"d"`, 403, forbidden, "", ""},
		{"another collection among hers", `document:search ` + jwt + `,"targets":[{"index":"i","collections":["c","d"]}]`, 403, forbidden, "", ""},
		{"another index after hers", `document:search ` + jwt + `,"targets":[{"index":"i","collections":["c"]},{"index":"j","collections":["c"]}]`, 403, forbidden, "", ""},
		{"one that does not exist", `document:search ` + jwt + `,"targets":[{"index":"i","collections":["c","none"]}]`, 403, forbidden, "", ""},
		{"a list that begins with hers", `document:search ` + jwt + `,"targets":[{"index":"i","collections":["c,d"]}]`, 400, "services.storage.invalid_target_format", "", ""},
		{"everything", `document:search ` + jwt + `,"targets":[{"index":"i","collections":["*"]}]`, 400, "services.storage.invalid_target_format", "", ""},
		{"what is no target", `document:search ` + jwt + `,"targets":["c"]`, 400, "api.assert.invalid_type", "", ""},
		{"anonymous", `document:search "targets":[{"index":"i","collections":["c"]}]`, 401, "security.rights.unauthorized", "", ""},
	})
}

// result decodes an answer that must be a success.
func result(t *testing.T, a *protocol.Response) (p struct {
	Hits []struct {
		ID string `json:"_id"`
	} `json:"hits"`
	ScrollID  string `json:"scrollId"`
	Remaining *int   `json:"remaining"`
	Total     int    `json:"total"`
},
) {
	t.Helper()
	if a.Error != nil {
		t.Fatal(a.Error)
	}
	if err := json.Unmarshal(a.Result, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func call(t *testing.T, n *controllertest.Node, action, arguments string) *protocol.Response {
	t.Helper()
	return n.Ask(t, `{"controller":"document","action":"`+action+`",`+arguments+`}`)
}

func TestScroll(t *testing.T) {
	n := library(t, newNode(t), 5)
	var seen []string
	p := result(t, call(t, n, "search", c+`,"size":2,"scroll":"30s","body":{`+byNumber+`}`))
	for want := 3; ; want -= 2 {
		if p.Total != 5 || p.Remaining == nil || *p.Remaining != max(want, 0) || p.ScrollID == "" {
			t.Errorf("%+v, want %d remaining", p, max(want, 0))
		}
		for _, h := range p.Hits {
			seen = append(seen, h.ID)
		}
		if want <= 0 {
			break
		}
		n.Fired()
		p = result(t, call(t, n, "scroll", `"scrollId":"`+p.ScrollID+`","scroll":"1m"`))
		if fired := n.Fired(); !strings.HasPrefix(fired, "generic:document:afterGet [{") {
			t.Error(fired)
		}
	}
	if got := strings.Join(seen, " "); got != "b0 b1 b2 b3 b4" {
		t.Error(got)
	}
	open := result(t, call(t, n, "search", c+`,"size":1,"scroll":"30s"`)).ScrollID
	controllertest.Run(t, n, []scenario{
		{"after the last page", `document:scroll "scrollId":"` + p.ScrollID + `"`, 404, "services.storage.unknown_scroll_id", "", ""},
		{"no such scroll", `document:scroll "scrollId":"x"`, 404, "services.storage.unknown_scroll_id", "", ""},
		{"no id", `document:scroll`, 400, "api.assert.missing_argument", "", ""},
		{"a number for an id", `document:scroll "scrollId":1`, 400, "api.assert.invalid_type", "", ""},
		{"kept too long", `document:scroll "scrollId":"` + open + `","scroll":"61s"`, 400, "services.storage.scroll_duration_too_great", "", ""},
		{"kept for what", `document:scroll "scrollId":"` + open + `","scroll":"soon"`, 400, "api.assert.invalid_argument", "", ""},
		{"opened for too long", `document:search ` + c + `,"scroll":"2m"`, 400, "services.storage.scroll_duration_too_great", "", ""},
		{"opened for a number", `document:search ` + c + `,"scroll":15`, 400, "api.assert.invalid_type", "", ""},
		{"opened without a size", `document:search ` + c + `,"scroll":"1s","size":0`, 400, "services.storage.invalid_argument", "", ""},
		{"opened in the middle", `document:search ` + c + `,"scroll":"1s","from":1`, 400, "services.storage.invalid_argument", "", ""},
	})
	for range 4 {
		open = result(t, call(t, n, "scroll", `"scrollId":"`+open+`"`)).ScrollID
	}
}

// TestScrollObeysRights: the name of somebody else's scroll opens nothing, nor does that of a scroll over what the node
// stores.
func TestScrollObeysRights(t *testing.T) {
	n, _ := newNodeWithSpecifications(t, false)
	library(t, n, 3)
	jwt := allow(t, n, `"search":true,"scroll":true`)
	inside := func(action, arguments string) *protocol.Response {
		r := &protocol.Request{Controller: "document", Action: action, Connection: &protocol.Connection{}, Internal: &protocol.Internal{}}
		args, err := protocol.ParseArgs(jsontext.Value(arguments), "")
		if err != nil {
			t.Fatal(err)
		}
		r.Args = args
		return n.Funnel.Execute(t.Context(), r)
	}
	both := `"targets":[{"index":"i","collections":["c","d"]}]`
	found := result(t, inside("search", `{`+both+`,"size":1,"scroll":"1m"}`))
	users := storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "roles"}
	internal, err := n.Engine.Search(t.Context(), storage.Search{Targets: []storage.Collection{users}, Size: 1, Scroll: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	const unknown = "services.storage.unknown_scroll_id"
	controllertest.Run(t, n, []scenario{
		{"somebody else's", `document:scroll ` + jwt + `,"scrollId":"` + found.ScrollID + `"`, 404, unknown, "", ""},
		{"the node's", `document:scroll ` + jwt + `,"scrollId":"` + internal.Scroll + `"`, 404, unknown, "", ""},
	})
	own := result(t, call(t, n, "search", jwt+`,`+c+`,"size":1,"scroll":"1m"`))
	if p := result(t, call(t, n, "scroll", jwt+`,"scrollId":"`+own.ScrollID+`"`)); len(p.Hits) != 1 {
		t.Errorf("%+v", p)
	}
	seen := map[string]int{found.Hits[0].ID: 1}
	for *found.Remaining > 0 {
		found = result(t, inside("scroll", `{"scrollId":"`+found.ScrollID+`"}`))
		seen[found.Hits[0].ID]++
	}
	if len(seen) != 3 || seen["b0"]+seen["b1"]+seen["b2"] != found.Total {
		t.Errorf("of %d hits the owner saw %v", found.Total, seen)
	}
}

// TestScrollsOfOneUser: nobody takes all scrolls that the node has, and those that ended do not count.
func TestScrollsOfOneUser(t *testing.T) {
	n, _ := newNodeWithSpecifications(t, false)
	library(t, n, 3)
	jwt := allow(t, n, `"search":true,"scroll":true`)
	open := func(size, keep string) *protocol.Response {
		return call(t, n, "search", jwt+`,`+c+`,"size":`+size+`,"scroll":"`+keep+`"`)
	}
	for range 150 {
		result(t, open("3", "1m")) // is at its end at once
		if a := open("0", "1m"); a.Error == nil {
			t.Fatal("a scroll without hits")
		}
	}
	first := result(t, open("2", "1m"))
	for range 98 {
		result(t, open("1", "1m"))
	}
	result(t, open("1", "1ms"))
	time.Sleep(2 * time.Millisecond)
	result(t, open("1", "1m"))
	full := []scenario{{"one too many", `document:search ` + jwt + `,` + c + `,"size":1,"scroll":"1m"`, 429, "services.storage.too_many_scrolls", "", ""}}
	controllertest.Run(t, n, full)
	result(t, call(t, n, "scroll", jwt+`,"scrollId":"`+first.ScrollID+`"`)) // its last page
	result(t, open("1", "1m"))
	controllertest.Run(t, n, full)
}

func TestCount(t *testing.T) {
	controllertest.Run(t, library(t, newNode(t), 5), []scenario{
		{"all", `document:count ` + c, 200, "", `{"count":5}`, ""},
		{"empty body", `document:count ` + c + `,"body":{}`, 200, "", `{"count":5}`, ""},
		{"empty query", `document:count ` + c + `,"body":{"query":{}}`, 200, "", `{"count":5}`, ""},
		{"null for a query", `document:count ` + c + `,"body":{"query":null}`, 200, "", `{"count":5}`, ""},
		{"query", `document:count ` + c + `,"body":{` + odd + `}`, 200, "", `{"count":2}`, ""},
		{"koncorde", `document:count ` + c + `,"lang":"koncorde","body":{"query":{"not":{"equals":{"tag":"odd"}}}}`, 200, "", `{"count":3}`, ""},
		{"koncorde without a body", `document:count ` + c + `,"lang":"koncorde"`, 200, "", `{"count":5}`, ""},
		{"another key", `document:count ` + c + `,"body":{"min_score":1}`, 400, "api.assert.unexpected_argument", "", ""},
		{"an unknown clause", `document:count ` + c + `,"body":{"query":{"equals":{"tag":"odd"}}}`, 400, "services.storage.unknown_query_keyword", "", ""},
		{"an unknown lang", `document:count ` + c + `,"lang":"sql"`, 400, "api.assert.invalid_argument", "", ""},
		{"a list for a body", `document:count ` + c + `,"body":[]`, 400, "api.assert.invalid_type", "", ""},
		{"an unknown collection", `document:count "index":"i","collection":"x"`, 412, "services.storage.unknown_collection", "", ""},
		{"an unknown index", `document:count "index":"x","collection":"x"`, 412, "services.storage.unknown_index", "", ""},
		{"no collection", `document:count "index":"i"`, 400, "api.assert.missing_argument", "", ""},
		{"targets", `document:count "targets":[{"index":"i","collections":["c"]}]`, 400, "api.assert.missing_argument", "", ""},
	})
}

// TestPipesChangeHits: what is answered is what the pipes left.
func TestPipesChangeHits(t *testing.T) {
	n := library(t, newNode(t), 1)
	n.Pipe(t, announce.AfterGet, plugin(`[{"_id":"p","_source":{"seen":true}}]`))
	controllertest.Run(t, n, []scenario{
		{"changed", `document:search ` + c + `,"body":{` + byNumber + `}`, 200, "", `{"hits":[{"_id":"p","_score":null,"_source":{"seen":true},"sort":[0],"index":"i","collection":"c"}],"total":1}`, "*"},
	})
	n.Pipe(t, announce.AfterGet, controllertest.Refuse)
	controllertest.Run(t, n, []scenario{{"refused", `document:search ` + c, 400, "", "", "*"}})
	n.Pipe(t, "document:beforeSearch", func(_ context.Context, _ string, p *events.Payload) error {
		p.Request.Args.Set("size", jsontext.Value("0"))
		return nil
	})
	controllertest.Run(t, n, []scenario{{"another size", `document:search ` + c, 200, "", `{"hits":[],"total":1}`, "*"}})
}
