package koncorde

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestDistanceBetweenPoints(t *testing.T) {
	for _, c := range []struct {
		name string
		p, q point
		want float64 // metres
	}{
		{"nowhere", point{10, 20}, point{10, 20}, 0},
		{"a degree on the equator", point{0, 0}, point{0, 1}, 111_195},
		{"a degree of latitude", point{50, 7}, point{51, 7}, 111_195},
		{"a degree at 60 north", point{60, 0}, point{60, 1}, 55_596},
		{"Paris to London", point{48.8566, 2.3522}, point{51.5074, -0.1278}, 343_556},
		{"New York to London", point{40.7128, -74.0060}, point{51.5074, -0.1278}, 5_570_222},
		{"across the 180th meridian", point{0, 179.5}, point{0, -179.5}, 111_195},
		{"pole to pole", point{90, 0}, point{-90, 0}, 20_015_115},
		{"to the other side", point{30, 20}, point{-30, -160}, 20_015_115},
	} {
		if got := c.p.distance(c.q); math.Abs(got-c.want) > 1+c.want*1e-5 {
			t.Errorf("%s: %.0f m, want %.0f", c.name, got, c.want)
		}
	}
}

func TestDistanceTexts(t *testing.T) {
	for text, want := range map[string]float64{
		"1": 1, "1m": 1, "1.5 km": 1500, "1,5km": 1500, "2-km": 2000, "1 000 m": 1000, "1KM": 1000, "3 Kilometres": 3000, "3kilometer": 3000,
		"10cm": 0.1, "10 mm": 0.01, "2hm": 200, "2dam": 20, "1 gm": 1e9, "1 megametre": 1e6, "5 micrometers": 5e-6, "5µm": 5e-6, "5μm": 5e-6,
		"1ft": 0.3048, "2 feet": 0.6096, "1 foot": 0.3048, "1 in": 0.0254, "1 inch": 0.0254, "2inches": 0.0508, "1yd": 0.9144, "2 yards": 1.8288,
		"1mi": 1609.344, "1 mile": 1609.344, "2 Miles": 3218.688, ".5m": 0.5, "1 metre": 1, "1 metres": 1,
	} {
		if got, err := parseDistance(text); err != nil || math.Abs(got-want) > want*1e-12 {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", " ", "km", "1 parsec", "1,234.5 m", "m1", "1e3m", "0x10", "1 k", "nan", "inf m", "1 kmm"} {
		if got, err := parseDistance(text); err == nil {
			t.Errorf("%q is %v m", text, got)
		}
	}
}

func TestGeohash(t *testing.T) {
	for hash, want := range map[string]point{"ezs42": {42.605, -5.603}, "u4pruydqqvj": {57.64911, 10.40744}, "s0000": {0.022, 0.022}} {
		if got, ok := decodeGeohash(hash); !ok || math.Abs(got.lat-want.lat) > 0.001 || math.Abs(got.lon-want.lon) > 0.001 {
			t.Errorf("%s: %v, want %v", hash, got, want)
		}
	}
	for _, hash := range []string{"", "ezs", "ezsa", "EZS42", "ezs 4"} {
		if got, ok := decodeGeohash(hash); ok {
			t.Errorf("%q is %v", hash, got)
		}
	}
}

// TestShapesLieInTheirBounds tries shapes and points everywhere, near the poles and the 180th meridian too; what the grid
// finds must be what trying each shape finds.
func TestShapesLieInTheirBounds(t *testing.T) {
	r := newRandom(7)
	var g grid
	var shapes []shape
	var entries []*entry
	edge := func(limit float64) float64 {
		x := (r.Float64()*2 - 1) * limit
		if r.IntN(3) == 0 {
			x = math.Copysign(limit-r.Float64()*0.01, x)
		}
		return x
	}
	somewhere := func() point { return point{edge(90), edge(180)} }
	for range 1000 {
		p, q := somewhere(), somewhere()
		var s shape = ring{centre: p, to: math.Pow(10, r.Float64()*7)}
		switch r.IntN(4) {
		case 0:
			s = box{math.Max(p.lat, q.lat), p.lon, math.Min(p.lat, q.lat), q.lon}
		case 1:
			s, _ = newPolygon([]point{p, q, somewhere()})
		}
		e := &entry{access: newCondition("g", place{shape: s}), room: &room{}}
		shapes, entries = append(shapes, s), append(entries, e)
		g.add(s, e)
	}
	for i := range 1000 {
		p := somewhere()
		if c, ok := shapes[i%len(shapes)].(ring); ok && i%2 == 0 { // just inside the edge
			p = point{math.Max(-90, math.Min(90, c.centre.lat+degrees(c.to/earthRadius)*0.999999)), c.centre.lon}
		}
		found := map[*entry]bool{}
		g.lookUp(p, func(b bag) {
			for _, e := range b {
				found[e] = true
			}
		})
		for k, s := range shapes {
			if s.contains(p) && !found[entries[k]] {
				t.Fatalf("%v is in %+v, and not found there", p, s)
			}
		}
	}
	for i, s := range shapes {
		g.remove(s, entries[i])
	}
	if g.size != 0 || len(g.cells) != 0 || g.boxes != [gridLevels]int{} {
		t.Errorf("an empty grid holds %+v", g)
	}
}

func TestSpanTree(t *testing.T) {
	r := newRandom(8)
	var tree spanTree
	filed := map[*entry]span{}
	end := func() bound {
		return bound{at: parseNumber(fmt.Sprint(r.IntN(40))), set: r.IntN(5) > 0, inclusive: r.IntN(2) == 0}
	}
	for range 4000 {
		if len(filed) > 0 && r.IntN(5) < 2 {
			for e, s := range filed {
				tree.remove(s, e)
				delete(filed, e)
				break
			}
			continue
		}
		s, e := span{end(), end()}, &entry{}
		tree.add(s, e)
		filed[e] = s
		at := parseNumber(fmt.Sprint(float64(r.IntN(80)) / 2))
		var got, want []*entry
		tree.lookUp(at, func(b bag) { got = append(got, b...) })
		for e, s := range filed {
			if s.contains(at) {
				want = append(want, e)
			}
		}
		if len(got) != len(want) || slices.ContainsFunc(want, func(e *entry) bool { return !slices.Contains(got, e) }) {
			t.Fatalf("%v: %d found, want %d", at, len(got), len(want))
		}
	}
	for e, s := range filed {
		tree.remove(s, e)
	}
	if tree.root != nil || tree.size != 0 {
		t.Error("an empty tree holds something")
	}
}

func TestNumbers(t *testing.T) {
	ascending := []string{
		"-1e400", "-9007199254740993", "-9007199254740992", "-2", "-1.5", "-1e-400", "0", "1e-400", "0.1", "0.1000000000000000055511151231257827", "0.2", "1", "1.5",
		"123456789012345", "123456789012345.5", "123456789012346", "9007199254740992", "9007199254740993", "1e22", "10000000000000000000001", "1e300", "1e308", "1e309", "1e400", "1e401",
	}
	for i, a := range ascending {
		for k, b := range ascending {
			x, y := parseNumber(a), parseNumber(b)
			if got := sign(float64(x.compare(y))); got != sign(float64(i-k)) {
				t.Errorf("%s and %s: %d", a, b, got)
			}
			if (x == y) != (i == k) {
				t.Errorf("%s equals %s: %v", a, b, x == y)
			}
		}
	}
	for _, same := range [][]string{{"0", "-0", "0.000", "0e9", "-0.0e-9"}, {"1", "1.0", "10e-1", "0.1e1", "1E+0"}, {"12345678901234567890", "1.2345678901234567890e19"}, {"1e300", "10e299"}} {
		for _, text := range same {
			if x := parseNumber(text); x != parseNumber(same[0]) || parseNumber(string(x.append(nil))) != x {
				t.Errorf("%s is not %s", text, same[0])
			}
		}
	}
}
