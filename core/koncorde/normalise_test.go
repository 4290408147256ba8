package koncorde_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/koncorde"
)

func normalise(t testing.TB, raw string) *koncorde.Normal {
	t.Helper()
	f, err := koncorde.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	n, err := f.Normalise(0)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return n
}

func canonical(t testing.TB, raw string) string {
	t.Helper()
	return string(normalise(t, raw).AppendCanonical(nil))
}

// Short forms of conditions that know nothing of each other.
var short = strings.NewReplacer(
	"<a>", `{"equals":{"a":1}}`, "<b>", `{"equals":{"b":"x"}}`, "<c>", `{"exists":"c"}`, "<d>", `{"range":{"d":{"gt":3}}}`,
	"<over 1>", `{"range":{"n":{"gt":1}}}`, "<under 5>", `{"range":{"n":{"lt":5}}}`,
	// More than the smallest form is searched for.
	"<many>", `{"or":[{"exists":"h"},{"exists":"i"},{"exists":"j"},{"exists":"k"},{"exists":"l"},{"exists":"m"},{"exists":"o"},{"exists":"p"},{"exists":"q"},{"exists":"r"}]}`,
	"<e>", `{"regexp":{"e":"^x"}}`, "<geo>", `{"geoDistance":{"g":[10,20],"distance":"1km"}}`,
)

func TestFiltersThatMeanTheSame(t *testing.T) {
	for _, c := range []struct{ name, one, other string }{
		{"key order of bool", `{"bool":{"must":[<a>],"must_not":[<b>]}}`, `{"bool":{"must_not":[<b>],"must":[<a>]}}`},
		{"order of and", `{"and":[<a>,<b>,<c>]}`, `{"and":[<c>,<a>,<b>]}`},
		{"order of or", `{"or":[<a>,<b>,<c>]}`, `{"or":[<c>,<a>,<b>]}`},
		{"nested and", `{"and":[<a>,{"and":[<b>,<c>]}]}`, `{"and":[<a>,<b>,<c>]}`},
		{"repetition", `{"and":[<a>,<a>]}`, `<a>`},
		{"double negation", `{"not":{"not":<a>}}`, `<a>`},
		{"De Morgan", `{"not":{"or":[<a>,<b>]}}`, `{"and":[{"not":<a>},{"not":<b>}]}`},
		{"distribution", `{"and":[<a>,{"or":[<b>,<c>]}]}`, `{"or":[{"and":[<a>,<b>]},{"and":[<a>,<c>]}]}`},
		{"absorption", `{"or":[<a>,{"and":[<a>,<b>]}]}`, `<a>`},
		{"absorption of and", `{"and":[<a>,{"or":[<a>,<b>]}]}`, `<a>`},
		{"both cases", `{"or":[{"and":[<a>,<b>]},{"and":[<a>,{"not":<b>}]}]}`, `<a>`},
		{"implied case", `{"or":[<a>,{"and":[{"not":<a>},<b>]}]}`, `{"or":[<a>,<b>]}`},
		{"consensus", `{"or":[{"and":[<a>,<b>]},{"and":[{"not":<a>},<c>]},{"and":[<b>,<c>]}]}`, `{"or":[{"and":[<a>,<b>]},{"and":[{"not":<a>},<c>]}]}`},
		{"bool must", `{"bool":{"must":[<a>,<b>]}}`, `{"and":[<a>,<b>]}`},
		{"bool should", `{"bool":{"should":[<a>,<b>]}}`, `{"or":[<a>,<b>]}`},
		{"bool must_not", `{"bool":{"must_not":[<a>,<b>]}}`, `{"and":[{"not":<a>},{"not":<b>}]}`},
		{"bool should_not", `{"bool":{"should_not":[<a>,<b>]}}`, `{"or":[{"not":<a>},{"not":<b>}]}`},
		{"in", `{"in":{"a":["x","y","x"]}}`, `{"or":[{"equals":{"a":"y"}},{"equals":{"a":"x"}}]}`},
		{"in of one", `{"in":{"a":["x"]}}`, `{"equals":{"a":"x"}}`},
		{"ids", `{"ids":{"values":["x","y"]}}`, `{"in":{"_id":["y","x"]}}`},
		{"missing", `{"missing":{"field":"a"}}`, `{"not":{"exists":"a"}}`},
		{"numbers", `{"equals":{"a":1}}`, `{"equals":{"a":10e-1}}`},
		{"exists implied", `{"and":[<a>,{"exists":"a"}]}`, `<a>`},
		{"equals in range", `{"and":[{"equals":{"a":5}},{"range":{"a":{"gt":1}}}]}`, `{"equals":{"a":5}}`},
		{"equals found by regexp", `{"or":[{"equals":{"e":"xy"}},<e>]}`, `<e>`},
		{"range in range", `{"and":[{"range":{"a":{"gt":1}}},{"range":{"a":{"gt":3}}}]}`, `{"range":{"a":{"gt":3}}}`},
		{"ranges in one", `{"and":[<over 1>,<under 5>]}`, `{"range":{"n":{"gt":1,"lt":5}}}`},
		{"ranges that overlap", `{"and":[{"range":{"n":{"gte":1,"lt":7}}},{"range":{"n":{"gt":0,"lte":5}}},{"range":{"n":{"gt":0,"lt":9}}}]}`, `{"range":{"n":{"gte":1,"lte":5}}}`},
		{"ranges of three", `{"and":[<under 5>,<over 1>,{"range":{"n":{"gte":2,"lte":8}}}]}`, `{"range":{"n":{"gte":2,"lt":5}}}`},
		{"ranges distributed", `{"and":[<over 1>,{"or":[<under 5>,<b>]}]}`, `{"or":[{"range":{"n":{"gt":1,"lt":5}}},{"and":[<over 1>,<b>]}]}`},
		{"ranges, open and closed", `{"and":[{"range":{"n":{"gte":1}}},<over 1>,<under 5>,{"range":{"n":{"lte":5}}}]}`, `{"range":{"n":{"gt":1,"lt":5}}}`},
		{"ranges that touch", `{"and":[{"range":{"n":{"gte":5}}},{"range":{"n":{"lte":5}}}]}`, `{"equals":{"n":5.0}}`},
		{"ranges that touch between others", `{"and":[{"range":{"n":{"gte":5}}},{"range":{"n":{"lte":5}}},{"range":{"n":{"gt":1,"lt":9}}}]}`, `{"equals":{"n":5}}`},
		{"ranges that touch in many digits", `{"and":[{"range":{"n":{"gte":9007199254740993}}},{"range":{"n":{"lte":9007199254740993}}}]}`, `{"equals":{"n":9007199254740993}}`},
		{"ranges and equals in them", `{"and":[<over 1>,<under 5>,{"equals":{"n":3}}]}`, `{"equals":{"n":3}}`},
		{"ranges and equals not in them", `{"and":[<over 1>,<under 5>,{"not":{"equals":{"n":7}}}]}`, `{"range":{"n":{"gt":1,"lt":5}}}`},
		{"a case in another", `{"or":[{"and":[<over 1>,<under 5>,<b>]},{"range":{"n":{"gt":0,"lt":6}}}]}`, `{"range":{"n":{"gt":0,"lt":6}}}`},
		{"both cases of ranges", `{"or":[{"and":[<over 1>,<under 5>,<b>]},{"and":[{"range":{"n":{"gt":1,"lt":5}}},{"not":<b>}]}]}`, `{"range":{"n":{"gt":1,"lt":5}}}`},
		{"ranges in a select", `{"select":{"field":"l","index":0,"query":{"and":[{"range":{"value":{"gt":1}}},{"range":{"value":{"lt":5}}}]}}}`, `{"select":{"field":"l","index":0,"query":{"range":{"value":{"gt":1,"lt":5}}}}}`},
		{"ranges among many", `{"and":[<over 1>,<under 5>,<many>]}`, `{"and":[<many>,{"range":{"n":{"gt":1,"lt":5}}}]}`},
		{"another equals excluded", `{"and":[{"equals":{"a":1}},{"not":{"equals":{"a":2}}}]}`, `{"equals":{"a":1}}`},
		{"regexp flags", `{"regexp":{"a":{"value":"x","flags":"mi"}}}`, `{"regexp":{"a":{"flags":"gim","value":"x"}}}`},
		{"regexp without flags", `{"regexp":{"a":{"value":"x"}}}`, `{"regexp":{"a":"x"}}`},
		{"match order", `{"match":{"a":[1,{"b":2,"c":3}],"d":4}}`, `{"match":{"d":4.0,"a":[{"c":3,"b":2},1]}}`},
		{"units", `{"geoDistance":{"g":[10,20],"distance":"1.5km"}}`, `{"geoDistance":{"distance":"1 500 m","g":{"latLon":"10, 20"}}}`},
		{"ring from the centre", `{"geoDistanceRange":{"g":[10,20],"from":"0m","to":"1km"}}`, `{"geoDistance":{"g":[10,20],"distance":"1000"}}`},
		{"box", `{"geoBoundingBox":{"g":{"top":2,"left":1,"bottom":0,"right":"3"}}}`, `{"geoBoundingBox":{"g":{"topLeft":[2,1],"bottomRight":{"lat":0,"lon":3}}}}`},
		{"polygon from another point", `{"geoPolygon":{"g":{"points":[[0,0],[0,5],[5,0]]}}}`, `{"geoPolygon":{"g":{"points":["5,0","0,5","0,0","5,0"]}}}`},
		{"geo twice negated", `{"not":{"not":<geo>}}`, `<geo>`},
		{"outside is somewhere", `{"not":<geo>}`, `{"and":[{"not":<geo>},{"exists":"g"}]}`},
		{"select query", `{"select":{"field":"l","index":0,"query":{"in":{"value":["x","y"]}}}}`, `{"select":{"query":{"or":[{"equals":{"value":"y"}},{"equals":{"value":"x"}}]},"field":"l","index":0.0}}`},
	} {
		one, other := canonical(t, short.Replace(c.one)), canonical(t, short.Replace(c.other))
		if one != other {
			t.Errorf("%s:\n%s\n%s", c.name, one, other)
		}
	}
}

func TestFiltersThatMeanDifferentThings(t *testing.T) {
	for _, c := range []struct{ one, other string }{
		{`{"equals":{"a":1}}`, `{"equals":{"a":"1"}}`},
		{`{"equals":{"a":9007199254740993}}`, `{"equals":{"a":9007199254740992}}`},
		{`{"equals":{"a":null}}`, `{"missing":"a"}`},
		{`{"equals":{"a":true}}`, `{"equals":{"a":"true"}}`},
		{`{"equals":{"a":1}}`, `{"match":{"a":[1]}}`},
		{`{"exists":"a"}`, `{"exists":"a[true]"}`},
		{`{"range":{"a":{"gt":1}}}`, `{"range":{"a":{"gte":1}}}`},
		{`{"range":{"a":{"gt":1}}}`, `{"not":{"range":{"a":{"lte":1}}}}`},
		{`{"and":[<over 1>,<under 5>]}`, `{"and":[<over 1>,{"range":{"o":{"lt":5}}}]}`},
		{`{"and":[<over 1>,{"not":{"range":{"n":{"gte":5}}}}]}`, `{"not":{"or":[{"range":{"n":{"lte":1}}},{"range":{"n":{"gte":5}}}]}}`},
		{`{"not":{"or":[{"range":{"n":{"lte":1}}},{"range":{"n":{"gte":5}}}]}}`, `{"range":{"n":{"gt":1,"lt":5}}}`}, // true of texts
		{`{"or":[<over 1>,<under 5>]}`, `{"exists":"n"}`},
		{`{"regexp":{"a":"x"}}`, `{"regexp":{"a":{"value":"x","flags":"i"}}}`},
		{`{"match":{"a":[1,1]}}`, `{"match":{"a":[1]}}`},
		{`{"or":[<geo>,{"not":<geo>}]}`, `{}`},
		{`{"select":{"field":"l","index":0,"query":{"exists":"value"}}}`, `{"select":{"field":"l","index":-1,"query":{"exists":"value"}}}`},
	} {
		one, other := canonical(t, short.Replace(c.one)), canonical(t, short.Replace(c.other))
		if one == other {
			t.Errorf("%s and %s are both\n%s", c.one, c.other, one)
		}
	}
}

func TestEverythingAndNothing(t *testing.T) {
	for _, c := range []struct {
		raw                 string
		everything, nothing bool
	}{
		{``, true, false},
		{`null`, true, false},
		{`{}`, true, false},
		{`{"nothing":{"whatever":1}}`, false, true},
		{`{"not":{"nothing":1}}`, true, false},
		{`{"or":[<a>,{"not":<a>}]}`, true, false},
		{`{"or":[{"exists":"a"},{"missing":"a"},<b>]}`, true, false},
		{`{"or":[{"exists":"a"},{"not":{"equals":{"a":1}}}]}`, true, false},
		{`{"or":[{"not":{"equals":{"a":1}}},{"not":{"equals":{"a":2}}}]}`, true, false},
		{`{"and":[<a>,{"not":<a>}]}`, false, true},
		{`{"and":[{"equals":{"a":1}},{"equals":{"a":2}}]}`, false, true},
		{`{"and":[{"equals":{"a":1}},{"missing":"a"}]}`, false, true},
		{`{"and":[{"range":{"a":{"gt":3}}},{"range":{"a":{"lte":3}}}]}`, false, true},
		{`{"and":[{"range":{"a":{"gt":3}}},{"regexp":{"a":"3"}}]}`, false, true},
		{`{"and":[<over 1>,<under 5>,{"equals":{"n":7}}]}`, false, true},
		{`{"and":[<over 1>,<under 5>,{"range":{"n":{"gt":5}}}]}`, false, true},
		{`{"and":[<over 1>,<under 5>,{"not":{"range":{"n":{"gt":1,"lt":5}}}}]}`, false, true},
		{`{"and":[<over 1>,<under 5>,{"not":{"range":{"n":{"gt":0,"lt":6}}}}]}`, false, true},
		{`{"and":[{"range":{"n":{"gte":5}}},{"range":{"n":{"lte":5}}},{"not":{"equals":{"n":5}}}]}`, false, true},
		{`{"and":[{"range":{"n":{"gte":5}}},{"range":{"n":{"lt":5}}}]}`, false, true},
		{`{"and":[<geo>,{"not":<geo>}]}`, false, true},
		{`{"and":[<geo>,{"missing":"g"}]}`, false, true},
		{`{"or":[<a>,{"nothing":1}]}`, false, false},
		{`{"and":[<a>,{"nothing":1}]}`, false, true},
		{`{"select":{"field":"l","index":0,"query":{"nothing":1}}}`, false, true},
		{`{"or":[<geo>,{"not":<geo>}]}`, false, false},
		{`<a>`, false, false},
	} {
		n := normalise(t, short.Replace(c.raw))
		if n.IsEverything() != c.everything || n.IsNothing() != c.nothing {
			t.Errorf("%s: everything %v, nothing %v: %s", c.raw, n.IsEverything(), n.IsNothing(), n.AppendCanonical(nil))
		}
	}
}

// TestTheCanonicalFormStays pins bytes that the room ids of running nodes depend on.
func TestTheCanonicalFormStays(t *testing.T) {
	raw := short.Replace(`{"and":[{"not":<a>},{"or":[<d>,<e>]},{"not":<geo>}]}`)
	const want = `[[["not",["equals","a",1]],["outside","g","ring",10,20,0,1000],["range","d","gt",3,null,null]],` +
		`[["not",["equals","a",1]],["outside","g","ring",10,20,0,1000],["regexp","e","^x",""]]]`
	n := normalise(t, raw)
	if got := string(n.AppendCanonical(nil)); got != want || !json.Valid([]byte(got)) {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	const room = "ca2ef3256e6db48dcf633ae49cf244839a6ce11478931edc85a4573e35df08f2"
	if got := koncorde.RoomID("i", "c", n); got != room {
		t.Errorf("room %s, want %s", got, room)
	}
	if koncorde.RoomID("a/b", "c", n) == koncorde.RoomID("a", "b/c", n) || koncorde.RoomID("i", "d", n) == room || koncorde.RoomID("i", "c", normalise(t, "{}")) == room {
		t.Error("another collection or filter gives the same room")
	}
}

func TestLimits(t *testing.T) {
	many := func(keyword string, n int, leaf string) string {
		var leaves []string
		for i := range n {
			leaves = append(leaves, strings.ReplaceAll(leaf, "#", fmt.Sprint(i)))
		}
		return `{"` + keyword + `":[` + strings.Join(leaves, ",") + `]}`
	}
	hard := many("and", 40, `{"or":[{"equals":{"a#":1}},{"equals":{"b#":1}}]}`)
	for _, c := range []struct {
		name, raw string
		limit     int
		refused   string
	}{
		{"at the limit", many("or", 100, `{"equals":{"a":#}}`), 100, ""},
		{"over it", many("or", 101, `{"equals":{"a":#}}`), 100, "may hold 100 conditions"},
		{"the same ones count once", many("or", 500, `{"equals":{"a":1}}`), 100, ""},
		{"in counts each", `{"in":{"a":["1","2","3"]}}`, 2, "this one has 3"},
		{"select counts what is inside", `{"select":{"field":"l","index":0,"query":{"in":{"value":["1","2","3"]}}}}`, 2, "this one has 3"},
		{"ranges count once", `{"and":[<over 1>,<under 5>]}`, 1, ""},
		{"too many cases", hard, 0, "too complex"},
	} {
		f, err := koncorde.Parse([]byte(short.Replace(c.raw)))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		_, err = f.Normalise(c.limit)
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.refused)
		}
	}
}

// rewrite changes how a decoded filter is written, not what it means.
func rewrite(r *rand.Rand, f any) any {
	object := f.(map[string]any)
	for keyword, content := range object {
		switch keyword {
		case "and", "or":
			operands := []any{}
			for _, operand := range content.([]any) {
				operands = append(operands, rewrite(r, operand))
			}
			r.Shuffle(len(operands), func(i, k int) { operands[i], operands[k] = operands[k], operands[i] })
			if r.IntN(3) == 0 {
				operands = append(operands, operands[0])
			}
			f = map[string]any{keyword: operands}
			if r.IntN(3) == 0 {
				for i := range operands {
					operands[i] = map[string]any{"not": operands[i]}
				}
				dual := map[string]string{"and": "or", "or": "and"}[keyword]
				f = map[string]any{"not": map[string]any{dual: operands}}
			}
		case "not":
			f = map[string]any{"not": rewrite(r, content)}
		}
	}
	if r.IntN(4) == 0 {
		f = map[string]any{"not": map[string]any{"not": f}}
	}
	return f
}

// TestWritingAFilterDifferently rewrites random filters, small and large, and wants the same bytes.
func TestWritingAFilterDifferently(t *testing.T) {
	leaves := []string{
		"<a>", "<b>", "<c>", "<d>", "<e>", "<geo>", `{"equals":{"a":2}}`, `{"exists":"a"}`, `{"range":{"a":{"lt":2}}}`, `{"equals":{"e":"xy"}}`,
		`{"range":{"a":{"gte":-1}}}`, `{"range":{"d":{"lt":9}}}`,
		`{"exists":"f"}`, `{"exists":"h"}`, `{"exists":"i"}`, `{"exists":"j"}`, `{"missing":"k"}`, `{"exists":"m"}`,
	}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 2))
		var build func(depth int) string
		build = func(depth int) string {
			if depth == 0 || r.IntN(5) == 0 {
				return leaves[r.IntN(4+int(seed)%15)]
			}
			if r.IntN(6) == 0 {
				return `{"not":` + build(depth-1) + `}`
			}
			return `{"` + []string{"and", "or"}[r.IntN(2)] + `":[` + build(depth-1) + "," + build(depth-1) + "," + build(depth-1) + `]}`
		}
		raw := short.Replace(build(3))
		var decoded any
		if err := json.Unmarshal([]byte(raw), &decoded); err != nil {
			t.Fatal(err)
		}
		want := normalise(t, raw).AppendCanonical(nil)
		for range 5 {
			other, err := json.Marshal(rewrite(r, decoded))
			if err != nil {
				t.Fatal(err)
			}
			if got := normalise(t, string(other)).AppendCanonical(nil); !bytes.Equal(got, want) {
				t.Fatalf("%s\n%s\nand %s\n%s", raw, want, other, got)
			}
		}
	}
}

// TestCasesOneByOne writes random functions of five conditions as all cases in which they are true, and as the exclusion
// of all cases in which they are false.
func TestCasesOneByOne(t *testing.T) {
	conditions := []string{"<a>", "<b>", "<c>", "<d>", "<e>"}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		var cases, exclusions []string
		for row := range 1 << len(conditions) {
			var literals []string
			for i, c := range conditions {
				if row>>i&1 == 0 {
					c = `{"not":` + c + `}`
				}
				literals = append(literals, c)
			}
			all := `{"and":[` + strings.Join(literals, ",") + `]}`
			if r.IntN(2) == 0 {
				cases = append(cases, all)
			} else {
				exclusions = append(exclusions, `{"not":`+all+`}`)
			}
		}
		one := canonical(t, short.Replace(`{"or":[`+strings.Join(cases, ",")+`]}`))
		other := canonical(t, short.Replace(`{"and":[`+strings.Join(exclusions, ",")+`]}`))
		if one != other {
			t.Fatalf("seed %d:\n%s\n%s", seed, one, other)
		}
	}
}
