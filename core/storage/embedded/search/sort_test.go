package search_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/storage/embedded/search"
)

// sortDocs have values that are not alike in anything.
var sortDocs = []string{
	`{"k":"Ab","kl":"Ab","tf":"zeta alpha","i":5,"by":5,"l":9007199254740993,"d":1.5,"f":0.1,"h":0.1,"b":true,"dt":"2024-01-02","ip":"10.0.0.1"}`,
	`{"k":["Ab","cd"],"kl":"CD","tf":"beta","i":-3,"l":9007199254740992,"d":2.0,"f":1e30,"b":false,"dt":["2023-01-02","2025-06-01"],"ip":"::1"}`,
	`{"i":[3,9],"b":[true,false],"l":5,"d":[1.5,100.25],"k":"É"}`,
}

func TestSort(t *testing.T) {
	const most, least = "9223372036854775807", "-9223372036854775808"
	for _, test := range []struct{ sort, ids, values string }{
		{`"i"`, "2 3 1", "-3 3 5"},
		{`{"i":"desc"}`, "3 1 2", "9 5 -3"},
		{`"by"`, "1 2 3", "5 " + most + " " + most},
		{`{"by":"desc"}`, "1 2 3", "5 " + least + " " + least},
		{`{"by":{"missing":"_first"}}`, "2 3 1", least + " " + least + " 5"},
		{`{"by":{"missing":"_first","order":"desc"}}`, "2 3 1", most + " " + most + " 5"},
		{`"l"`, "3 2 1", "5 9007199254740992 9007199254740993"},
		{`"h"`, "1 2 3", `0.099975586 "Infinity" "Infinity"`},
		{`{"h":"desc"}`, "1 2 3", `0.099975586 "-Infinity" "-Infinity"`},
		{`"f"`, "1 2 3", `0.1 1e+30 "Infinity"`},
		{`{"d":"desc"}`, "3 2 1", "100.25 2.0 1.5"},
		{`{"d":{"mode":"sum"}}`, "1 2 3", "1.5 2.0 101.75"},
		{`{"d":{"mode":"avg"}}`, "1 2 3", "1.5 2.0 50.875"},
		{`{"d":{"mode":"median"}}`, "1 2 3", "1.5 2.0 50.875"},
		{`{"i":{"mode":"avg"}}`, "2 1 3", "-3 5 6"},
		{`{"i":{"mode":"median"}}`, "2 1 3", "-3 5 6"},
		{`{"i":{"mode":"sum"}}`, "2 1 3", "-3 5 12"},
		{`{"i":{"mode":"max"}}`, "2 1 3", "-3 5 9"},
		{`{"i":{"mode":"min","order":"desc"}}`, "1 3 2", "5 3 -3"},
		{`"b"`, "2 3 1", "0 0 1"},
		{`{"b":{"mode":"avg","order":"desc"}}`, "1 3 2", "1 1 0"},
		{`"dt"`, "2 1 3", "1672617600000 1704153600000 " + most},
		{`{"dt":{"mode":"avg","order":"desc"}}`, "2 1 3", "1710676800000 1704153600000 " + least},
		{`{"by":{"missing":3}}`, "2 3 1", "3 3 5"},
		{`{"by":{"missing":3.7}}`, "2 3 1", "3 3 5"},
		{`{"by":{"missing":"7"}}`, "1 2 3", "5 7 7"},
		{`"k"`, "1 2 3", `"Ab" "Ab" "É"`},
		{`{"k":"desc"}`, "3 2 1", `"É" "cd" "Ab"`},
		{`{"k":{"mode":"max"}}`, "1 2 3", `"Ab" "cd" "É"`},
		{`"al"`, "1 2 3", `"Ab" "Ab" "É"`},
		{`"kl"`, "1 2 3", `"ab" "cd" null`},
		{`{"kl":"desc"}`, "2 1 3", `"cd" "ab" null`},
		{`{"kl":{"missing":"_first","order":"desc"}}`, "3 2 1", `null "cd" "ab"`},
		{`{"kl":{"missing":"bb"}}`, "1 3 2", `"ab" "bb" "cd"`},
		{`"ip"`, "2 1 3", `"::1" "10.0.0.1" null`},
		{`{"ip":"desc"}`, "1 2 3", `"10.0.0.1" "::1" null`},
		{`"tf"`, "1 2 3", `"alpha" "beta" null`},
		{`{"tf":"desc"}`, "1 2 3", `"zeta" "beta" null`},
		{`"_id"`, "1 2 3", `"1" "2" "3"`},
		{`{"_id":"desc"}`, "3 2 1", `"3" "2" "1"`},
		{`"_doc"`, "1 2 3", "1 2 3"},
		{`{"_doc":"desc"}`, "3 2 1", "3 2 1"},
		{`"_score"`, "1 2 3", "  "},
		{`{"_score":"asc"},"i"`, "2 3 1", "1.0,-3 1.0,3 1.0,5"},
		{`{"zz":{"unmapped_type":"long"}}`, "1 2 3", most + " " + most + " " + most},
		{`{"zz":{"unmapped_type":"keyword"}},{"i":"asc"}`, "2 3 1", "null,-3 null,3 null,5"},
		{`{"zz":{"unmapped_type":"date","missing":4}}`, "1 2 3", "4 4 4"},
		{`{"b":"asc"},{"k":"desc"},{"i":"asc"}`, "3 2 1", `0,"É",3 0,"cd",-3 1,"Ab",5`},
	} {
		for name, freeze := range map[string]func(c *collection, i int){
			"memory": func(*collection, int) {},
			"file": func(c *collection, i int) {
				if i == 2 {
					c.freeze()
				}
			},
			"files":    func(c *collection, _ int) { c.freeze() },
			"memories": func(c *collection, _ int) { c.rotate() },
		} {
			c := newCollection(sampleMapping)
			for i, doc := range sortDocs {
				c.add(string(rune('1'+i)), doc)
				freeze(c, i)
			}
			result, err := run(t, c.targets(), `{"sort":[`+test.sort+`]}`)
			if err != nil {
				t.Errorf("%s: %s: %v", name, test.sort, err)
				continue
			}
			if got := idsOf(result.Hits); got != test.ids {
				t.Errorf("%s: %s: %s, want %s", name, test.sort, got, test.ids)
			}
			if got := sortsOf(result.Hits); got != test.values {
				t.Errorf("%s: %s: %s, want %s", name, test.sort, got, test.values)
			}
		}
	}
}

// TestSortByDistance measures along meridians, where a degree is a 360th of the circumference.
func TestSortByDistance(t *testing.T) {
	for _, test := range []struct{ sort, ids, values string }{
		{`{"g":"0,0","unit":"km"}`, "2 1 3", `111.1950802335329 222.3901604670658 "Infinity"`},
		{`{"g":"0,0","unit":"km","order":"desc"}`, "3 2 1", `"Infinity" 555.9754011676646 222.3901604670658`},
		{`{"g":[0,0],"unit":"km","mode":"avg"}`, "1 2 3", `222.3901604670658 333.5852407005987 "Infinity"`},
		{`{"g":["0,0","4,0"],"unit":"km","distance_type":"plane","mode":"median"}`, "1 2 3", `222.3901604670658 222.3901604670658 "Infinity"`},
		{`{"zz":"0,0","ignore_unmapped":true}`, "1 2 3", `"Infinity" "Infinity" "Infinity"`},
	} {
		for _, frozen := range []bool{false, true} {
			c := newCollection(sampleMapping)
			c.add("1", `{"g":{"lat":2,"lon":0}}`)
			c.add("2", `{"g":["1,0","5,0"]}`)
			c.add("3", `{}`)
			if frozen {
				c.freeze()
			}
			result, err := run(t, c.targets(), `{"sort":[{"_geo_distance":`+test.sort+`}]}`)
			if err != nil {
				t.Errorf("%s: %v", test.sort, err)
				continue
			}
			if got := idsOf(result.Hits); got != test.ids {
				t.Errorf("%s: %s, want %s", test.sort, got, test.ids)
			}
			if got := rounded(sortsOf(result.Hits)); got != rounded(test.values) {
				t.Errorf("%s: %s, want %s", test.sort, got, test.values)
			}
		}
	}
	c := newCollection(sampleMapping)
	for _, sort := range []string{`{"zz":"0,0"}`, `{"k":"0,0"}`, `{"n.x":"0,0"}`} {
		if _, err := run(t, c.targets(), `{"sort":[{"_geo_distance":`+sort+`}]}`); err == nil {
			t.Errorf("%s was sorted by", sort)
		}
	}
}

// rounded leaves out digits of numbers that depend on how a segment keeps points.
func rounded(values string) string {
	list := strings.Fields(values)
	for i, value := range list {
		if x, err := strconv.ParseFloat(value, 64); err == nil {
			list[i] = strconv.FormatFloat(x, 'f', 3, 64)
		}
	}
	return strings.Join(list, " ")
}

func TestSearchAfter(t *testing.T) {
	c := newCollection(sampleMapping)
	for i, doc := range sortDocs {
		c.add(string(rune('1'+i)), doc)
		if i == 1 {
			c.freeze()
		}
	}
	for _, test := range []struct{ body, want string }{
		{`{"sort":["i"],"search_after":[-3]}`, "3 1"},
		{`{"sort":["i"],"search_after":["-3"]}`, "3 1"},
		{`{"sort":["i"],"search_after":[4.5]}`, "1"},
		{`{"sort":["i"],"search_after":[null]}`, ""}, // behind the one without a value
		{`{"sort":[{"i":{"missing":"_first"}}],"search_after":[null]}`, "2 3 1"},
		{`{"sort":["i"],"search_after":["4.5"]}`, "1"},
		{`{"sort":["i"],"search_after":[9007199254740993]}`, ""},
		{`{"sort":["l"],"search_after":[9007199254740992]}`, "1"},
		{`{"sort":["l"],"search_after":[1e30]}`, ""},
		{`{"sort":["d"],"search_after":["1.5"]}`, "2"},
		{`{"sort":["d"],"search_after":["Infinity"]}`, ""},
		{`{"sort":[{"h":"desc"}],"search_after":[0.099975586]}`, "2 3"},
		{`{"sort":["dt"],"search_after":["2024-01-01"]}`, "1 3"},
		{`{"sort":["dt"],"search_after":["1704067200000"]}`, "1 3"},
		{`{"sort":["dt"],"search_after":[1704153600000]}`, "3"},
		{`{"sort":["b"],"search_after":[0]}`, "1"},
		{`{"sort":["b"],"search_after":["false"]}`, "1"},
		{`{"sort":["k"],"search_after":["Ab"]}`, "3"},
		{`{"sort":["k"],"search_after":["B"]}`, "3"},
		{`{"sort":["k"],"search_after":[null]}`, ""},
		{`{"sort":["k"],"search_after":[5]}`, "1 2 3"},
		{`{"sort":[{"kl":{"missing":"_first"}}],"search_after":[null]}`, "1 2"},
		{`{"sort":["ip"],"search_after":["9.9.9.9"]}`, "1 3"},
		{`{"sort":["ip"],"search_after":[null]}`, ""},
		{`{"sort":["_doc"],"search_after":[1]}`, "2 3"},
		{`{"sort":["_id"],"search_after":["1"]}`, "2 3"},
		{`{"sort":["b",{"i":"desc"}],"search_after":[0,9]}`, "2 1"},
	} {
		result, err := run(t, c.targets(), test.body)
		if err != nil {
			t.Errorf("%s: %v", test.body, err)
			continue
		}
		if got := idsOf(result.Hits); got != test.want || result.Total != 3 {
			t.Errorf("%s: %q of %d, want %q", test.body, got, result.Total, test.want)
		}
	}
}

func TestSeveralTargets(t *testing.T) {
	one, two := newCollection(`{"properties":{"a":{"type":"long"},"s":{"type":"keyword"}}}`), newCollection(`{"properties":{"a":{"type":"integer"},"s":{"type":"long"},"x":{"type":"keyword"}}}`)
	for i, doc := range []string{`{"a":3,"s":"z"}`, `{"a":1}`} {
		one.add(string(rune('a'+i)), doc)
	}
	for i, doc := range []string{`{"a":2,"s":7,"x":"y"}`, `{"a":3}`} {
		two.add(string(rune('c'+i)), doc)
	}
	targets := []search.Target{one.target(), two.target()}
	for _, test := range []struct{ body, want string }{
		{`{"sort":["a"]}`, "b c a d"},
		{`{"sort":[{"a":"desc"}]}`, "a d c b"},
		{`{"query":{"term":{"a":3}}}`, "a d"},
		{`{"query":{"term":{"x":"y"}}}`, "c"},
		{`{"query":{"bool":{"should":[{"term":{"x":"y"}},{"match_all":{}}]}}}`, "c a b d"},
		{`{"sort":[{"x":{"unmapped_type":"keyword"}}]}`, "c a b d"},
	} {
		result, err := run(t, targets, test.body)
		if got := idsOf(result.Hits); err != nil || got != test.want {
			t.Errorf("%s: %s, %v, want %s", test.body, got, err, test.want)
		}
		for _, h := range result.Hits {
			if want := int(h.ID[0]-'a') / 2; h.Target != want {
				t.Errorf("%s is in target %d", h.ID, h.Target)
			}
		}
	}
	if _, err := run(t, targets, `{"sort":["s"]}`); err == nil {
		t.Error("a number and a text are sorted together")
	}
	if _, err := run(t, targets, `{"sort":["x"]}`); err == nil {
		t.Error("a field without a mapping in one target is sorted by")
	}
}
