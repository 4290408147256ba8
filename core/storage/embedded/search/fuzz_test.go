package search_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// FuzzRun searches with any body: it ends soon, fails only with what a client can correct, and finds the same in segments in
// memory and in files.
func FuzzRun(f *testing.F) {
	for _, body := range []string{
		`{"query":{"bool":{"must":[{"match":{"t":"brown"}}],"should":[{"term":{"k":"Ab"}},{"range":{"i":{"gte":-3.5,"lt":"9"}}}],"must_not":{"exists":{"field":"h*"}}}}}`,
		`{"query":{"bool":{"should":[{"match":{"t":{"query":"quick fox dog","minimum_should_match":"2<75%"}}},{"term":{"b":true}}],"minimum_should_match":-1}},"sort":["_score","_id"]}`,
		`{"query":{"nested":{"path":"n","score_mode":"max","query":{"bool":{"filter":[{"term":{"n.x":"a"}},{"nested":{"path":"n.m","query":{"prefix":{"n.m.z":"p"}}}}]}}}}}`,
		`{"query":{"multi_match":{"query":"brown fox","fields":["t^2","te","k"],"type":"cross_fields","operator":"and"}}}`,
		`{"query":{"match_phrase":{"t":{"query":"the quick brown","slop":2}}},"sort":[{"i":{"order":"desc","mode":"avg","missing":"_first"}},"_doc"]}`,
		`{"query":{"match_phrase_prefix":{"t":{"query":"quick br","max_expansions":2}}},"min_score":0.1}`,
		`{"query":{"constant_score":{"filter":{"regexp":{"k":{"value":"[a-c]*(b|d)&~(ab)","case_insensitive":true}}},"boost":2.5}}}`,
		`{"query":{"wildcard":{"kl":{"value":"*?d*","case_insensitive":true}}},"post_filter":{"ids":{"values":["1","3"]}}}`,
		`{"query":{"terms":{"dt":["2024-01-02","now/d"]}},"sort":[{"dt":{"mode":"max","order":"asc"}}],"search_after":["2023-01-01"]}`,
		`{"query":{"geo_distance":{"distance":"500km","g":[2,1]}},"aggs":{"a":{"terms":{"field":"k","min_doc_count":0},"aggs":{"b":{"stats":{"field":"i"}}}}}}`,
		`{"query":{"geo_shape":{"gs":{"shape":{"type":"polygon","coordinates":[[[0,0],[40,0],[0,39],[0,0]]]},"relation":"within"}}}}`,
		`{"query":{"geo_shape":{"g":{"shape":"GEOMETRYCOLLECTION (POINT (179.5 10), BBOX (170, -170, 11, -2))","relation":"disjoint"}}}}`,
		`{"query":{"geo_polygon":{"g":{"points":["0,0","0,5","5,0"]}}},"from":1,"size":2,"track_total_hits":1}`,
		`{"query":{"geo_bounding_box":{"g":{"top":20,"left":179,"bottom":-90,"right":-179}}},"aggs":{"c":{"cardinality":{"field":"g"}}}}`,
		`{"query":{"dis_max":{"queries":[{"fuzzy":{"k":{"value":"ba","fuzziness":2}}},{"match":{"t":{"query":"quikc borwn","fuzziness":"AUTO","max_expansions":2}}}],"tie_breaker":0.5}}}`,
		`{"query":{"boosting":{"positive":{"match_bool_prefix":{"t":"quick br"}},"negative":{"term":{"b":true}},"negative_boost":0.5}}}`,
		`{"query":{"function_score":{"query":{"match":{"t":"brown"}},"functions":[{"filter":{"term":{"b":true}},"weight":3},{"gauss":{"i":{"origin":1,"scale":2}}}],"min_score":0.5}}}`,
		`{"query":{"function_score":{"functions":[{"linear":{"g":{"origin":[1,1],"scale":"500km"}}},{"exp":{"dt":{"scale":"10d"}}},{"field_value_factor":{"field":"i","missing":1,"modifier":"log"}}],"score_mode":"avg"}}}`,
		`{"query":{"function_score":{"random_score":{"seed":7,"field":"k"},"boost_mode":"replace"}}}`,
		`{"query":{"query_string":{"query":"quick brown AND (k:Ab OR t:\"the fox\"~2^3) -i:[1 TO *} /b.*/ f?o* dgo~1 i:>=1 NOT n.x:a"}}}`,
		`{"query":{"query_string":{"query":"quick && brown || !fox _exists_:k *:*","fields":["t","te"],"minimum_should_match":2,"type":"cross_fields"}}}`,
		`{"query":{"simple_query_string":{"query":"\"the fox\"~2 + -(quick | bro*) dgo~1 ( \"","fields":["t^2","k"],"default_operator":"and","analyze_wildcard":true}}}`,
		`{"query":{"terms_set":{"k":{"terms":["a","Ab","ab"],"minimum_should_match_field":"i"}}}}`,
		`{"knn":[{"field":"v","query_vector":[0,1],"k":2,"num_candidates":5,"filter":{"term":{"b":true}}},{"field":"n.v","query_vector":"0102","similarity":3}],"query":{"match":{"t":"fox"}}}`,
		`{"query":{"nested":{"path":"n","query":{"knn":{"field":"n.v","query_vector":[1,1],"num_candidates":2,"boost":3}}}},"sort":["i"]}`,
		`{"query":{"range":{"ip":{"gt":"10.0.0.0","lte":"ff::"}}},"sort":["ip",{"kl":"desc"}]}`,
		`{"sort":[{"_geo_distance":{"g":["1,2",[3,4]],"unit":"km","mode":"median"}},{"_geo_distance":{"g":"5,5","order":"desc"}}],"search_after":[5,"Infinity"]}`,
		`{"suggest":{"text":"the qick bown","a":{"completion":{"field":"te.c","fuzzy":{"fuzziness":2}}},"b":{"regex":"(t|q).*","completion":{"field":"te.c","size":2}},"c":{"term":{"field":"t","suggest_mode":"always","string_distance":"jaro_winkler"}}}}`,
		`{"suggest":{"text":"the qick bown","a":{"phrase":{"field":"t","gram_size":3,"max_errors":3,"confidence":0,"smoothing":{"laplace":{"alpha":0}},"direct_generator":[{"field":"t","min_word_length":1},{"field":"te"}],"highlight":{"pre_tag":"<","post_tag":">"}}}}}`,
		`{"aggs":{"h":{"date_histogram":{"field":"dt","fixed_interval":"30d","time_zone":"Europe/Paris","min_doc_count":1},"aggs":{"s":{"extended_stats":{"field":"i"}}}},"p":{"percentiles":{"field":"i"}},"q":{"histogram":{"field":"i","interval":0.5,"extended_bounds":{"min":-1,"max":4}}}}}`,
		`{"aggs":{"n":{"nested":{"path":"n"},"aggs":{"f":{"filters":{"filters":{"x":{"term":{"n.x":"a"}}},"other_bucket":true}},"m":{"nested":{"path":"n.m"},"aggs":{"r":{"reverse_nested":{"path":"n"}},"t":{"terms":{"field":"n.m.z"}}}}}}}}`,
		`{"aggs":{"r":{"range":{"field":"i","ranges":[{"to":1},{"from":0,"key":"k"}]}},"i":{"ip_range":{"field":"ip","ranges":[{"mask":"10.0.0.0/8"}]}},"g":{"geo_distance":{"field":"g","origin":"1,2","ranges":[{"from":3}]}},"h":{"geohash_grid":{"field":"g","precision":3}}}}`,
		`{"aggs":{"c":{"composite":{"sources":[{"k":{"terms":{"field":"k","order":"desc","missing_bucket":true}}},{"i":{"histogram":{"field":"i","interval":2}}}],"size":2,"after":{"k":null,"i":0}}},"h":{"histogram":{"field":"i","interval":1},"aggs":{"d":{"derivative":{"buckets_path":"_count"}},"s":{"bucket_sort":{"sort":["d"],"size":2}}}}}}`,
		`{"collapse":{"field":"k"},"query":{"match":{"t":"quick brown"}}}`,
		`{"collapse":{"field":"i","inner_hits":{"name":"a","sort":[{"k":"desc"}],"size":2,"collapse":{"field":"k"}}},"sort":[{"i":"desc"}],"search_after":[3]}`,
		`{"aggs":{"a":{"terms":{"field":"k"},"aggs":{"b":{"top_hits":{"size":2,"from":1,"sort":["_score",{"i":"desc"}]}},"c":{"nested":{"path":"n"},"aggs":{"d":{"reverse_nested":{},"aggs":{"e":{"top_hits":{"track_scores":true,"sort":"_id"}}}}}}}}},"query":{"match":{"t":"quick brown"}}}`,
		`{"explain":true,"query":{"function_score":{"query":{"bool":{"must":[{"match":{"t":"brown"}}],"should":[{"dis_max":{"queries":[{"term":{"k":"a"}},{"match":{"te":"fox"}}]}}]}},"functions":[{"filter":{"term":{"b":true}},"weight":3}],"min_score":0.1}},"sort":"_id"}`,
	} {
		f.Add(body)
	}
	layouts := samples()
	f.Fuzz(func(t *testing.T, body string) {
		s, err := query.ParseSearch(jsontext.Value(body))
		if err != nil || s.RefuseUnsupported() != nil || s.From > 100 || s.Size > 100 {
			return
		}
		s.Timeout = 0
		memory, inMemory := fuzzOne(t, layouts["memory"], s)
		files, inFiles := fuzzOne(t, layouts["files"], s)
		if (inMemory == nil) != (inFiles == nil) || memory.Total != files.Total || idsOf(memory.Hits) != idsOf(files.Hits) {
			t.Errorf("%s of %d in memory (%v), %s of %d in files (%v)", idsOf(memory.Hits), memory.Total, inMemory, idsOf(files.Hits), files.Total, inFiles)
		}
	})
}

func fuzzOne(t *testing.T, targets []search.Target, s *query.Search) (search.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r := search.Request{Search: s, From: max(s.From, 0), Size: s.Size, Now: now, Read: func(context.Context, search.Hit, *query.Shown) (storage.Hit, bool, error) {
		return storage.Hit{Source: jsontext.Value(`{}`)}, true, nil
	}}
	if s.Size < 0 {
		r.Size = 10
	}
	result, err := search.Run(ctx, targets, r)
	if err != nil && !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
		t.Fatal(err)
	}
	for _, h := range result.Hits {
		if !slices.Contains([]string{"1", "2", "3", "4"}, h.ID) {
			t.Errorf("%q was found", h.ID)
		}
	}
	n, err := search.Count(ctx, targets, s.Query, now)
	if err == nil && s.PostFilter == nil && s.TotalHits == query.AllHits && result.Hits != nil && n != result.Total {
		t.Errorf("counted %d, found %d", n, result.Total)
	}
	return result, err
}
