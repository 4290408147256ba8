package query_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// search is what an empty body means, changed by change.
func search(change func(*query.Search)) *query.Search {
	s := &query.Search{Query: &query.MatchAll{Common: one}, From: -1, Size: -1, TotalHits: query.AllHits}
	change(s)
	return s
}

func raws(values ...string) []jsontext.Value {
	list := make([]jsontext.Value, len(values))
	for i, v := range values {
		list[i] = jsontext.Value(v)
	}
	return list
}

func TestParseSearch(t *testing.T) {
	tests := []struct {
		in   string
		want func(*query.Search)
	}{
		{``, func(*query.Search) {}},
		{`{}`, func(*query.Search) {}},
		{`{"query":{},"post_filter":{"term":{"a":1}},"_name":"x"}`, func(s *query.Search) { s.PostFilter, s.Name = term("a", "1"), "x" }},
		{`{"query":null}`, func(*query.Search) {}},
		{`{"from":5,"size":"10"}`, func(s *query.Search) { s.From, s.Size = 5, 10 }},
		{`{"from":0,"size":0}`, func(s *query.Search) { s.From, s.Size = 0, 0 }},
		{`{"sort":"a"}`, func(s *query.Search) { s.Sort = []query.Sort{{Field: "a"}} }},
		{`{"sort":["_score",{"b":"DESC"},{"c":{"order":"asc"}},"_doc"]}`, func(s *query.Search) {
			s.Sort = []query.Sort{{Field: "_score", Desc: true}, {Field: "b", Desc: true}, {Field: "c"}, {Field: "_doc"}}
		}},
		{`{"sort":{"a":"desc","_score":"asc"}}`, func(s *query.Search) { s.Sort = []query.Sort{{Field: "a", Desc: true}, {Field: "_score"}} }},
		{`{"sort":{"a":{"missing":"_first","mode":"median","unmapped_type":"long"},"b":{"missing":9007199254740993,"order":"desc"},"c":{"missing":"_last"},"d":{}}}`, func(s *query.Search) {
			s.Sort = []query.Sort{
				{Field: "a", MissingFirst: true, Mode: "median", UnmappedType: "long"},
				{Field: "b", Desc: true, Missing: jsontext.Value("9007199254740993")},
				{Field: "c"},
				{Field: "d"},
			}
		}},
		{`{"sort":[]}`, func(*query.Search) {}},
		{`{"sort":[{"a":{"mode":"min"}},{"a":{"mode":"max"}}]}`, func(s *query.Search) {
			s.Sort = []query.Sort{{Field: "a", Mode: "min"}, {Field: "a", Mode: "max"}}
		}},
		{`{"sort":["a","b"],"search_after":[9007199254740993,null],"from":0}`, func(s *query.Search) {
			s.Sort, s.SearchAfter, s.From = []query.Sort{{Field: "a"}, {Field: "b"}}, raws("9007199254740993", "null"), 0
		}},
		{`{"_source":false}`, func(s *query.Search) { s.Source.None = true }},
		{`{"_source":true}`, func(*query.Search) {}},
		{`{"_source":"a.*"}`, func(s *query.Search) { s.Source.Includes = []string{"a.*"} }},
		{`{"_source":["a","b"],"_source_excludes":"c,d","_source_includes":["e"]}`, func(s *query.Search) {
			s.Source = query.Source{Includes: []string{"a", "b", "e"}, Excludes: []string{"c", "d"}}
		}},
		{`{"_source":{"includes":["a"],"excludes":"b"}}`, func(s *query.Search) { s.Source = query.Source{Includes: []string{"a"}, Excludes: []string{"b"}} }},
		{`{"track_total_hits":true}`, func(*query.Search) {}},
		{`{"track_total_hits":false}`, func(s *query.Search) { s.TotalHits = 0 }},
		{`{"track_total_hits":50}`, func(s *query.Search) { s.TotalHits = 50 }},
		{`{"search_timeout":"1.5s"}`, func(s *query.Search) { s.Timeout = 1500 * time.Millisecond }},
		{`{"search_timeout":"20ms"}`, func(s *query.Search) { s.Timeout = 20 * time.Millisecond }},
		{`{"search_timeout":-1}`, func(*query.Search) {}},
		{`{"fields":["a"]}`, func(s *query.Search) {
			s.Unsupported = []string{"fields"}
		}},
		{`{"explain":true}`, func(s *query.Search) { s.Explain = true }},
		{`{"collapse":{"field":"a","max_concurrent_group_searches":2,"inner_hits":[{"name":"x","ignore_unmapped":true,"version":false},
			{"name":"y","from":1,"size":2,"sort":[{"a":"desc"}],"_source":["a"],"highlight":{},"collapse":{"field":"b"}}]}}`, func(s *query.Search) {
			s.Collapse = &query.Collapse{Field: "a", InnerHits: []query.InnerHits{
				{Name: "x", Shown: query.Shown{Size: 3}},
				{Name: "y", Collapse: "b", Shown: query.Shown{
					From: 1, Size: 2, Sort: []query.Sort{{Field: "a", Desc: true}},
					Source: query.Source{Includes: []string{"a"}}, Highlight: &query.Highlight{},
				}},
			}}
		}},
		{`{"collapse":{"field":"a"},"sort":["a"],"search_after":["x"]}`, func(s *query.Search) {
			s.Collapse = &query.Collapse{Field: "a"}
			s.Sort, s.SearchAfter = []query.Sort{{Field: "a"}}, raws(`"x"`)
		}},
		{`{"aggs":{"a":{"top_hits":{"track_scores":true,"sort":"i","size":1,"_source":false}}}}`, func(s *query.Search) {
			s.Aggregations = []query.Aggregation{{Name: "a", Of: &query.TopHits{
				Shown: query.Shown{Size: 1, Sort: []query.Sort{{Field: "i"}}, Source: query.Source{None: true}}, TrackScores: true,
			}}}
		}},
		{`{"explain":false}`, func(*query.Search) {}},
		{`{"highlight":{}}`, func(s *query.Search) { s.Highlight = &query.Highlight{} }},
		{`{"highlight":{"tags_schema":"styled","encoder":"html","order":"score","require_field_match":false,"fields":[{"a*":{}},
			{"b":{"type":"plain","order":"none","pre_tags":["<",">"],"post_tags":"/","fragment_size":5,"number_of_fragments":0,"no_match_size":7,
			"boundary_scanner":"word","require_field_match":"true","max_analyzed_offset":9,"highlight_query":{"match_none":{}}}}]}}`, func(s *query.Search) {
			s.Highlight = &query.Highlight{HTML: true, Fields: []query.HighlightField{
				{Pattern: "a*", Pre: `<em class="hlt1">`, Post: "</em>", FragmentSize: 100, Fragments: 5, ByScore: true, AnyField: true},
				{
					Pattern: "b", Plain: true, ByWord: true, Pre: "<", Post: "/", FragmentSize: 5, NoMatchSize: 7, MaxAnalyzed: 9,
					Query: &query.MatchNone{Common: query.Common{Boost: 1}},
				},
			}}
		}},
		{`{"aggs":{}}`, func(s *query.Search) { s.Aggregations = []query.Aggregation{} }},
		{`{"aggregations":{"t":{"terms":{"field":"f"}}}}`, func(s *query.Search) {
			s.Aggregations = []query.Aggregation{{Name: "t", Of: &query.TermsAggregation{
				Field: "f", Size: 10, MinDocCount: 1, Order: []query.BucketOrder{{By: "_count", Desc: true}},
			}}}
		}},
		{`{"aggs":{"t":{"meta":{"x":1},"terms":{"order":[{"m":"desc"},{"s.avg":"asc"},{"s[max]":"asc"},{"m.value":"asc"},{"_key":"asc"}],"field":"f","size":5,"shard_size":50,
			"min_doc_count":0,"missing":"N/A","include":"a.*","exclude":["ab",1],"execution_hint":"map","collect_mode":"breadth_first"},
			"aggs":{"m":{"max":{"field":"n","missing":0}},"s":{"stats":{"field":"n"}},"c":{"cardinality":{"field":"g","precision_threshold":100}}}}}}`, func(s *query.Search) {
			s.Aggregations = []query.Aggregation{{
				Name: "t", Meta: jsontext.Value(`{"x":1}`),
				Of: &query.TermsAggregation{
					Field: "f", Size: 5, Missing: jsontext.Value(`"N/A"`),
					Order:   []query.BucketOrder{{By: "m", Desc: true}, {By: "s", Of: "avg"}, {By: "s", Of: "max"}, {By: "m"}, {By: "_key"}},
					Include: &query.ValueFilter{Regexp: "a.*"}, Exclude: &query.ValueFilter{Values: raws(`"ab"`, "1")},
				},
				Subs: []query.Aggregation{
					{Name: "m", Of: &query.Metric{Kind: query.Max, Field: "n", Missing: jsontext.Value("0"), Precision: 3000}},
					{Name: "s", Of: &query.Metric{Kind: query.Stats, Field: "n", Precision: 3000}},
					{Name: "c", Of: &query.Metric{Kind: query.Cardinality, Field: "g", Precision: 100}},
				},
			}}
		}},
		{`{"suggest":{"text":"t","a":{"completion":{"field":"f","fuzzy":{"fuzziness":"AUTO","unicode_aware":true},"skip_duplicates":true}},
			"b":{"regex":"x.*","completion":{"field":"f","regex":{"flags":"NONE"}}},
			"c":{"text":"u","term":{"field":"f","size":2,"suggest_mode":"always","sort":"frequency","max_edits":1}}}}`, func(s *query.Search) {
			s.Suggestions = []query.Suggestion{
				{Name: "a", Text: "t", Field: "f", Size: 5, ShardSize: 5, Completion: &query.Completion{
					Prefix: "t", Flags: "ALL", MaxStates: 10000, SkipDuplicates: true,
					Fuzzy: &query.FuzzyCompletion{Edits: 1, Swaps: true, MinLength: 3, PrefixLength: 1, Unicode: true},
				}},
				{Name: "b", Text: "t", Field: "f", Size: 5, ShardSize: 5, Completion: &query.Completion{Prefix: "x.*", Regexp: true, Flags: "NONE", MaxStates: 10000}},
				{Name: "c", Text: "u", Field: "f", Size: 2, ShardSize: 5, Terms: &query.TermSuggester{
					ByFrequency: true, Mode: query.SuggestAlways, Accuracy: 0.5, Edits: 1, PrefixLength: 1, MinLength: 4, Inspections: 5,
					MaxDocuments: 0.01, Distance: "internal",
				}},
			}
		}},
		{`{"suggest":{"text":"t","a":{"phrase":{"field":"f"}},
			"b":{"phrase":{"field":"f","shard_size":7,"gram_size":2,"real_word_error_likelihood":0.5,"confidence":0,"max_errors":"2","separator":"_","token_limit":3,
				"force_unigrams":"true","highlight":{"pre_tag":"<","post_tag":">"},"smoothing":{"linear":{"trigram_lambda":0.5,"bigram_lambda":0.25,"unigram_lambda":0.25}},
				"direct_generator":[{"field":"g","size":2,"suggest_mode":"always","min_word_length":2},{"field":"h"}]}}}}`, func(s *query.Search) {
			usual := query.TermSuggester{Accuracy: 0.5, Edits: 2, PrefixLength: 1, MinLength: 4, Inspections: 5, MaxDocuments: 0.01, Distance: "internal"}
			other := usual
			other.Mode, other.MinLength = query.SuggestAlways, 2
			pre, post := "<", ">"
			s.Suggestions = []query.Suggestion{
				{Name: "a", Text: "t", Field: "f", Size: 5, ShardSize: 5, Phrases: &query.PhraseSuggester{
					Unigrams: true, RealWord: 0.95, Confidence: 1, MaxErrors: 0.5, TokenLimit: 10, Separator: " ", Smoothing: query.Smoothing{Discount: 0.4},
				}},
				{Name: "b", Text: "t", Field: "f", Size: 5, ShardSize: 7, Phrases: &query.PhraseSuggester{
					Generators: []query.CandidateGenerator{{Field: "g", Size: 2, Terms: &other}, {Field: "h", Size: 5, Terms: &usual}},
					Grams:      2, Unigrams: true, RealWord: 0.5, MaxErrors: 2, TokenLimit: 3, Separator: "_", PreTag: &pre, PostTag: &post,
					Smoothing: query.Smoothing{Model: query.Linear, Discount: 0.4, Trigram: 0.5, Bigram: 0.25, Unigram: 0.25},
				}},
			}
		}},
	}
	for _, tt := range tests {
		got, err := query.ParseSearch(jsontext.Value(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
		} else if want := search(tt.want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.in, got, want)
		}
	}
}

func TestEveryMetric(t *testing.T) {
	for _, kind := range []query.MetricKind{query.Min, query.Max, query.Avg, query.Sum, query.Stats, query.ValueCount, query.Cardinality} {
		s, err := query.ParseSearch(jsontext.Value(`{"aggs":{"x":{"` + string(kind) + `":{"field":"f"}}}}`))
		if err != nil || s.Aggregations[0].Of.(*query.Metric).Kind != kind {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestParseSearchRefuses(t *testing.T) {
	key := kerror.ServicesStorageInvalidSearchQuery
	deep := strings.Repeat(`{"a":{"terms":{"field":"f"},"aggs":`, 31) + `{}` + strings.Repeat(`}}`, 31)
	tests := []refusal{
		{`[]`, bad, "expected an object"},
		{`{"query":[]}`, bad, "query: expected an object"},
		{`{"query":{"term":{"a":null}}}`, bad, "query.term.a: expected"},
		{`{"post_filter":{"nope":{}}}`, unknown, `"nope"`},
		{`{"term":{"a":1}}`, key, `"term"`},
		{`{"min_score":1}`, key, `"min_score"`},
		{`{"script_fields":{}}`, key, `"script_fields"`},
		{`{"runtime_mappings":{}}`, key, `"runtime_mappings"`},
		{`{"timeout":"1s"}`, key, `"timeout"`},
		{`{"from":-1}`, bad, "from: expected a whole number"},
		{`{"size":1.5}`, bad, "size: expected a whole number"},
		{`{"size":99999999999}`, bad, "size"},
		{`{"size":"many"}`, bad, "size: expected a number"},
		{`{"sort":1}`, bad, "sort: expected a field"},
		{`{"sort":[[]]}`, bad, "sort[0]: expected a field"},
		{`{"sort":[""]}`, bad, "no name"},
		{`{"sort":{"a":1}}`, bad, "sort.a: expected an object"},
		{`{"sort":{"a":"up"}}`, bad, "sort.a: expected one of asc, desc"},
		{`{"sort":[{"a":{"mode":"x"}}]}`, bad, "sort[0].a.mode"},
		{`{"knn":{"field":"f","query_vector":[1],"k":5,"num_candidates":3}}`, bad, "knn: num_candidates cannot be less than k"},
		{`{"knn":[{"field":"f","query_vector":[1],"k":0}]}`, bad, "knn[0].k: expected a whole number of at least 1"},
		{`{"knn":{"field":"f","query_vector":[1],"_name":"x"}}`, bad, "knn._name: unknown option"},
		{`{"knn":{"field":"f","query_vector":[1],"inner_hits":{}}}`, bad, "knn.inner_hits: not supported yet"},
		{`{"knn":{"field":"f","query_vector":[1],"filter":{"script":{}}}}`, script, `"script"`},
		{`{"sort":{"a":{"nested":{"path":"a"}}}}`, bad, "sort.a.nested: not supported yet"},
		{`{"sort":{"a":{"nested":{"filter":{"script":{}}}}}}`, script, `"script"`},
		{`{"sort":{"a":{"x":1}}}`, bad, "sort.a.x: unknown option"},
		{`{"sort":{"_score":{"missing":1}}}`, bad, "sort._score.missing: unknown option"},
		{`{"sort":{"_geo_distance":{"a":[]}}}`, bad, "expected 1 to 1024 points"},
		{`{"sort":{"_geo_distance":{"unit":"km"}}}`, bad, "expected a field with one point or more"},
		{`{"sort":{"_geo_distance":{"a":"1,1","b":"1,1"}}}`, bad, `found "a" and "b"`},
		{`{"sort":{"_geo_distance":{"a":"1,1","mode":"sum"}}}`, bad, "sort._geo_distance.mode: expected one of"},
		{`{"sort":{"_geo_distance":{"a":"91,1"}}}`, bad, "not on earth"},
		{`{"sort":{"_geo_distance":{"a":"1,1","boost":1}}}`, bad, "boost: unknown option"},
		{`{"sort":{"_geo_distance":{"a":"1,1","nested":{"path":"a"}}}}`, bad, "nested: not supported yet"},
		{`{"sort":{"_script":{}}}`, script, `"_script"`},
		{`{"sort":"_script"}`, script, `"_script"`},
		{`{"sort":["a",{"b":"asc"},{"a":"desc"}]}`, bad, "sort: the key a is there twice"},
		{`{"sort":["_score","_score"]}`, bad, "sort: the key _score is there twice"},
		{`{"sort":[` + numbered(33, `"f%d"`) + `]}`, bad, "sort: more than 32 keys"},
		{`{"aggs":{"a":{"terms":{"field":"f","order":[` + numbered(33, `{"_key":"asc"}`) + `]}}}}`, bad, "more than 32 rules"},
		{`{"collapse":"k"}`, bad, "collapse: expected an object"},
		{`{"collapse":{}}`, bad, "collapse: expected a field"},
		{`{"collapse":{"field":"k","unknown":1}}`, bad, "collapse.unknown"},
		{`{"collapse":{"field":"k","max_concurrent_group_searches":0}}`, bad, "collapse.max_concurrent_group_searches"},
		{`{"collapse":{"field":"k","inner_hits":{}}}`, bad, "collapse.inner_hits: inner_hits must have a name"},
		{`{"collapse":{"field":"k","inner_hits":[{"name":"a"},1]}}`, bad, "collapse.inner_hits[1]: expected an object"},
		{`{"collapse":{"field":"k","inner_hits":{"name":"a","sort":"n"}}}`, bad, "collapse.inner_hits.sort"},
		{`{"collapse":{"field":"k","inner_hits":{"name":"a","size":9999,"from":2}}}`, bad, "at most 10000"},
		{`{"collapse":{"field":"k","inner_hits":{"name":"a","seq_no_primary_term":true}}}`, bad, "seq_no_primary_term: not supported yet"},
		{`{"collapse":{"field":"k","inner_hits":{"name":"a","version":true}}}`, bad, "version: not supported yet"},
		{`{"collapse":{"field":"k","inner_hits":{"name":"a","script_fields":{}}}}`, script, "script_fields"},
		{`{"collapse":{"field":"k","inner_hits":{"name":"a","collapse":{"field":"b","inner_hits":{"name":"c"}}}}}`, bad, "collapse.inner_hits.collapse"},
		{`{"collapse":{"field":"k","inner_hits":[` + numbered(33, `{"name":"%d"}`) + `]}}`, bad, "more than 32"},
		{`{"collapse":{"field":"k"},"sort":["k","n"],"search_after":["a",1]}`, bad, "must be sorted by the field"},
		{`{"aggs":{"a":{"top_hits":{"size":0}}}}`, bad, "aggs.a.top_hits: size must be 1 or more"},
		{`{"aggs":{"a":{"top_hits":{"size":99,"from":2}}}}`, bad, "at most 100"},
		{`{"aggs":{"a":{"top_hits":{"script_fields":{}}}}}`, script, "script_fields"},
		{`{"aggs":{"a":{"top_hits":{"docvalue_fields":["k"]}}}}`, bad, "docvalue_fields: not supported yet"},
		{`{"aggs":{"a":{"top_hits":{},"aggs":{"b":{"max":{"field":"i"}}}}}}`, bad, "top_hits cannot have aggregations below it"},
		{`{"search_after":[]}`, bad, "search_after"},
		{`{"search_after":[{}]}`, bad, "search_after[0]"},
		{`{"search_after":[1,2],"sort":"a"}`, bad, "2 values but the sort has 1"},
		{`{"search_after":[1]}`, bad, "1 values but the sort has 0"},
		{`{"search_after":[1],"from":1}`, bad, "from must be 0"},
		{`{"_source":1}`, bad, "_source: expected a text"},
		{`{"_source":{"x":[]}}`, bad, "_source.x: unknown option"},
		{`{"_source_includes":true}`, bad, "_source_includes"},
		{`{"track_total_hits":-2}`, bad, "track_total_hits"},
		{`{"search_timeout":"soon"}`, bad, "search_timeout"},
		{`{"search_timeout":"-5s"}`, bad, "search_timeout"},
		{`{"highlight":{"fields":{"a":{"highlight_query":{"script":{}}}}}}`, script, `"script"`},
		{`{"highlight":1}`, bad, "highlight: expected an object"},
		{`{"highlight":{"fields":{"a":{"type":"fvh"}}}}`, bad, "use unified"},
		{`{"highlight":{"fields":{"a":{"nosuch":1}}}}`, bad, "highlight.fields.a.nosuch: unknown option"},
		{`{"highlight":{"fields":{"a":{"encoder":"html"}}}}`, bad, "highlight.fields.a.encoder: unknown option"},
		{`{"highlight":{"pre_tags":"<b>","fields":{"a":{}}}}`, bad, "highlight: pre_tags are set but post_tags are not set"},
		{`{"highlight":{"pre_tags":[],"post_tags":[]}}`, bad, "expected at least one tag"},
		{`{"highlight":{"post_tags":"` + strings.Repeat("x", 1025) + `"}}`, bad, "longer than 1024 bytes"},
		{`{"highlight":{"fragment_size":-1}}`, bad, "highlight.fragment_size: expected a whole number of at least 0"},
		{`{"highlight":{"fragmenter":"simple"}}`, bad, "highlight.fragmenter: not supported yet"},
		{`{"highlight":{"fields":[` + numbered(257, `{"f%d":{}}`) + `]}}`, bad, "more than 256 fields"},
		{`{"suggest":{"x":{"phrase":{"collate":{"script":{}}}}}}`, script, `"script"`},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","collate":{}}}}}`, script, `"collate"`},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","max_errors":0}}}}`, bad, "suggest.a.phrase.max_errors: expected a number above 0"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","max_error":1}}}}`, bad, "suggest.a.phrase.max_error: unknown option"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","confidence":-1}}}}`, bad, "suggest.a.phrase.confidence: must not be negative"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","gram_size":0}}}}`, bad, "suggest.a.phrase.gram_size: expected a whole number of at least 1"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","highlight":{"pre_tag":"<"}}}}}`, bad, "expected both pre_tag and post_tag, or none"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","highlight":{"tag":"<"}}}}}`, bad, "suggest.a.phrase.highlight.tag: unknown option"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","direct_generator":{"field":"f"}}}}}`, bad, "suggest.a.phrase.direct_generator: expected a list"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","direct_generator":[{}]}}}}`, bad, "suggest.a.phrase.direct_generator[0]: expected a field"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","direct_generator":[{"field":"f","pre_filter":"a"}]}}}}`, bad, "pre_filter: not supported yet"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","direct_generator":[` + numbered(17, `{"field":"f%d"}`) + `]}}}}`, bad, "more than 16 generators"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","smoothing":{"linear_interpolation":{}}}}}}`, bad, "expected one of stupid_backoff, laplace, linear"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","smoothing":{"laplace":{"beta":1}}}}}}`, bad, "suggest.a.phrase.smoothing.laplace.beta: unknown option"},
		{`{"suggest":{"text":"x","a":{"phrase":{"field":"f","smoothing":{"linear":{"bigram_lambda":0.5}}}}}}`, bad, "that are 1 together"},
		{`{"suggest":[]}`, bad, "suggest: expected an object"},
		{`{"suggest":{"a":1}}`, bad, "suggest.a: expected an object"},
		{`{"suggest":{"a":{"text":"x"}}}`, bad, "suggest.a: expected one of completion, term, phrase"},
		{`{"suggest":{"a":{"text":[],"term":{"field":"f"}}}}`, bad, "suggest.a.text: expected a text"},
		{`{"suggest":{"a":{"term":{"field":"f"}}}}`, bad, "suggest.a: expected a text"},
		{`{"suggest":{"text":"x","a":{"term":{}}}}`, bad, "suggest.a.term: expected a field"},
		{`{"suggest":{"text":"x","a":{"term":{"field":"f"},"completion":{"field":"f"}}}}`, bad, "suggest.a.completion: unknown option"},
		{`{"suggest":{"text":"x","a":{"term":{"field":"f","fuzzy":{}}}}}`, bad, "suggest.a.term.fuzzy: unknown option"},
		{`{"suggest":{"text":"x","a":{"term":{"field":"f","size":10001}}}}`, bad, "suggest.a.term.size: expected at most 10000"},
		{`{"suggest":{"text":"x","a":{"term":{"field":"f","string_distance":"far"}}}}`, bad, "expected one of internal, "},
		{`{"suggest":{"text":"x","a":{"term":{"field":"f","min_doc_freq":1.5}}}}`, bad, "expected a share below 1, or a whole number"},
		{`{"suggest":{"text":"x","a":{"completion":{"field":"f","contexts":{}}}}}`, bad, "suggest.a.completion.contexts: not supported yet"},
		{`{"suggest":{"a":{"regex":"x","completion":{"field":"f","fuzzy":true}}}}`, bad, "an expression cannot be fuzzy: give a prefix"},
		{`{"suggest":{"text":"x",` + numbered(65, `"a%d":{"term":{"field":"f"}}`) + `}}`, bad, "suggest: more than 64 suggestions"},
		{`{"aggs":[]}`, bad, "aggs: expected an object"},
		{`{"aggs":{"a":{"avg":{"field":"x"}}},"aggregations":{}}`, bad, "given twice"},
		{`{"aggs":{"a[":{"avg":{"field":"x"}}}}`, bad, "the name of an aggregation"},
		{`{"aggs":{"a":{}}}`, bad, "aggs.a: expected a type"},
		{`{"aggs":{"a":{"avg":{"field":"x"},"sum":{"field":"x"}}}}`, bad, `found "avg" and "sum"`},
		{`{"aggs":{"a":{"avg":{}}}}`, bad, "aggs.a.avg: expected a field"},
		{`{"aggs":{"a":{"avg":{"field":"x"},"aggs":{"b":{"sum":{"field":"x"}}}}}}`, bad, "avg cannot have aggregations below it"},
		{`{"aggs":{"a":{"avg":{"field":"x","precision_threshold":1}}}}`, bad, "unknown option"},
		{`{"aggs":{"a":{"avg":{"field":"x","format":"0"}}}}`, bad, "aggs.a.avg.format: not supported yet"},
		{`{"aggs":{"a":{"avg":{"script":"1"}}}}`, script, `"script"`},
		{`{"aggs":{"a":{"terms":{"script":{"id":"x"}}}}}`, script, `"script"`},
		{`{"aggs":{"a":{"scripted_metric":{}}}}`, script, `"scripted_metric"`},
		{`{"aggs":{"a":{"date_histogram":{"field":"x","script":"1"}}}}`, script, `"script"`},
		{`{"aggs":{"a":{"significant_terms":{"field":"x"}}}}`, bad, "aggs.a.significant_terms: not supported yet"},
		{`{"aggs":{"a":{"nope":{}}}}`, unknown, `"nope"`},
		{`{"aggs":{"a":{"terms":{"field":"x","size":0}}}}`, bad, "aggs.a.terms.size"},
		{`{"aggs":{"a":{"terms":{"field":"x","include":{"partition":0}}}}}`, bad, "aggs.a.terms.include"},
		{`{"aggs":{"a":{"terms":{"field":"x","order":{"b":"asc"}}}}}`, bad, "neither _count, _key nor a metric"},
		{`{"aggs":{"a":{"terms":{"field":"x","order":{"b":"asc"}},"aggs":{"b":{"stats":{"field":"x"}}}}}}`, bad, "neither _count"},
		{`{"aggs":{"a":{"terms":{"field":"x","order":{"b":"asc"}},"aggs":{"b":{"terms":{"field":"x"}}}}}}`, bad, "neither _count"},
		{`{"aggs":{"a":{"terms":{"field":"x","order":{"_count":"up"}}}}}`, bad, "expected one of asc"},
		{`{"aggs":{"a":{"terms":{"field":"x"},"meta":1}}}`, bad, "aggs.a.meta: expected an object"},
		{`{"aggs":` + deep + `}`, bad, "nested more than 30"},
	}
	for _, tt := range tests {
		_, err := query.ParseSearch(jsontext.Value(tt.in))
		tt.check(t, err)
	}
}

func TestRefuseUnsupported(t *testing.T) {
	s, err := query.ParseSearch(jsontext.Value(`{"fields":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	refusal{"fields", bad, "fields: not supported yet"}.check(t, s.RefuseUnsupported())
	if err := (&query.Search{}).RefuseUnsupported(); err != nil {
		t.Error(err)
	}
}

// numbered repeats a text n times, with commas between; %d in it is the number.
func numbered(n int, text string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.ReplaceAll(text, "%d", strconv.Itoa(i))
	}
	return strings.Join(list, ",")
}
