package koncorde

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// truth3 is what the naive interpreter finds: geo conditions say nothing about what is no point.
type truth3 int

const (
	no truth3 = iota - 1
	unknown
	yes
)

func truthOf(b bool) truth3 {
	if b {
		return yes
	}
	return no
}

func decodeAny(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// naiveFlatten gives every dotted path. The random documents have no two members under one path.
func naiveFlatten(prefix string, object map[string]any, into map[string]any) {
	for k, v := range object {
		into[prefix+k] = v
		if inner, ok := v.(map[string]any); ok {
			naiveFlatten(prefix+k+".", inner, into)
		}
	}
}

func sameScalar(a, b any) bool {
	x, ok1 := a.(json.Number)
	y, ok2 := b.(json.Number)
	if ok1 && ok2 {
		return rat(x).Cmp(rat(y)) == 0
	}
	if ok1 != ok2 || isContainer(a) || isContainer(b) {
		return false
	}
	return a == b
}

func isContainer(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic(n)
	}
	return r
}

// naive interprets a valid filter as it is written.
func naive(f any, doc map[string]any, flat map[string]any) truth3 {
	object, _ := f.(map[string]any)
	for keyword, content := range object {
		return naiveKeyword(keyword, content, doc, flat)
	}
	return yes
}

func naiveAll(list any, doc, flat map[string]any) truth3 {
	result := yes
	for _, f := range list.([]any) {
		result = min(result, naive(f, doc, flat))
	}
	return result
}

func naiveAny(list any, doc, flat map[string]any) truth3 {
	result := no
	for _, f := range list.([]any) {
		result = max(result, naive(f, doc, flat))
	}
	return result
}

func naiveKeyword(keyword string, content any, doc, flat map[string]any) truth3 {
	switch keyword {
	case "and":
		return naiveAll(content, doc, flat)
	case "or":
		return naiveAny(content, doc, flat)
	case "not":
		return -naive(content, doc, flat)
	case "nothing":
		return no
	case "bool":
		result := yes
		for name, list := range content.(map[string]any) {
			switch name {
			case "must":
				result = min(result, naiveAll(list, doc, flat))
			case "must_not":
				result = min(result, -naiveAny(list, doc, flat))
			case "should":
				result = min(result, naiveAny(list, doc, flat))
			case "should_not":
				result = min(result, -naiveAll(list, doc, flat))
			}
		}
		return result
	case "ids":
		return naiveIn(flat["_id"], content.(map[string]any)["values"])
	case "exists":
		return naiveExists(content, flat)
	case "missing":
		return -naiveExists(content, flat)
	case "match":
		return truthOf(naiveContains(content, doc))
	case "select":
		s := content.(map[string]any)
		array, _ := flat[s["field"].(string)].([]any)
		i64, _ := s["index"].(json.Number).Int64()
		i := int(i64)
		if i < 0 {
			i += len(array)
		}
		if i < 0 || i >= len(array) {
			return no
		}
		inner := map[string]any{"value": array[i]}
		innerFlat := map[string]any{}
		naiveFlatten("", inner, innerFlat)
		return truthOf(naive(s["query"], inner, innerFlat) == yes)
	}
	return naiveLeaf(keyword, content.(map[string]any), flat)
}

func naiveExists(content any, flat map[string]any) truth3 {
	if object, ok := content.(map[string]any); ok {
		content = object["field"]
	}
	path, value, brackets := strings.Cut(content.(string), "[")
	have, present := flat[path]
	if !brackets || !present {
		return truthOf(present)
	}
	var want any
	d := json.NewDecoder(strings.NewReader(strings.TrimSuffix(value, "]")))
	d.UseNumber()
	_ = d.Decode(&want)
	items, _ := have.([]any)
	for _, item := range items {
		if sameScalar(item, want) {
			return yes
		}
	}
	return no
}

func naiveIn(have, list any) truth3 {
	for _, want := range list.([]any) {
		if have != nil && sameScalar(have, want) {
			return yes
		}
	}
	return no
}

func naiveLeaf(keyword string, content map[string]any, flat map[string]any) truth3 {
	for path, want := range content {
		if path == "distance" || path == "from" || path == "to" {
			continue
		}
		have, present := flat[path]
		switch keyword {
		case "equals":
			return truthOf(present && sameScalar(have, want))
		case "in":
			return naiveIn(have, want)
		case "range":
			n, ok := have.(json.Number)
			for operator, bound := range want.(map[string]any) {
				ok = ok && naiveCompare(operator, rat(n).Cmp(rat(bound.(json.Number))))
			}
			return truthOf(ok)
		case "regexp":
			s, ok := have.(string)
			source, flags := want, ""
			if object, ok := want.(map[string]any); ok {
				source, flags = object["value"], "(?i)"
			}
			return truthOf(ok && len(s) <= 64<<10 && regexp.MustCompile(flags+source.(string)).MatchString(s))
		}
		lat, lon, ok := naivePoint(have)
		if !ok {
			return unknown
		}
		return truthOf(naiveGeo(keyword, want, content, lat, lon))
	}
	panic(keyword)
}

func naiveCompare(operator string, c int) bool {
	switch operator {
	case "gt":
		return c > 0
	case "gte":
		return c >= 0
	case "lt":
		return c < 0
	}
	return c <= 0
}

// naivePoint reads the formats that the random documents use.
func naivePoint(v any) (lat, lon float64, ok bool) {
	switch v := v.(type) {
	case map[string]any:
		var err1, err2 error
		lat, err1 = naiveDegrees(v["lat"])
		lon, err2 = naiveDegrees(v["lon"])
		return lat, lon, err1 == nil && err2 == nil && math.Abs(lat) <= 90 && math.Abs(lon) <= 180
	case []any:
		if len(v) == 2 {
			return naivePoint(map[string]any{"lat": v[0], "lon": v[1]})
		}
	case string:
		a, b, pair := strings.Cut(v, ", ")
		if pair {
			return naivePoint(map[string]any{"lat": json.Number(a), "lon": json.Number(b)})
		}
	}
	return 0, 0, false
}

func naiveDegrees(v any) (float64, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Float64()
	case string:
		return strconv.ParseFloat(v, 64)
	}
	return 0, strconv.ErrSyntax
}

func naiveGeo(keyword string, want any, content map[string]any, lat, lon float64) bool {
	number := func(v any) float64 {
		f, _ := strconv.ParseFloat(strings.TrimSuffix(fmt.Sprint(v), "km"), 64)
		return f
	}
	if keyword == "geoBoundingBox" {
		b := want.(map[string]any)
		in := lon >= number(b["left"]) && lon <= number(b["right"])
		if number(b["left"]) > number(b["right"]) {
			in = lon >= number(b["left"]) || lon <= number(b["right"])
		}
		return in && lat <= number(b["top"]) && lat >= number(b["bottom"])
	}
	if keyword == "geoPolygon" { // the random polygons are triangles with a right angle in the south-west
		points := want.(map[string]any)["points"].([]any)
		south, west, _ := naivePoint(points[0])
		_, east, _ := naivePoint(points[1])
		north, _, _ := naivePoint(points[2])
		return lat >= south && lon >= west && (lat-south)/(north-south)+(lon-west)/(east-west) <= 1
	}
	la, lo, _ := naivePoint(want)
	// The angle between two vectors from the centre of the earth.
	x := func(lat, lon float64) [3]float64 {
		lat, lon = lat*math.Pi/180, lon*math.Pi/180
		return [3]float64{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
	}
	p, q := x(la, lo), x(lat, lon)
	km := 6371.0087714 * math.Acos(max(-1, min(1, p[0]*q[0]+p[1]*q[1]+p[2]*q[2])))
	if keyword == "geoDistance" {
		return km <= number(content["distance"])
	}
	return km >= number(content["from"]) && km <= number(content["to"])
}

func naiveContains(want, have any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := have.(map[string]any)
		for k, w := range want {
			h, present := object[k]
			ok = ok && present && naiveContains(w, h)
		}
		return ok
	case []any:
		items, ok := have.([]any)
		return ok && naiveAssign(want, items)
	}
	return sameScalar(want, have)
}

// naiveAssign tries every assignment.
func naiveAssign(want, items []any) bool {
	if len(want) == 0 {
		return true
	}
	for i := range items {
		if naiveContains(want[0], items[i]) {
			rest := append(append([]any{}, items[:i]...), items[i+1:]...)
			if naiveAssign(want[1:], rest) {
				return true
			}
		}
	}
	return false
}

// Random filters and documents over few paths and values, so that they often have something to do with each other.

type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 1))} }

func (r random) pick(from ...string) string { return from[r.IntN(len(from))] }

func (r random) path() string {
	return r.pick("a", "b", "c", "o.a", "o.b", "o", "l", "l.a", "_id", "x.y")
}

func (r random) number() string {
	return r.pick("0", "1", "1.0", "2", "-3", "0.1", "1e-1", "9007199254740993", "9007199254740992", "1e400", "5", "7", "10", "-0", "100")
}

func (r random) scalar() string {
	return r.pick(r.number(), r.number(), `"a"`, `"b"`, `"abc"`, `"1"`, `""`, "true", "false", "null", `"10, 20"`)
}

func (r random) latitude() string { return strconv.Itoa(r.IntN(170)-85) + ".123" }

func (r random) longitude() string { return strconv.Itoa(r.IntN(350)-175) + ".321" }

func (r random) point() string {
	lat, lon := r.latitude(), r.longitude()
	switch r.IntN(3) {
	case 0:
		return "[" + lat + "," + lon + "]"
	case 1:
		return `"` + lat + ", " + lon + `"`
	}
	return `{"lat":` + lat + `,"lon":` + lon + `}`
}

func (r random) list(n int, one func() string) string {
	var all []string
	for range n {
		all = append(all, one())
	}
	return "[" + strings.Join(all, ",") + "]"
}

func (r random) filter(depth int) string {
	if depth > 0 {
		one := func() string { return r.filter(depth - 1) }
		switch r.IntN(8) {
		case 0, 1:
			return `{"and":` + r.list(1+r.IntN(3), one) + `}`
		case 2, 3:
			return `{"or":` + r.list(1+r.IntN(3), one) + `}`
		case 4:
			return `{"not":` + one() + `}`
		case 5:
			return `{"bool":{"` + r.pick("must", "should") + `":` + r.list(1+r.IntN(2), one) + `,"` + r.pick("must_not", "should_not") + `":` + r.list(1+r.IntN(2), one) + `}}`
		}
	}
	return r.leaf(depth)
}

func (r random) leaf(depth int) string {
	path := r.path()
	switch r.IntN(16) {
	case 0, 1, 2:
		return `{"equals":{"` + path + `":` + r.scalar() + `}}`
	case 3:
		return `{"in":{"` + path + `":` + r.list(1+r.IntN(3), func() string { return r.pick(`"a"`, `"b"`, `"abc"`) }) + `}}`
	case 4:
		return `{"ids":{"values":` + r.list(1+r.IntN(3), func() string { return r.pick(`"a"`, `"b"`, `"abc"`) }) + `}}`
	case 5:
		return `{"` + r.pick("exists", "missing") + `":"` + path + `"}`
	case 6:
		held, _ := json.Marshal(r.pick("l", "o.b", "a") + "[" + r.scalar() + "]")
		return `{"` + r.pick("exists", "missing") + `":{"field":` + string(held) + `}}`
	case 7, 8:
		return r.span(path)
	case 9:
		return `{"regexp":{"` + path + `":` + r.pick(`"a"`, `"^b"`, `"c$"`, `{"value":"A","flags":"i"}`) + `}}`
	case 10:
		return `{"match":` + r.pick(`{"a":`+r.scalar()+`}`, `{"o":{"a":`+r.scalar()+`}}`, `{"l":`+r.list(r.IntN(3), r.item)+`}`, `{"o":{},"b":`+r.scalar()+`}`) + `}`
	case 11:
		query := `{"` + r.pick("exists", "missing") + `":"value"}`
		if depth >= 0 {
			query = strings.NewReplacer(`"a"`, `"value"`, `"b"`, `"value.a"`).Replace(r.filter(depth - 1))
		}
		if !strings.Contains(query, `"values"`) && !strings.Contains(query, `"select"`) {
			return fmt.Sprintf(`{"select":{"field":"l","index":%d,"query":%s}}`, r.IntN(5)-2, query)
		}
	case 12:
		return `{"nothing":null}`
	}
	return r.geo(r.pick("g", "g", "o", "l", "a"))
}

func (r random) span(path string) string {
	low, high := r.IntN(5)-3, r.IntN(9)+2
	switch r.IntN(3) {
	case 0:
		return fmt.Sprintf(`{"range":{"%s":{"%s":%d}}}`, path, r.pick("gt", "gte"), low)
	case 1:
		return fmt.Sprintf(`{"range":{"%s":{"%s":%d}}}`, path, r.pick("lt", "lte"), high)
	}
	return fmt.Sprintf(`{"range":{"%s":{"%s":%d,"%s":%d}}}`, path, r.pick("gt", "gte"), low, r.pick("lt", "lte"), high)
}

func (r random) geo(path string) string {
	switch r.IntN(4) {
	case 0:
		return fmt.Sprintf(`{"geoDistance":{"%s":%s,"distance":"%dkm"}}`, path, r.point(), 1+r.IntN(19000))
	case 1:
		return fmt.Sprintf(`{"geoDistanceRange":{"%s":%s,"from":"%dkm","to":"%dkm"}}`, path, r.point(), r.IntN(5000), 5001+r.IntN(9000))
	case 2:
		return fmt.Sprintf(`{"geoBoundingBox":{"%s":{"top":%d,"left":%d,"bottom":%d,"right":%d}}}`, path, r.IntN(90), r.IntN(360)-180, -r.IntN(90), r.IntN(360)-180)
	}
	south, west, size := r.IntN(80)-80, r.IntN(80)-180, 1+r.IntN(79)
	return fmt.Sprintf(`{"geoPolygon":{"%s":{"points":[[%d,%d],[%d,%d],[%d,%d]]}}}`, path, south, west, south, west+2*size, south+size, west)
}

func (r random) item() string {
	return r.pick(r.scalar(), r.scalar(), `{"a":`+r.scalar()+`}`, `{"a":1,"b":2}`, `{"b":2}`, "{}", "[1]", "[1,2]")
}

// document gives an id and a source; some names hold dots.
func (r random) document() (id, source string) {
	var members []string
	add := func(name string, value string) {
		if r.IntN(3) > 0 {
			members = append(members, `"`+name+`":`+value)
		}
	}
	add("a", r.pick(r.scalar(), r.scalar(), r.point(), r.list(2, r.scalar)))
	add("b", r.pick(r.scalar(), r.scalar(), "{}"))
	add("c", r.scalar())
	add("g", r.pick(r.point(), r.point(), r.point(), r.scalar()))
	add("l", r.list(r.IntN(5), r.item))
	switch r.IntN(5) {
	case 0:
		add("o.a", r.scalar())
	case 1:
		add("o", r.point())
	case 2:
		add("o", r.scalar())
	default:
		add("o", `{"a":`+r.scalar()+`,"b":`+r.list(r.IntN(3), r.scalar)+`}`)
	}
	if r.IntN(10) == 0 {
		add("x.y", r.scalar())
	} else {
		add("x", `{"y":`+r.scalar()+`,"y.z":1}`)
	}
	return r.pick("a", "b", "abc", ""), "{" + strings.Join(members, ",") + "}"
}

func (r random) newDocument(t testing.TB) (*Document, map[string]any, map[string]any, string) {
	t.Helper()
	id, source := r.document()
	d, err := NewDocument(id, []byte(source))
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	plain := decodeAny(t, source).(map[string]any)
	if id != "" {
		plain["_id"] = id
	}
	flat := map[string]any{}
	naiveFlatten("", plain, flat)
	return d, plain, flat, id + " " + source
}

// TestAgainstTheNaiveInterpreter holds the three ways to match against each other: the filter as it is written, its normal
// form, and a matcher with many filters that come and go.
func TestAgainstTheNaiveInterpreter(t *testing.T) {
	matched := 0
	for seed := range uint64(8) {
		r := newRandom(seed)
		m := NewMatcher()
		raws, normals := map[string]any{}, map[string]*Normal{}
		for i := range 300 {
			raw := r.filter(r.IntN(4))
			f, err := Parse([]byte(raw))
			if err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			n, err := f.Normalise(0)
			if err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			id := fmt.Sprint(i, " ", raw)
			raws[id], normals[id] = decodeAny(t, raw), n
			if !m.Add(id, n) || m.Add(id, n) {
				t.Fatal("added once: false, or twice: true")
			}
			if i%3 == 2 { // some leave again
				for gone := range raws {
					if !m.Remove(gone) || m.Remove(gone) {
						t.Fatal("removed once: false, or twice: true")
					}
					delete(raws, gone)
					break
				}
			}
		}
		if len(m.rooms) != len(raws) {
			t.Fatalf("%d filters, want %d", len(m.rooms), len(raws))
		}
		for range 150 {
			d, plain, flat, text := r.newDocument(t)
			got := map[string]bool{}
			for _, id := range m.Match(d) {
				if got[id] {
					t.Errorf("%s twice for %s", id, text)
				}
				got[id] = true
			}
			for id, raw := range raws {
				want := naive(raw, plain, flat) == yes
				if want {
					matched++
				}
				if n := normals[id]; n.Match(d) != want || got[id] != want {
					t.Fatalf("%s\nas %s\non %s\nwritten: %v, normal: %v, matcher: %v", id, n.AppendCanonical(nil), text, want, n.Match(d), got[id])
				}
			}
		}
		for id := range raws {
			m.Remove(id)
		}
		if len(m.rooms) != 0 || len(m.always) != 0 || !reflect.DeepEqual(m.byPath.children, map[string]*pathNode{}) {
			t.Errorf("an empty matcher holds %+v", m.byPath)
		}
	}
	if matched < 10_000 {
		t.Errorf("only %d matches: the random filters and documents have too little in common", matched)
	}
}
