package search_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const sampleMapping = `{"properties":{
	"k":{"type":"keyword"},"kl":{"type":"keyword","normalizer":"lowercase"},"kn":{"type":"keyword","index":false},"nd":{"type":"keyword","doc_values":false},
	"t":{"type":"text","fields":{"raw":{"type":"keyword"}}},"tn":{"type":"text","index":false},"tf":{"type":"text","fielddata":true},"te":{"type":"text","norms":false,"fields":{"c":{"type":"completion"}}},
	"i":{"type":"integer"},"by":{"type":"byte"},"l":{"type":"long"},"d":{"type":"double"},"f":{"type":"float"},"h":{"type":"half_float"},
	"ln":{"type":"long","index":false,"doc_values":false},"b":{"type":"boolean"},"bn":{"type":"boolean","index":false},"dt":{"type":"date"},"ip":{"type":"ip"},"g":{"type":"geo_point"},"bin":{"type":"binary"},
	"v":{"type":"dense_vector","dims":2,"similarity":"l2_norm"},"vn":{"type":"dense_vector","dims":2,"index":false},
	"gs":{"type":"geo_shape"},"gn":{"type":"geo_shape","index":false,"doc_values":false},
	"o":{"properties":{"x":{"type":"keyword"}}},"al":{"type":"alias","path":"k"},
	"n":{"type":"nested","properties":{"x":{"type":"keyword"},"y":{"type":"integer"},"v":{"type":"dense_vector","dims":2,"similarity":"l2_norm"},"gs":{"type":"geo_shape"},"m":{"type":"nested","properties":{"z":{"type":"keyword"}}}}}}}`

var sample = []string{
	`{"k":"Ab","kl":"Ab","kn":"Ab","t":"Quick brown fox","tf":"zeta alpha","i":5,"by":5,"l":9007199254740993,"d":1.5,"f":0.1,"h":0.1,"b":true,"dt":"2024-01-02",
		"ip":"10.0.0.1","g":{"lat":1,"lon":2},"bin":"aGVsbG8=","o":{"x":"v"},"v":[0,0],"n":[{"x":"a","y":1,"v":[0,9],"m":[{"z":"p"},{"z":"q"}]},{"x":"b","y":2,"v":[0,1],"gs":"POINT (1 1)"}],"nd":"q","te":"one two","gs":"BBOX (0, 10, 10, 0)"}`,
	`{"k":["Ab","cd"],"kl":"CD","t":"brown dog","tf":"beta","i":-3,"l":9007199254740992,"d":2.0,"f":1e30,"b":false,"dt":["2023-01-02","2025-06-01"],"ip":"::1",
		"n":{"x":"c","v":[0,5]},"v":[0,2],"te":"two two three","gs":["POINT (5 5)",{"type":"LineString","coordinates":[[20,20],[30,30]]}],"g":[{"lat":10,"lon":179.5},{"lat":50,"lon":0}]}`,
	`{"i":[3,9],"b":[true,false],"t":"","l":5,"nd":"","kn":"","d":[1.5,100.25],"k":"É","v":[0,3],"vn":[1,1],"gn":"POINT (1 1)","gs":{"type":"polygon","coordinates":[[[170,-5],[-170,-5],[-170,5],[170,5],[170,-5]]]}}`,
	`{"t":["fox","the quick brown"],"k":"abc","g":{"lat":10,"lon":-179.5},"n":[{"x":"a","y":7},{"y":7,"v":[0,2]}],"kn":"zz"}`,
}

// samples gives the documents 1 to 4 with others that are dead, in every kind of segment.
func samples() map[string][]search.Target {
	layouts := map[string][]search.Target{}
	for name, after := range map[string]func(c *collection, i int){
		"memory": func(*collection, int) {},
		"file": func(c *collection, i int) {
			if i == len(sample)-1 {
				c.freeze()
			}
		},
		"files": func(c *collection, _ int) { c.freeze() },
		"both": func(c *collection, i int) {
			switch i {
			case 0:
				c.freeze()
			case 2:
				c.rotate()
			}
		},
	} {
		c := newCollection(sampleMapping)
		for i, doc := range sample {
			c.add("dead", doc)
			dead := c.position
			c.add(string(rune('1'+i)), doc)
			if name == "memory" || name == "both" {
				c.kill(dead)
				after(c, i)
			} else {
				after(c, i)
				c.kill(dead)
			}
		}
		for i := range c.position {
			if i%2 == 0 {
				c.kill(i + 1)
			}
		}
		layouts[name] = c.targets()
	}
	return layouts
}

func TestClauses(t *testing.T) {
	tests := []struct{ query, want string }{
		{`{"match_all":{}}`, "1 2 3 4"},
		{`{"match_none":{}}`, ""},
		{`{"term":{"k":"Ab"}}`, "1 2"},
		{`{"knn":{"field":"v","query_vector":[0,1.9],"num_candidates":2}}`, "2 3"},
		{`{"knn":{"field":"v","query_vector":[0,1.9],"num_candidates":9}}`, "1 2 3"},
		{`{"knn":{"field":"v","query_vector":[0,1.9],"num_candidates":2,"filter":{"term":{"k":"Ab"}}}}`, "1 2"},
		{`{"knn":{"field":"v","query_vector":[0,1.9],"num_candidates":9,"similarity":1.5}}`, "2 3"},
		{`{"knn":{"field":"n.v","query_vector":[0,1],"num_candidates":9}}`, ""},
		{`{"nested":{"path":"n","query":{"knn":{"field":"n.v","query_vector":[0,1],"num_candidates":2}}}}`, "1 4"},
		{`{"nested":{"path":"n","query":{"knn":{"field":"n.v","query_vector":[0,1],"num_candidates":2,"filter":{"term":{"k":"Ab"}}}}}}`, "1 2"},
		{`{"bool":{"must_not":{"knn":{"field":"v","query_vector":[0,1.9],"num_candidates":2}}}}`, "1 4"},
		{`{"exists":{"field":"v"}}`, "1 2 3"},
		{`{"exists":{"field":"vn"}}`, "3"},
		{`{"exists":{"field":"gs"}}`, "1 2 3"},
		{`{"exists":{"field":"gn"}}`, ""},
		{`{"geo_shape":{"gs":{"shape":"BBOX (4, 6, 6, 4)"}}}`, "1 2"},
		{`{"geo_shape":{"gs":{"shape":"BBOX (4, 6, 6, 4)","relation":"DISJOINT"}}}`, "3"},
		{`{"geo_shape":{"gs":{"shape":"BBOX (4, 6, 6, 4)","relation":"within"}}}`, ""},
		{`{"geo_shape":{"gs":{"shape":"BBOX (0, 40, 40, 0)","relation":"within"}}}`, "1 2"},
		{`{"geo_shape":{"gs":{"shape":{"type":"polygon","coordinates":[[[0,0],[40,0],[40,40],[0,39],[0,0]]]},"relation":"within"}}}`, "1 2"},
		{`{"geo_shape":{"gs":{"shape":{"type":"polygon","coordinates":[[[0,0],[40,0],[0,39]]]},"relation":"within"}}}`, "1"},
		{`{"geo_shape":{"gs":{"shape":"POINT (5 5)","relation":"contains"}}}`, "1 2"},
		{`{"geo_shape":{"gs":{"shape":"MULTIPOINT (5 5, 25 25)","relation":"contains"}}}`, "2"},
		{`{"geo_shape":{"gs":{"shape":"LINESTRING (0 0, 9 3)","relation":"contains"}}}`, "1"},
		{`{"geo_shape":{"gs":{"shape":"LINESTRING (0 0, 21 21)"}}}`, "1 2"},
		{`{"geo_shape":{"gs":{"shape":"POINT (180 0)"}}}`, "3"},
		{`{"geo_shape":{"gs":{"shape":"BBOX (175, -175, 1, -1)","relation":"contains"}}}`, "3"},
		{`{"geo_shape":{"gs":{"shape":"BBOX (160, -160, 9, -9)","relation":"within"}}}`, "3"},
		{`{"bool":{"filter":[{"geo_shape":{"gs":{"shape":"POLYGON ((4 4, 6 4, 6 6, 4 4))"}}},{"term":{"k":"cd"}}]}}`, "2"},
		{`{"bool":{"must_not":{"geo_shape":{"gs":{"shape":"POLYGON ((4 4, 6 4, 6 6, 4 4))"}}}}}`, "3 4"},
		{`{"geo_shape":{"n.gs":{"shape":"POINT (1 1)"}}}`, ""},
		{`{"nested":{"path":"n","query":{"geo_shape":{"n.gs":{"shape":"POINT (1 1)"}}}}}`, "1"},
		{`{"geo_shape":{"none":{"shape":"POINT (1 1)"},"ignore_unmapped":true}}`, ""},
		{`{"geo_bounding_box":{"gs":{"wkt":"BBOX (4, 6, 6, 4)"}}}`, "1 2"},
		{`{"geo_bounding_box":{"gs":{"top":5,"left":5,"bottom":5,"right":5}}}`, "1 2"},
		{`{"geo_bounding_box":{"gs":{"top":1,"left":175,"bottom":-1,"right":-175}}}`, "3"},
		{`{"nested":{"path":"n","query":{"geo_bounding_box":{"n.gs":{"wkt":"BBOX (0, 2, 2, 0)"}}}}}`, "1"},
		{`{"geo_shape":{"g":{"shape":"BBOX (-180, 10, 10, 0)"}}}`, "1 4"},
		{`{"geo_shape":{"g":{"shape":"POLYGON ((0 0, 2 1, 0 50, 0 0))"}}}`, "1 2"},
		{`{"geo_shape":{"g":{"shape":"POLYGON ((0 0, 2 1, 0 50, 0 0))","relation":"within"}}}`, "1"},
		{`{"geo_shape":{"g":{"shape":"POLYGON ((0 0, 2 1, 0 50, 0 0))","relation":"disjoint"}}}`, "4"},
		{`{"geo_shape":{"g":{"shape":"LINESTRING (0 40, 0 60)"}}}`, "2"},
		{`{"geo_shape":{"g":{"shape":"MULTIPOINT (179.5 10, 0 50)","relation":"contains"}}}`, "2"},
		{`{"geo_shape":{"g":{"shape":"MULTIPOINT (179.5 10, 0 51)","relation":"contains"}}}`, ""},
		{`{"geo_shape":{"g":{"shape":"BBOX (2, 3, 1, 0)","relation":"contains"}}}`, ""},
		{`{"term":{"al":"cd"}}`, "2"},
		{`{"term":{"k":{"value":"AB","case_insensitive":true}}}`, "1 2"},
		{`{"term":{"k":{"value":"é","case_insensitive":true}}}`, ""},
		{`{"term":{"nd":""}}`, "3"},
		{`{"term":{"nd":{"value":"","case_insensitive":true}}}`, ""},
		{`{"term":{"kn":{"value":"","case_insensitive":true}}}`, "3"},
		{`{"term":{"b":{"value":true,"case_insensitive":true}}}`, "1 3"},
		{`{"term":{"kl":"AB"}}`, "1"},
		{`{"term":{"kn":"Ab"}}`, "1"},
		{`{"term":{"nd":"q"}}`, "1"},
		{`{"term":{"t":"Brown"}}`, ""},
		{`{"term":{"t":"brown"}}`, "1 2 4"},
		{`{"term":{"i":5}}`, "1"},
		{`{"term":{"i":"5.0"}}`, "1"},
		{`{"term":{"i":5.5}}`, ""},
		{`{"term":{"by":300}}`, ""},
		{`{"term":{"l":9007199254740993}}`, "1"},
		{`{"term":{"f":0.1}}`, "1"},
		{`{"term":{"h":0.1}}`, "1"},
		{`{"term":{"f":1e300}}`, ""},
		{`{"term":{"d":100.25}}`, "3"},
		{`{"term":{"b":true}}`, "1 3"},
		{`{"term":{"b":"false"}}`, "2 3"},
		{`{"term":{"dt":"2024-01-02"}}`, "1"},
		{`{"term":{"dt":"2023-01-02"}}`, "2"},
		{`{"term":{"dt":1704153600000}}`, "1"},
		{`{"term":{"ip":"10.0.0.1"}}`, "1"},
		{`{"term":{"ip":"10.0.0.0/8"}}`, "1"},
		{`{"term":{"ip":"::/64"}}`, "1 2"},
		{`{"term":{"_id":"2"}}`, "2"},
		{`{"term":{"o":"v"}}`, ""},
		{`{"term":{"zz":"v"}}`, ""},
		{`{"term":{"n.x":"a"}}`, ""},
		{`{"terms":{"k":["Ab","É","no"]}}`, "1 2 3"},
		{`{"terms":{"i":[5,9]}}`, "1 3"},
		{`{"terms":{"ip":["10.0.0.0/8","::1"]}}`, "1 2"},
		{`{"terms":{"_id":["1",3]}}`, "1 3"},
		{`{"terms":{"k":[]}}`, ""},
		{`{"range":{"i":{"gt":4.5,"lt":5.5}}}`, "1"},
		{`{"range":{"i":{"gt":-3.5,"lte":-2.5}}}`, "2"},
		{`{"range":{"i":{"gt":5}}}`, "3"},
		{`{"range":{"l":{"gt":9007199254740992}}}`, "1"},
		{`{"range":{"l":{"gt":9223372036854775807}}}`, ""},
		{`{"range":{"l":{"lt":-9223372036854775808}}}`, ""},
		{`{"range":{"i":{"gte":1e-400,"lte":1e1}}}`, "1 3"},
		{`{"range":{"i":{"gte":-1e-400,"lte":3}}}`, "3"},
		{`{"range":{"f":{"gt":0.1}}}`, "2"},
		{`{"range":{"f":{"gte":0.1,"lte":0.1}}}`, "1"},
		{`{"range":{"f":{"lte":1e300}}}`, "1 2"},
		{`{"range":{"h":{"gte":0.1,"lte":0.1}}}`, ""},
		{`{"range":{"d":{"gt":1.5,"lt":100}}}`, "2"},
		{`{"range":{"b":{"gte":false,"lt":true}}}`, "2 3"},
		{`{"range":{"b":{"gt":true}}}`, ""},
		{`{"range":{"dt":{"gte":"2024"}}}`, "1 2"},
		{`{"range":{"dt":{"gt":"now-1y","lt":"now"}}}`, "1"},
		{`{"range":{"dt":{"gt":1704153599999,"lte":1704153600000}}}`, "1"},
		{`{"range":{"ip":{"gt":"10.0.0.0","lte":"10.0.0.1"}}}`, "1"},
		{`{"range":{"k":{"gte":"B"}}}`, "2 3 4"},
		{`{"range":{"k":{"gt":"Ab","lt":"abd"}}}`, "4"},
		{`{"range":{"k":{"lte":"Ab"}}}`, "1 2"},
		{`{"range":{"k":{"lt":"Ab"}}}`, ""},
		{`{"range":{"k":{"gt":"z","lt":"a"}}}`, ""},
		{`{"range":{"k":{}}}`, "1 2 3 4"},
		{`{"range":{"nd":{"gte":"A"}}}`, "1"},
		{`{"range":{"t":{"gte":"q"}}}`, "1 4"},
		{`{"range":{"zz":{"gte":1}}}`, ""},
		{`{"exists":{"field":"o"}}`, "1"},
		{`{"exists":{"field":"o.*"}}`, "1"},
		{`{"exists":{"field":"n"}}`, ""},
		{`{"exists":{"field":"_id"}}`, "1 2 3 4"},
		{`{"exists":{"field":"t"}}`, "1 2 3 4"},
		{`{"exists":{"field":"kn"}}`, "1 3 4"},
		{`{"exists":{"field":"bin"}}`, ""},
		{`{"exists":{"field":"al"}}`, "1 2 3 4"},
		{`{"exists":{"field":"*p"}}`, "1 2"},
		{`{"ids":{"values":["1","4","no"]}}`, "1 4"},
		{`{"prefix":{"k":"A"}}`, "1 2"},
		{`{"prefix":{"k":""}}`, "1 2 3 4"},
		{`{"prefix":{"k":{"value":"AB","case_insensitive":true}}}`, "1 2 4"},
		{`{"prefix":{"kl":"A"}}`, "1"},
		{`{"wildcard":{"k":"?b*"}}`, "1 2 4"},
		{`{"wildcard":{"t":"Bro*"}}`, ""},
		{`{"wildcard":{"k":"*"}}`, "1 2 3 4"},
		{`{"wildcard":{"nd":""}}`, ""},
		{`{"wildcard":{"kn":{"value":"","case_insensitive":true}}}`, ""},
		{`{"prefix":{"nd":{"value":"","case_insensitive":true}}}`, "1 3"},
		{`{"regexp":{"nd":""}}`, "3"},
		{`{"regexp":{"nd":{"value":"","case_insensitive":true}}}`, ""},
		{`{"regexp":{"kn":"[^z]*"}}`, "1 3"},
		{`{"regexp":{"k":"[a-c].*"}}`, "2 4"},
		{`{"regexp":{"k":{"value":"~(a.*)","flags":"NONE"}}}`, ""},
		{`{"regexp":{"t.raw":".*o.*&.*q.*"}}`, "4"},
		{`{"match":{"t":"QUICK dog"}}`, "1 2 4"},
		{`{"match":{"t":{"query":"quick brown","operator":"and"}}}`, "1 4"},
		{`{"match":{"t":{"query":"quick brown dog","minimum_should_match":2}}}`, "1 2 4"},
		{`{"match":{"t":{"query":"brown","minimum_should_match":2}}}`, "1 2 4"},
		{`{"match":{"t":{"query":"brown fox","minimum_should_match":3}}}`, ""},
		{`{"match":{"t":{"query":"brown fox","operator":"and","minimum_should_match":1}}}`, ""},
		{`{"match":{"t":{"query":"the","analyzer":"stop"}}}`, ""},
		{`{"match":{"t":{"query":"the","analyzer":"stop","zero_terms_query":"all"}}}`, "1 2 3 4"},
		{`{"match":{"k":"Ab"}}`, "1 2"},
		{`{"match":{"k":""}}`, ""},
		{`{"match":{"kl":{"query":"AB zz","analyzer":"whitespace"}}}`, "1"},
		{`{"match":{"i":{"query":"abc","lenient":true}}}`, ""},
		{`{"match":{"_id":"3"}}`, "3"},
		{`{"match_phrase":{"t":"quick brown"}}`, "1 4"},
		{`{"match_phrase":{"t":"fox quick"}}`, ""},
		{`{"match_phrase":{"t":{"query":"quick fox","slop":1}}}`, "1"},
		{`{"match_phrase":{"t":{"query":"brown quick","slop":2}}}`, "1 4"},
		{`{"match_phrase":{"te":"two two"}}`, "2"},
		{`{"match_phrase":{"te":{"query":"two two two","slop":9}}}`, ""},
		{`{"match_phrase":{"i":5}}`, "1"},
		{`{"match_phrase_prefix":{"t":"quick bro"}}`, "1 4"},
		{`{"match_phrase_prefix":{"t":"bro"}}`, "1 2 4"},
		{`{"match_phrase_prefix":{"t":{"query":"f","max_expansions":1}}}`, "1 4"},
		{`{"match_phrase_prefix":{"t":"zz"}}`, ""},
		{`{"multi_match":{"query":"brown","fields":["t","te","zz"]}}`, "1 2 4"},
		{`{"multi_match":{"query":"5"}}`, "1 3"},
		{`{"multi_match":{"query":"tw","fields":["t*"],"type":"phrase_prefix","lenient":true}}`, "1 2"},
		{`{"multi_match":{"query":"brown","fields":["zz"]}}`, ""},
		{`{"bool":{}}`, "1 2 3 4"},
		{`{"bool":{"must_not":{"term":{"k":"Ab"}}}}`, "3 4"},
		{`{"bool":{"must":{"term":{"k":"Ab"}},"filter":{"term":{"b":false}}}}`, "2"},
		{`{"bool":{"should":[{"term":{"k":"Ab"}},{"term":{"b":true}},{"term":{"k":"cd"}}],"minimum_should_match":2}}`, "1 2"},
		{`{"bool":{"should":[{"term":{"k":"Ab"}}],"minimum_should_match":0}}`, "1 2"},
		{`{"bool":{"should":[{"term":{"k":"Ab"}}],"minimum_should_match":2}}`, ""},
		{`{"bool":{"should":[{"term":{"k":"zz"}}],"filter":[{"term":{"i":5}}]}}`, "1"},
		{`{"bool":{"must":[{"match_all":{}}],"minimum_should_match":1}}`, ""},
		{`{"constant_score":{"filter":{"term":{"k":"Ab"}}}}`, "1 2"},
		{`{"nested":{"path":"n","query":{"term":{"n.x":"a"}}}}`, "1 4"},
		{`{"nested":{"path":"n","query":{"bool":{"must":[{"term":{"n.x":"a"}},{"term":{"n.y":7}}]}}}}`, "4"},
		{`{"nested":{"path":"n","query":{"bool":{"must":[{"term":{"n.x":"a"}},{"term":{"n.y":2}}]}}}}`, ""},
		{`{"nested":{"path":"n","query":{"bool":{"must_not":{"exists":{"field":"n.x"}}}}}}`, "4"},
		{`{"nested":{"path":"n","query":{"match_all":{}}}}`, "1 2 4"},
		{`{"nested":{"path":"n.m","query":{"term":{"n.m.z":"q"}}}}`, "1"},
		{`{"nested":{"path":"n","query":{"nested":{"path":"n.m","query":{"term":{"n.m.z":"q"}}}}}}`, "1"},
		{`{"nested":{"path":"n","query":{"term":{"k":"Ab"}}}}`, ""},
		{`{"nested":{"path":"n","query":{"ids":{"values":["1"]}}}}`, "1"},
		{`{"nested":{"path":"n","query":{"exists":{"field":"n"}}}}`, "1 2 4"},
		{`{"nested":{"path":"zz","query":{"match_all":{}},"ignore_unmapped":true}}`, ""},
		{`{"geo_distance":{"distance":"112km","g":{"lat":1,"lon":3}}}`, "1"},
		{`{"geo_distance":{"distance":"111km","g":{"lat":1,"lon":3}}}`, ""},
		{`{"geo_distance":{"distance":"120km","g":{"lat":10,"lon":180}}}`, "2 4"},
		{`{"geo_distance":{"distance":"21000km","g":{"lat":0,"lon":0}}}`, "1 2 4"},
		{`{"geo_distance":{"distance":"1km","zz":{"lat":0,"lon":0},"ignore_unmapped":true}}`, ""},
		{`{"geo_bounding_box":{"g":{"top":1,"left":2,"bottom":1,"right":2}}}`, "1"},
		{`{"geo_bounding_box":{"g":{"top":20,"left":179,"bottom":0,"right":-179}}}`, "2 4"},
		{`{"geo_polygon":{"g":{"points":["0,0","0,5","5,0"]}}}`, "1"},
		{`{"geo_polygon":{"g":{"points":["0,0","0,2","2,0"]}}}`, ""},
	}
	for name, targets := range samples() {
		for _, test := range tests {
			for _, body := range []string{`{"query":` + test.query + `}`, `{"query":` + test.query + `,"sort":[{"i":"asc"}]}`, `{"post_filter":` + test.query + `}`} {
				result, err := run(t, targets, body)
				if err != nil {
					t.Errorf("%s: %s: %v", name, body, err)
					continue
				}
				got := strings.Fields(idsOf(result.Hits))
				if slices.Sort(got); strings.Join(got, " ") != test.want || result.Total != len(got) {
					t.Errorf("%s: %s: %v of %d, want %s", name, body, got, result.Total, test.want)
				}
			}
			counts(t, targets, test.query, test.want)
		}
	}
}

// counts checks that Count and Match find the same.
func counts(t *testing.T, targets []search.Target, raw, want string) {
	t.Helper()
	q, err := query.Parse(jsontext.Value(raw))
	if err != nil {
		t.Fatal(err)
	}
	n, err := patient(func() (int, error) { return search.Count(context.Background(), guard(t, targets), q, now) })
	if err != nil || n != len(strings.Fields(want)) {
		t.Errorf("%s: counted %d, %v", raw, n, err)
	}
	list, err := patient(func() ([]*roaring.Bitmap, error) { return search.Match(context.Background(), targets[0], q, now) })
	if err != nil {
		t.Errorf("%s: %v", raw, err)
	}
	sum := 0
	for _, b := range list {
		sum += int(b.GetCardinality())
	}
	if sum != n || len(list) != len(targets[0].Views) {
		t.Errorf("%s: matched %d in %d views", raw, sum, len(list))
	}
}

func TestRefusals(t *testing.T) {
	targets := samples()["both"]
	long := strings.Repeat("x", 32767)
	for _, test := range []struct{ body, part string }{
		{`{"query":{"term":{"i":"abc"}}}`, "failed to parse [abc]"},
		{`{"query":{"term":{"i":3000000000}}}`, "out of range for an integer"},
		{`{"query":{"term":{"l":1e30}}}`, "out of range for a long"},
		{`{"query":{"term":{"i":true}}}`, "failed to parse [true]"},
		{`{"query":{"term":{"h":1e10}}}`, "finite"},
		{`{"query":{"term":{"b":1}}}`, "expected [true] or [false]"},
		{`{"query":{"term":{"dt":"xx"}}}`, "dt"},
		{`{"query":{"term":{"ip":"10.0.0.300"}}}`, "not an IP string literal"},
		{`{"query":{"term":{"ip":"10.0.0.0/99"}}}`, "prefix length"},
		{`{"query":{"range":{"ip":{"gt":"10.0.0.0/8"}}}}`, "not an IP string literal"},
		{`{"query":{"range":{"i":{"gt":"x"}}}}`, "failed to parse [x]"},
		{`{"query":{"range":{"d":{"gt":"x"}}}}`, "failed to parse [x]"},
		{`{"query":{"range":{"b":{"gt":"x"}}}}`, "expected [true] or [false]"},
		{`{"query":{"range":{"dt":{"gt":"x"}}}}`, "dt"},
		{`{"query":{"range":{"g":{"gt":"x"}}}}`, "does not support range queries"},
		{`{"query":{"range":{"_id":{"gt":"x"}}}}`, "does not support range queries"},
		{`{"query":{"term":{"g":"1,2"}}}`, "dedicated geometry queries"},
		{`{"query":{"terms":{"g":["1,2"]}}}`, "dedicated geometry queries"},
		{`{"query":{"match":{"g":"1,2"}}}`, "does not support match queries"},
		{`{"query":{"term":{"bin":"x"}}}`, "binary"},
		{`{"query":{"term":{"gs":1}}}`, "dedicated geometry queries"},
		{`{"query":{"match":{"gs":"x"}}}`, "dedicated geometry queries"},
		{`{"query":{"geo_shape":{"gn":{"shape":"POINT (1 1)"}}}}`, "not indexed nor has doc values"},
		{`{"query":{"geo_shape":{"k":{"shape":"POINT (1 1)"}}}}`, "Field [k] is of unsupported type [keyword] for [geo_shape] query"},
		{`{"query":{"geo_shape":{"none":{"shape":"POINT (1 1)"}}}}`, "failed to find type for field [none]"},
		{`{"query":{"geo_bounding_box":{"gn":{"wkt":"BBOX (1, 2, 2, 1)"}}}}`, "not indexed nor has doc values"},
		{`{"query":{"geo_distance":{"distance":"1km","gs":"1,2"}}}`, "type [geo_shape] for [geo_distance] query: use geo_shape or geo_bounding_box"},
		{`{"sort":"gs"}`, "doesn't support sort"},
		{`{"query":{"term":{"v":1}}}`, "[knn] and [exists] only"},
		{`{"query":{"knn":{"field":"vn","query_vector":[1,1],"num_candidates":1}}}`, "must have [index] set to [true]"},
		{`{"query":{"knn":{"field":"k","query_vector":[1,1],"num_candidates":1}}}`, "[k] is of type [keyword]"},
		{`{"query":{"knn":{"field":"none","query_vector":[1,1],"num_candidates":1}}}`, "does not exist"},
		{`{"query":{"knn":{"field":"v","query_vector":[1],"num_candidates":1}}}`, "has 1 dimensions where the mapping of the field has 2"},
		{`{"knn":{"field":"v","query_vector":[1,1]},"size":0}`, "the size of the search is 0"},
		{`{"knn":{"field":"v","query_vector":[1,1],"num_candidates":5},"size":6}`, "cannot be less than k"},
		{`{"sort":"v"}`, "doesn't support sort"},
		{`{"query":{"term":{"tn":"x"}}}`, "not indexed"},
		{`{"query":{"term":{"ln":4}}}`, "nor has doc values"},
		{`{"query":{"term":{"i":{"value":5,"case_insensitive":true}}}}`, "case insensitive"},
		{`{"query":{"prefix":{"i":"5"}}}`, "prefix queries on keyword"},
		{`{"query":{"wildcard":{"_id":"5"}}}`, "wildcard queries on keyword"},
		{`{"query":{"regexp":{"b":"5"}}}`, "regexp queries on keyword"},
		{`{"query":{"regexp":{"kn":{"value":"a","case_insensitive":true}}}}`, "case_insensitive cannot be used"},
		{`{"query":{"term":{"i":{"value":5,"case_insensitive":true}}}}`, "does not support case insensitive"},
		{`{"query":{"term":{"bn":{"value":true,"case_insensitive":true}}}}`, "since it is not indexed"},
		{`{"query":{"regexp":{"k":"("}}}`, "failed to parse the regular expression"},
		{`{"query":{"regexp":{"k":{"value":"(a|b)*a(a|b){14}"}}}}`, "too complex"},
		{`{"query":{"wildcard":{"k":"` + long + `"}}}`, "no indexed text is longer"},
		{`{"query":{"prefix":{"k":{"value":"` + long + `","case_insensitive":true}}}}`, "no indexed text is longer"},
		{`{"query":{"term":{"k":{"value":"` + long + `","case_insensitive":true}}}}`, "no indexed text is longer"},
		{`{"query":{"fuzzy":{"k":{"value":"` + long + `","rewrite":"constant_score"}}}}`, "too long to look for words near it"},
		{`{"query":{"fuzzy":{"k":"` + long + `"}}}`, "too long to look for words near it"},
		{`{"query":{"match":{"k":{"query":"` + long + `","fuzziness":1}}}}`, "too long to look for words near it"},
		{`{"query":{"regexp":{"k":"` + long + `"}}}`, "has exceeded the allowed maximum of [1000]"},
		{`{"query":{"query_string":{"lenient":false,"query":"k:` + long + `*x"}}}`, "no indexed text is longer"},
		{`{"query":{"match":{"t":{"query":"x","analyzer":"nope"}}}}`, "analyzer [nope] not found"},
		{`{"query":{"match_phrase_prefix":{"k":"A"}}}`, "phrase prefix queries on text"},
		{`{"query":{"nested":{"path":"n","query":{"prefix":{"i":"A"}}}}}`, "prefix queries on keyword"},
		{`{"query":{"nested":{"path":"o","query":{"match_all":{}}}}}`, "failed to find nested object under path [o]"},
		{`{"query":{"geo_distance":{"distance":"1km","k":"1,2"}}}`, "unsupported type [keyword]"},
		{`{"query":{"geo_bounding_box":{"zz":{"top":1,"left":2,"bottom":1,"right":2}}}}`, "failed to find geo field [zz]"},
		{`{"query":{"bool":{"should":{"term":{"i":"abc"}},"minimum_should_match":2}}}`, "failed to parse [abc]"},
		{`{"post_filter":{"term":{"i":"abc"}}}`, "failed to parse [abc]"},
		{`{"query":{"fuzzy":{"i":{"value":"5"}}}}`, "fuzzy queries on keyword and text"},
		{`{"query":{"fuzzy":{"_id":"5"}}}`, "fuzzy queries on keyword and text"},
		{`{"query":{"match":{"i":{"query":"5","fuzziness":1}}}}`, "fuzzy queries on keyword and text"},
		{`{"query":{"terms_set":{"k":{"terms":["a"],"minimum_should_match_field":"zz"}}}}`, "failed to find minimum_should_match field [zz]"},
		{`{"query":{"terms_set":{"k":{"terms":["a"],"minimum_should_match_field":"k"}}}}`, "its values are no numbers"},
		{`{"query":{"terms_set":{"k":{"terms":["a"],"minimum_should_match_field":"ln"}}}}`, "Can't load fielddata on [ln]"},
		{`{"query":{"boosting":{"positive":{"match_all":{}},"negative":{"term":{"i":"x"}},"negative_boost":1}}}`, "failed to parse [x]"},
		{`{"query":{"function_score":{"field_value_factor":{"field":"by"}}}}`, "a document has no value of the field [by]"},
		{`{"query":{"function_score":{"field_value_factor":{"field":"zz"}}}}`, "the field [zz] is not in the mapping"},
		{`{"query":{"function_score":{"field_value_factor":{"field":"i","missing":-1}}}}`, "a score that is negative"},
		{`{"query":{"function_score":{"field_value_factor":{"field":"i","missing":0,"modifier":"log"}}}}`, "log1p and log2p"},
		{`{"query":{"function_score":{"gauss":{"zz":{"origin":1,"scale":1}}}}}`, "unknown field [zz]"},
		{`{"query":{"function_score":{"gauss":{"k":{"origin":1,"scale":1}}}}}`, "its values are no numbers"},
		{`{"query":{"function_score":{"gauss":{"i":{"scale":1}}}}}`, "query.function_score.gauss.i: expected an origin"},
		{`{"query":{"function_score":{"gauss":{"dt":{"scale":"3"}}}}}`, "gauss.dt.scale: expected a duration"},
		{`{"query":{"function_score":{"gauss":{"g":{"origin":"1,1","scale":"3","offset":-1}}}}}`, "gauss.g.offset"},
		{`{"query":{"function_score":{"random_score":{"seed":1,"field":"zz"}}}}`, "the field [zz] is not in the mapping"},
		{`{"sort":["zz"]}`, "No mapping found for [zz]"},
		{`{"sort":["o"]}`, "No mapping found for [o]"},
		{`{"sort":["n.x"]}`, "[nested] context"},
		{`{"sort":["t"]}`, "Fielddata is disabled"},
		{`{"sort":["g"]}`, "can't sort on geo_point"},
		{`{"sort":["nd"]}`, "Can't load fielddata on [nd]"},
		{`{"sort":["bin"]}`, "Can't load fielddata on [bin]"},
		{`{"sort":[{"zz":{"unmapped_type":"foo"}}]}`, "No mapper found for type [foo]"},
		{`{"sort":[{"k":{"mode":"sum"}}]}`, "number based fields"},
		{`{"sort":[{"by":{"missing":"x"}}]}`, "failed to parse [x]"},
		{`{"sort":[{"b":{"missing":true}}]}`, "failed to parse [true]"},
		{`{"sort":["i"],"search_after":["x"]}`, "Failed to parse search_after value for field [i]"},
		{`{"sort":["_doc"],"search_after":[null]}`, "Failed to parse search_after value for field [_doc]"},
		{`{"sort":["b"],"search_after":["1"]}`, "Failed to parse search_after value for field [b]"},
		{`{"sort":["ip"],"search_after":["zz"]}`, "Failed to parse search_after value for field [ip]"},
		{`{"sort":["_score"],"search_after":[1.0]}`, "at least one field"},
	} {
		_, err := run(t, targets, test.body)
		if !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) || !strings.Contains(err.Error(), test.part) {
			t.Errorf("%.200s: %.400v, want %s", test.body, err, test.part)
		}
	}
}

// TestRandomScores: a seed gives the same numbers from 0 to 1 each time and in every kind of segment, another seed others.
func TestRandomScores(t *testing.T) {
	scores := map[string]map[string]float32{}
	for name, targets := range samples() {
		for _, seed := range []string{"1", "2"} {
			result, err := run(t, targets, `{"query":{"function_score":{"random_score":{"seed":`+seed+`,"field":"i"},"boost_mode":"replace"}}}`)
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]float32{}
			for _, h := range result.Hits {
				if h.Score < 0 || h.Score >= 1 {
					t.Errorf("%s: the score %v", name, h.Score)
				}
				found[h.ID] = h.Score
			}
			if before, ok := scores[seed]; ok && !maps.Equal(before, found) {
				t.Errorf("%s: the seed %s gives %v, and %v before", name, seed, found, before)
			}
			scores[seed] = found
		}
	}
	if maps.Equal(scores["1"], scores["2"]) {
		t.Errorf("two seeds give %v", scores["1"])
	}
}
