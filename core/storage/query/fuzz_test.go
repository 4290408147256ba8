package query_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/query/dates"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// typical is a search as clients send it.
const typical = `{"query":{"bool":{"filter":[{"term":{"status":"open"}},{"range":{"created":{"gte":"now-7d/d","lt":"now"}}},{"terms":{"tags":["a","b","c"]}}],
	"must":[{"match":{"title":{"query":"blue bicycle","operator":"and"}}}],"must_not":{"exists":{"field":"deleted"}}}},
	"sort":[{"created":{"order":"desc","missing":"_last"}},"_score"],"from":0,"size":25,"_source":["title","created"],
	"aggs":{"by":{"terms":{"field":"status","size":20,"order":{"m":"desc"}},"aggs":{"m":{"max":{"field":"created"}}}}}}`

// refusedWell checks that an error is one that a client understands.
func refusedWell(t *testing.T, err error) {
	t.Helper()
	var e *kerror.Error
	if !errors.As(err, &e) || e.Status != 400 || e.ID == "" {
		t.Errorf("%v is no answer for a client", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		typical,
		`{"query":{"nested":{"path":"a","query":{"constant_score":{"filter":{"ids":{"values":[1]}}}}}},"sort":"a","search_after":[1],"track_total_hits":5}`,
		`{"query":{"geo_distance":{"f":"u09","distance":"3nmi"}},"post_filter":{"geo_bounding_box":{"f":{"wkt":"BBOX(1,2,4,3)"}}}}`,
		`{"query":{"multi_match":{"query":1,"fields":["a^2"],"minimum_should_match":"2<-25% 9<-3"}},"highlight":{"script":1}}`,
		`{"query":{"geo_shape":{"f":{"shape":{"type":"polygon","coordinates":[[[0,0],[1,0],[1,1]]]},"relation":"within"},"ignore_unmapped":true}}}`,
		`{"query":{"geo_shape":{"f":{"shape":"GEOMETRYCOLLECTION (POINT (1 2), BBOX (170, -170, 1, 0))"},"boost":2}}}`,
		`{"query":{"geo_polygon":{"f":{"points":[[1,2],{"lat":1,"lon":1},"POINT(1 2)","1,3"]}}},"sort":{"_geo_distance":1}}`,
		`{"sort":[{"_geo_distance":{"f":["1,2",[3,4]],"unit":"km","mode":"avg","distance_type":"plane"}}]}`,
		`{"query":{"dis_max":{"queries":[{"fuzzy":{"a":{"value":"x","fuzziness":"AUTO:1,2"}}},{"match_bool_prefix":{"b":"x y"}}],"tie_breaker":0.5}}}`,
		`{"query":{"function_score":{"functions":[{"filter":{"term":{"a":1}},"gauss":{"d":{"origin":"now","scale":"3d","offset":"1h"}}},{"random_score":{"seed":1,"field":"a"}}],"min_score":1}}}`,
		`{"query":{"boosting":{"positive":{"terms_set":{"a":{"terms":[1],"minimum_should_match_field":"n"}}},"negative":{"match_all":{}},"negative_boost":0.5}}}`,
		`{"knn":[{"field":"v","query_vector":[1,"2"],"k":3,"num_candidates":5,"filter":[{"term":{"a":1}}],"similarity":0.5},{"field":"w","query_vector":"00ff"}],"query":{"knn":{"field":"v","query_vector":3}}}`,
		`{"query":{"query_string":{"query":"a:(b OR \"c d\"~2^3) AND [x TO *} /r.*/ f?o* -\\u0041b~1 NOT >=3","fields":["t^2"],"time_zone":"+01:00"}}}`,
		`{"query":{"query_string":{"query":"a && b || !c _exists_:d *:* \\*","default_field":"*","minimum_should_match":2,"type":"cross_fields"}}}`,
		`{"query":{"simple_query_string":{"query":"\"a b\"~2 + -(c | d*) e~1 \\( (","flags":"OR|AND|NEAR","default_operator":"and"}}}`,
		`{"suggest":{"text":"x","a":{"completion":{"field":"a","fuzzy":{"fuzziness":2}}},"b":{"regex":"a|b","completion":{"field":"a"}},"c":{"term":{"field":"b","string_distance":"ngram","max_term_freq":2}}}}`,
		`{"suggest":{"text":"x","a":{"phrase":{"field":"a","gram_size":2,"smoothing":{"laplace":{"alpha":0.1}},"direct_generator":[{"field":"b","suggest_mode":"popular"}],"highlight":{"pre_tag":"<","post_tag":">"}}}}}`,
		`{"aggs":{"h":{"date_histogram":{"field":"a","fixed_interval":"30d","time_zone":"Europe/Paris","offset":"-1d","extended_bounds":{"min":"now-1y"}},"aggs":{"s":{"extended_stats":{"field":"b"}},"d":{"derivative":{"buckets_path":"s.variance","unit":"day"}},"z":{"bucket_sort":{"sort":[{"d":"desc"}],"size":3}}}}}}`,
		`{"aggs":{"n":{"nested":{"path":"a"},"aggs":{"f":{"filters":{"filters":{"x":{"term":{"a.b":1}}},"other_bucket":true}},"r":{"reverse_nested":{},"aggs":{"p":{"percentiles":{"field":"c","percents":[1,99]}}}}}}}}`,
		`{"aggs":{"r":{"range":{"field":"a","ranges":[{"to":1},{"from":"x","key":"k"}]}},"i":{"ip_range":{"field":"b","ranges":[{"mask":"10.0.0.0/8"}]}},"g":{"geo_distance":{"field":"c","origin":"1,2","unit":"km","ranges":[{"from":3}]}},"h":{"geohash_grid":{"field":"c","precision":"10km"}}}}`,
		`{"aggs":{"c":{"composite":{"sources":[{"a":{"terms":{"field":"a","missing_bucket":true}}},{"b":{"histogram":{"field":"b","interval":0.5}}}],"after":{"a":null,"b":2}}},"d":{"date_range":{"field":"d","format":"yyyy","ranges":[{"from":"2020||/y"}]}}}}`,
	} {
		f.Add([]byte(seed))
	}
	format, err := dates.Compile(dates.Default)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := query.ParseSearch(body)
		if err != nil {
			refusedWell(t, err)
			return
		}
		again, err := query.ParseSearch(append([]byte(" "), body...))
		if len(body) > 0 && (err != nil || !reflect.DeepEqual(s, again)) {
			t.Errorf("read twice: %+v and %+v, %v", s, again, err)
		}
		query.Fields(s.Query)
		query.Walk(s.Query, func(q query.Query) bool {
			if q.Clause().Boost < 0 {
				t.Error("a negative boost")
			}
			if f, ok := q.(*query.FunctionScore); ok {
				readDecays(t, f, format)
			}
			if b, ok := q.(*query.Bool); ok && b.Needed() < 0 {
				t.Error("a negative number of clauses")
			}
			if r, ok := q.(*query.Range); ok {
				if _, _, err := r.Dates(time.Unix(0, 0), format); err != nil {
					refusedWell(t, err)
				}
			}
			return true
		})
	})
}

func readDecays(t *testing.T, q *query.FunctionScore, format *dates.Format) {
	t.Helper()
	for _, f := range q.Functions {
		d, ok := f.Score.(*query.Decay)
		if !ok {
			continue
		}
		_, numbers, wrongNumbers := d.Numbers()
		_, places, wrongPlaces := d.Places()
		_, times, wrongTimes := d.Dates(time.Unix(0, 0), format)
		for r, err := range map[query.Reach]error{numbers: wrongNumbers, places: wrongPlaces, times: wrongTimes} {
			if err != nil {
				refusedWell(t, err)
			} else if r.Scale <= 0 || r.Offset < 0 {
				t.Errorf("the scale %v and the offset %v", r.Scale, r.Offset)
			}
		}
	}
}

func FuzzKoncorde(f *testing.F) {
	for _, seed := range []string{
		`{"and":[{"equals":{"a":1}},{"or":[{"in":{"b":["x"]}},{"not":{"exists":"c[\"v\"]"}}]},{"missing":{"field":"d\\[e"}}]}`,
		`{"geoDistance":{"p":"1,1","distance":"1km"}}`, `{"bool":{}}`, `{}`, `{"regexp":{"a":"x"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, filter []byte) {
		translated, err := query.Koncorde(filter)
		if err != nil {
			refusedWell(t, err)
			return
		}
		if !translated.IsValid() {
			t.Fatalf("%s is not JSON", translated)
		}
		if _, err := query.Parse(translated); err != nil {
			refusedWell(t, err)
		}
	})
}

// TestKeyOrderMeansNothing reads the typical search with the members of every object the other way round. The sort, whose
// keys are a list, stays as it is.
func TestKeyOrderMeansNothing(t *testing.T) {
	want, err := query.ParseSearch(jsontext.Value(typical))
	if err != nil {
		t.Fatal(err)
	}
	got, err := query.ParseSearch(reversed(t, jsontext.Value(typical)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func reversed(t *testing.T, v jsontext.Value) jsontext.Value {
	t.Helper()
	if err := v.Compact(); err != nil {
		t.Fatal(err)
	}
	d := jsontext.NewDecoder(&reader{v})
	return reverse(t, d)
}

// reader hands out its text.
type reader struct{ rest []byte }

func (r *reader) Read(p []byte) (int, error) {
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func reverse(t *testing.T, d *jsontext.Decoder) jsontext.Value {
	t.Helper()
	kind := d.PeekKind()
	if kind != '{' && kind != '[' {
		v, err := d.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		return v.Clone()
	}
	if _, err := d.ReadToken(); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for d.PeekKind() != '}' && d.PeekKind() != ']' {
		var item []byte
		if kind == '{' {
			item = append(reverse(t, d), ':')
		}
		item = append(item, reverse(t, d)...)
		switch {
		case out == nil:
			out = item
		case kind == '{':
			out = append(append(item, ','), out...)
		default:
			out = append(append(out, ','), item...)
		}
	}
	end, err := d.ReadToken()
	if err != nil {
		t.Fatal(err)
	}
	return append(append([]byte{byte(kind)}, out...), byte(end.Kind()))
}

// TestRefusalsAreQuick: what an attacker nests or repeats costs no more than its length.
func TestRefusalsAreQuick(t *testing.T) {
	half := 1 << 20
	for _, body := range [][]byte{
		repeat(`{"query":`, half), repeat(`[`, half), repeat(`{"query":{"bool":{"must":[`, half), []byte(`{"query":{"terms":{"f":[` + string(repeat(`"x",`, half)) + `1]}}}`),
		[]byte(`{"query":{"match":{"f":{"query":"x","minimum_should_match":"` + string(repeat(`1<2 `, half)) + `"}}}}`),
		[]byte(`{"query":{"range":{"f":{"format":"` + string(repeat(`[`, half)) + `"}}}}`),
	} {
		began := time.Now()
		_, err := query.ParseSearch(body)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%.40s took %s", body, took)
		}
		if err != nil {
			refusedWell(t, err)
			if len(err.Error()) > 4096 {
				t.Errorf("%.40s: the error has %d bytes", body, len(err.Error()))
			}
		}
	}
}

func repeat(text string, length int) []byte {
	b := make([]byte, 0, length)
	for len(b)+len(text) < length {
		b = append(b, text...)
	}
	return b
}

func BenchmarkParseSearch(b *testing.B) {
	body := jsontext.Value(typical)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := query.ParseSearch(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseTerm(b *testing.B) {
	body := jsontext.Value(`{"term":{"status":"open"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := query.Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}
