package geometry

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func goOn(int) bool { return false }

// raster is a part whose corners have whole coordinates and whose edges are level or upright. Whether it has the points of a grid
// that is twice as fine says all about how two of them stand to each other: each corner, the middle of each edge and of each cell
// between whole coordinates is one of them.
type raster struct {
	text string // in WKT without its type, %s for each corner
	kind string
	at   []Position
	has  func(x, y float64) bool
}

const size = 8

func (r raster) wkt(place func(Position) Position) string {
	corners := make([]any, len(r.at))
	for i, at := range r.at {
		at = place(at)
		corners[i] = fmt.Sprintf("%v %v", at.Lon, at.Lat)
	}
	return r.kind + " " + fmt.Sprintf(r.text, corners...)
}

func (r raster) cells() [2*size + 1][2*size + 1]bool {
	var cells [2*size + 1][2*size + 1]bool
	for x := range cells {
		for y := range cells[x] {
			cells[x][y] = r.has(float64(x)/2, float64(y)/2)
		}
	}
	return cells
}

func within(x, y, west, east, south, north float64) bool {
	return x >= west && x <= east && y >= south && y <= north
}

// randomRaster gives a point, a line, or a box that may have a corner bitten off or a hole.
func randomRaster(rnd *rand.Rand) raster {
	w, s := float64(rnd.IntN(size)), float64(rnd.IntN(size))
	e, n := w+1+float64(rnd.IntN(size-int(w))), s+1+float64(rnd.IntN(size-int(s)))
	switch rnd.IntN(5) {
	case 0:
		return raster{"(%s)", "POINT", []Position{{w, s}}, func(x, y float64) bool { return x == w && y == s }}
	case 1:
		return raster{"(%s, %s, %s)", "LINESTRING", []Position{{w, s}, {w, n}, {e, n}}, func(x, y float64) bool {
			return within(x, y, w, w, s, n) || within(x, y, w, e, n, n)
		}}
	case 2:
		if e-w > 1 && n-s > 1 {
			return raster{
				"((%s, %s, %s, %s, %s, %s, %s))", "POLYGON",
				[]Position{{w, s}, {e, s}, {e, n - 1}, {e - 1, n - 1}, {e - 1, n}, {w, n}, {w, s}},
				func(x, y float64) bool { return within(x, y, w, e, s, n-1) || within(x, y, w, e-1, s, n) },
			}
		}
	case 3:
		if e-w > 2 && n-s > 2 {
			return raster{"((%s, %s, %s, %s, %s), (%s, %s, %s, %s, %s))", "POLYGON", []Position{
				{w, s},
				{e, s},
				{e, n},
				{w, n},
				{w, s},
				{w + 1, s + 1},
				{w + 1, n - 1},
				{e - 1, n - 1},
				{e - 1, s + 1},
				{w + 1, s + 1},
			}, func(x, y float64) bool {
				return within(x, y, w, e, s, n) && (x <= w+1 || x >= e-1 || y <= s+1 || y >= n-1)
			}}
		}
	}
	return raster{
		"((%s, %s, %s, %s, %s))", "POLYGON",
		[]Position{{w, s}, {e, s}, {e, n}, {w, n}, {w, s}},
		func(x, y float64) bool { return within(x, y, w, e, s, n) },
	}
}

func shape(t *testing.T, text string) *Shape {
	t.Helper()
	raw := jsontext.Value(text)
	if !strings.HasPrefix(text, "{") {
		raw, _ = jsontext.AppendQuote(nil, text)
	}
	s, err := Read(raw, Options{Coerce: true})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// TestRelationsOfRasters compares shapes with what their cells say, as they are and turned, where nothing is level any more.
func TestRelationsOfRasters(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var met, inside int
	for range 20_000 {
		a, b := randomRaster(rnd), randomRaster(rnd)
		intersects, lies := false, true
		of, with := a.cells(), b.cells()
		for x := range of {
			for y := range of[x] {
				intersects = intersects || of[x][y] && with[x][y]
				lies = lies && (!of[x][y] || with[x][y])
			}
		}
		angle := rnd.Float64() * math.Pi
		turned := func(p Position) Position {
			return Position{
				Lon: 100 + 1.7*(p.Lon*math.Cos(angle)-p.Lat*math.Sin(angle)), Lat: -30 + 1.3*(p.Lon*math.Sin(angle)+p.Lat*math.Cos(angle)),
			}
		}
		for _, place := range []func(Position) Position{func(p Position) Position { return p }, turned} {
			one, other := shape(t, a.wkt(place)), shape(t, b.wkt(place))
			other.Prepare()
			if got := one.Intersects(other, goOn); got != intersects {
				t.Fatalf("%s intersects %s: %v", a.wkt(place), b.wkt(place), got)
			}
			if got := one.Within(other, goOn); got != lies {
				t.Fatalf("%s is within %s: %v", a.wkt(place), b.wkt(place), got)
			}
		}
		if intersects {
			met++
		}
		if lies {
			inside++
		}
	}
	if met < 1000 || inside < 500 {
		t.Errorf("of the pairs only %d meet, and %d lie in each other", met, inside)
	}
}

// circle is a ring of so many corners.
func circle(lon, lat, radius float64, corners int) string {
	var b strings.Builder
	for i := range corners {
		angle := 2 * math.Pi * float64(i%corners) / float64(corners)
		fmt.Fprintf(&b, "%v %v,", lon+radius*math.Cos(angle), lat+radius*math.Sin(angle))
	}
	return b.String() + fmt.Sprintf("%v %v", lon+radius, lat)
}

// TestRelationsOfCircles: shapes with many edges, whose distances decide.
func TestRelationsOfCircles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		x, y, radius := rnd.Float64()*10, rnd.Float64()*10, 1+rnd.Float64()*8
		a, b := shape(t, "POLYGON(("+circle(0, 0, 5, 1000)+"))"), shape(t, "POLYGON(("+circle(x, y, radius, 300)+"))")
		distance := math.Hypot(x, y)
		const doubt = 0.01 // corners are on the circles, edges are not
		if gap := distance - radius - 5; math.Abs(gap) > doubt && a.Intersects(b, goOn) != (gap < 0) {
			t.Errorf("circles of 5 and %v that are %v apart: intersects is %v", radius, distance, gap >= 0)
		}
		if gap := distance + 5 - radius; math.Abs(gap) > doubt && a.Within(b, goOn) != (gap < 0) {
			t.Errorf("circles of 5 and %v that are %v apart: within is %v", radius, distance, gap >= 0)
		}
		ring := shape(t, "POLYGON(("+circle(0, 0, 5, 1000)+"),("+circle(0, 0, 4, 1000)+"))")
		if gap := distance + radius - 4; math.Abs(gap) > doubt && gap < 0 && ring.Intersects(b, goOn) {
			t.Errorf("a circle in the hole of a ring meets it")
		}
	}
}

// TestRelations: what one can see on a map.
func TestRelations(t *testing.T) {
	const (
		box    = "BBOX (0, 10, 10, 0)"
		holed  = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (2 2, 2 8, 8 8, 8 2, 2 2))"
		pacify = "BBOX (170, -170, 10, -10)"
	)
	for _, c := range []struct {
		a, b             string
		intersects, lies bool
	}{
		{"POINT (10 10)", box, true, true},
		{"POINT (10.001 10)", box, false, false},
		{"POINT (5 5)", holed, false, false},
		{"POINT (2 5)", holed, true, true},
		{"BBOX (3, 4, 4, 3)", holed, false, false},
		{"BBOX (2, 8, 8, 2)", holed, true, false},
		{holed, box, true, true},
		{box, holed, true, false},
		{holed, holed, true, true},
		{"MULTIPOINT (1 1, 20 20)", box, true, false},
		{"MULTIPOINT ((1 1), (2 2))", box, true, true},
		{"GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (2 2, 3 3))", box, true, true},
		{"LINESTRING (0 0, 10 0)", box, true, true},
		{"LINESTRING (1 1, 9 9)", holed, true, false},
		{"LINESTRING (-1 5, 11 5)", box, true, false},
		{"LINESTRING (0 0, 1 1)", "LINESTRING (2 2, 0 0)", true, true},
		{"LINESTRING (0 0, 1 1)", "LINESTRING (0 1, 1 0)", true, false},
		{"LINESTRING (0 0, 1 1, 2 0)", "MULTILINESTRING ((0 0, 1 1), (1 1, 2 0))", true, false},
		{"POINT (180 0)", pacify, true, true},
		{"POINT (-175 0)", pacify, true, true},
		{"POINT (0 0)", pacify, false, false},
		{"BBOX (175, -175, 5, -5)", pacify, true, true},
		{"POLYGON ((175 -5, -175 -5, -175 5, 175 5, 175 -5))", pacify, true, true},
		{"POINT (0 0)", "POLYGON ((175 -5, -175 -5, -175 5, 175 5, 175 -5))", false, false},
		{"POINT (0 0)", "POLYGON ((-175 -5, 175 -5, 175 5, -175 5, -175 -5))", true, true},
		{"POINT (179 0)", "POLYGON ((170 -9, -170 -9, -170 9, 170 9, 170 -9), (175 -5, 175 5, -175 5, -175 -5, 175 -5))", false, false},
		{`{"type":"polygon","orientation":"left","coordinates":[[[-175,-5],[175,-5],[175,5],[-175,5],[-175,-5]]]}`, pacify, true, true},
		{"MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)), ((2 2, 6 2, 6 6, 2 6, 2 2)))", box, true, true}, // that overlap
	} {
		a, b := shape(t, c.a), shape(t, c.b)
		if intersects, lies := a.Intersects(b, goOn), a.Within(b, goOn); intersects != c.intersects || lies != c.lies {
			t.Errorf("%s and %s: intersects is %v, within %v", c.a, c.b, intersects, lies)
		}
		if b.Intersects(a, goOn) != c.intersects {
			t.Errorf("%s intersects %s, and not the other way round", c.a, c.b)
		}
	}
}

// TestManyHoles: a polygon with so many edges that they stand in a tree.
func TestManyHoles(t *testing.T) {
	var b strings.Builder
	b.WriteString("POLYGON ((0 0, 90 0, 90 80, 0 80, 0 0)")
	for i := range 1000 {
		x, y := 1+float64(i%80), 1+float64(i/80)
		fmt.Fprintf(&b, ", (%v %v, %v %v, %v %v, %v %v)", x, y, x, y+0.5, x+0.5, y, x, y)
	}
	s := shape(t, b.String()+")")
	if !s.Within(s, goOn) || !s.Intersects(s, goOn) {
		t.Error("it is not within itself")
	}
	for i := range 1000 {
		x, y := 1+float64(i%80), 1+float64(i/80)
		if s.Has(Position{x + 0.1, y + 0.1}, near) || !s.Has(Position{x, y + 0.25}, near) || !s.Has(Position{x + 0.25, y}, near) || !s.Has(Position{x + 0.7, y + 0.7}, near) {
			t.Fatalf("the hole at %v, %v is not one", x, y)
		}
	}
}

// TestStop: shapes whose every edge comes near every other are compared no longer than they may be.
func TestStop(t *testing.T) {
	comb := func(shift float64) string {
		var b strings.Builder
		for i := range 4000 {
			fmt.Fprintf(&b, "%v %v,", float64(i%2)*50+float64(i)*1e-3+shift, float64(i%2)*50-float64(i)*1e-3)
		}
		return "LINESTRING (" + b.String() + "60 60)"
	}
	a, b := shape(t, comb(0)), shape(t, comb(0.0003))
	asked, allowed := 0, 100_000
	stop := func(work int) bool {
		asked += work
		return asked > allowed
	}
	a.Within(b, stop)
	a.Intersects(b, stop)
	if asked > allowed+10*stopEdges {
		t.Errorf("%d edges were looked at, where %d are allowed", asked, allowed)
	}
}
