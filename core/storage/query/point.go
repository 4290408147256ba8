package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Point is a place on earth in degrees.
type Point struct {
	Lat, Lon float64
}

// corner is the place in the cell of a geohash that stands for it.
type corner uint8

const (
	bottomLeft corner = iota
	bottomRight
	topLeft
	topRight
)

// ParsePoint reads a point of a document or of a query: {"lat", "lon"}, "lat,lon", [lon, lat], a geohash, "POINT (lon lat)"
// or a GeoJSON point. Numbers may be texts; a third coordinate, the height, is passed over. It does not check whether the
// point is on earth: InRange does.
func ParsePoint(raw jsontext.Value) (Point, error) {
	n, err := read(raw, "")
	if err != nil {
		return Point{}, err
	}
	return n.point(bottomLeft)
}

// InRange reports whether the latitude is within 90 degrees and the longitude within 180.
func (p Point) InRange() bool { return math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 }

// setPoint takes a point that is in range.
func (n *node) setPoint(to *Point, c corner) error {
	p, err := n.point(c)
	if err != nil {
		return err
	}
	*to = p
	return n.checkPoint(p)
}

func (n *node) checkPoint(p Point) error {
	if !p.InRange() {
		return n.fail("the point %v, %v is not on earth", p.Lat, p.Lon)
	}
	return nil
}

func (n *node) point(c corner) (Point, error) {
	switch n.kind() {
	case '{':
		return n.pointObject()
	case '[':
		return n.pointArray()
	case '"':
		return n.pointText(c)
	}
	return Point{}, n.fail("expected a point")
}

func (n *node) pointObject() (Point, error) {
	if t := n.get("type"); t != nil {
		coordinates := n.get("coordinates")
		if len(n.children) != 2 || coordinates == nil || !strings.EqualFold(Text(t.raw), "point") || coordinates.kind() != '[' {
			return Point{}, n.fail("expected a GeoJSON point")
		}
		return coordinates.pointArray()
	}
	if g := n.get("geohash"); g != nil && len(n.children) == 1 && g.kind() == '"' {
		return g.pointText(bottomLeft)
	}
	lat, lon := n.get("lat"), n.get("lon")
	if lat == nil || lon == nil || len(n.children) != 2 {
		return Point{}, n.fail("expected lat and lon")
	}
	var p Point
	if err := lat.setFloat(&p.Lat); err != nil {
		return p, err
	}
	return p, lon.setFloat(&p.Lon)
}

// pointArray reads [lon, lat] and [lon, lat, height].
func (n *node) pointArray() (Point, error) {
	if len(n.children) != 2 && len(n.children) != 3 {
		return Point{}, n.fail("expected [lon, lat]")
	}
	var p Point
	var height float64
	for i, to := range []*float64{&p.Lon, &p.Lat, &height}[:len(n.children)] {
		if err := n.children[i].setFloat(to); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (n *node) pointText(c corner) (Point, error) {
	text := strings.TrimSpace(Text(n.raw))
	if len(text) >= 5 && strings.EqualFold(text[:5], "point") {
		numbers, ok := wkt(n, "POINT", " ")
		if !ok || len(numbers) != 2 && len(numbers) != 3 {
			return Point{}, n.fail("expected a text such as \"POINT (2.35 48.85)\"")
		}
		return Point{Lat: numbers[1], Lon: numbers[0]}, nil
	}
	if strings.Contains(text, ",") {
		numbers, ok := parseNumbers(text, ",")
		if !ok || len(numbers) != 2 && len(numbers) != 3 {
			return Point{}, n.fail("expected \"lat,lon\"")
		}
		return Point{Lat: numbers[0], Lon: numbers[1]}, nil
	}
	p, ok := geohash(text, c)
	if !ok {
		return Point{}, n.fail("%q is neither \"lat,lon\" nor a geohash", text)
	}
	return p, nil
}

// wkt reads the numbers of a text such as "POINT (1 2)".
func wkt(n *node, word, separator string) ([]float64, bool) {
	if n.kind() != '"' {
		return nil, false
	}
	text := strings.TrimSpace(Text(n.raw))
	if len(text) < len(word) || !strings.EqualFold(text[:len(word)], word) {
		return nil, false
	}
	inner, ok := strings.CutPrefix(strings.TrimSpace(text[len(word):]), "(")
	if !ok {
		return nil, false
	}
	if inner, ok = strings.CutSuffix(inner, ")"); !ok {
		return nil, false
	}
	return parseNumbers(inner, separator)
}

// parseNumbers reads up to four numbers.
func parseNumbers(text, separator string) ([]float64, bool) {
	parts := strings.SplitN(strings.TrimSpace(text), separator, 5)
	var numbers []float64
	for _, part := range parts {
		if part = strings.TrimSpace(part); part == "" && separator == " " {
			continue
		}
		f, err := strconv.ParseFloat(part, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false
		}
		numbers = append(numbers, f)
	}
	return numbers, true
}

const geohashDigits = "0123456789bcdefghjkmnpqrstuvwxyz"

// maxGeohash is how long geohashes are at most.
const maxGeohash = 12

// geohash gives a corner of the cell that a geohash of 1 to 12 characters names.
func geohash(text string, c corner) (Point, bool) {
	if text == "" || len(text) > maxGeohash {
		return Point{}, false
	}
	south, north, west, east := -90.0, 90.0, -180.0, 180.0
	even := true
	for i := range len(text) {
		digit := strings.IndexByte(geohashDigits, text[i])
		if digit < 0 {
			return Point{}, false
		}
		for bit := 4; bit >= 0; bit-- {
			low, high := &south, &north
			if even {
				low, high = &west, &east
			}
			middle := (*low + *high) / 2
			if digit>>bit&1 == 1 {
				*low = middle
			} else {
				*high = middle
			}
			even = !even
		}
	}
	p := Point{Lat: south, Lon: west}
	if c == topLeft || c == topRight {
		p.Lat = north
	}
	if c == bottomRight || c == topRight {
		p.Lon = east
	}
	return p, true
}

// Geohash gives the number of the cell of a point that a geohash of some characters names: five bits for each.
func (p Point) Geohash(length int) uint64 {
	south, north, west, east := -90.0, 90.0, -180.0, 180.0
	cell := uint64(0)
	for i := range 5 * length {
		low, high, x := &west, &east, p.Lon
		if i%2 == 1 {
			low, high, x = &south, &north, p.Lat
		}
		cell <<= 1
		if middle := (*low + *high) / 2; x >= middle {
			*low = middle
			cell |= 1
		} else {
			*high = middle
		}
	}
	return cell
}

// GeohashText writes the number of a cell as a geohash of some characters.
func GeohashText(cell uint64, length int) string {
	text := make([]byte, length)
	for i := length - 1; i >= 0; i-- {
		text[i] = geohashDigits[cell&31]
		cell >>= 5
	}
	return string(text)
}

// GeohashBox gives the edges of a cell.
func GeohashBox(cell uint64, length int) (south, north, west, east float64) {
	text := GeohashText(cell, length)
	low, _ := geohash(text, bottomLeft) // it was written above
	high, _ := geohash(text, topRight)
	return low.Lat, high.Lat, low.Lon, high.Lon
}

// units are the words for units of length, in metres. A word stands before the words that it ends with.
var units = []struct {
	word   string
	metres float64
}{
	{"nauticalmiles", 1852},
	{"millimeters", 0.001},
	{"centimeters", 0.01},
	{"kilometers", 1000},
	{"miles", 1609.344},
	{"meters", 1},
	{"yards", 0.9144},
	{"inch", 0.0254},
	{"feet", 0.3048},
	{"nmi", 1852},
	{"NM", 1852},
	{"mm", 0.001},
	{"cm", 0.01},
	{"km", 1000},
	{"mi", 1609.344},
	{"yd", 0.9144},
	{"in", 0.0254},
	{"ft", 0.3048},
	{"m", 1},
}

// unit reads the word for a unit, and gives it in metres.
func (n *node) unit() (float64, error) {
	var text string
	if err := n.setText(&text); err != nil {
		return 0, err
	}
	for _, u := range units {
		if text == u.word {
			return u.metres, nil
		}
	}
	return 0, n.fail("%q is not a unit of length", text)
}

// setDistance reads a distance such as 12, "12" or "12km"; unit counts where none is given.
func (n *node) setDistance(metres *float64, unit float64) error {
	if !n.is(`"0`) {
		return n.fail("expected a distance such as \"12km\"")
	}
	d, err := parseDistance(Text(n.raw), unit)
	if err != nil {
		return n.fail("%v", err)
	}
	*metres = d
	return nil
}

func parseDistance(text string, unit float64) (float64, error) {
	number := strings.TrimSpace(text)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.word); ok {
			number, unit = strings.TrimSpace(rest), u.metres
			break
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f*unit, 0) {
		return 0, fmt.Errorf("%q is not a distance such as \"12km\"", text)
	}
	if f <= 0 {
		return 0, fmt.Errorf("the distance %q is not greater than 0", text)
	}
	return f * unit, nil
}
