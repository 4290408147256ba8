package koncorde

import (
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// point is a place on earth in degrees, latitude from -90 to 90, longitude from -180 to 180.
type point struct{ lat, lon float64 }

// parsePoint reads a point in any of the formats: [lat, lon], 'lat, lon', a geohash of four characters or more,
// {lat, lon}, and each of these wrapped in {latLon} or {lat_lon}. Numbers may be text.
func parsePoint(v *value) (point, bool) {
	if v.kind == '{' {
		for _, name := range [...]string{"latLon", "lat_lon"} {
			if inner := v.member(name); inner != nil {
				return barePoint(inner)
			}
		}
	}
	return barePoint(v)
}

func barePoint(v *value) (point, bool) {
	switch v.kind {
	case '[':
		if len(v.items) == 2 {
			return numericPoint(&v.items[0], &v.items[1])
		}
	case '{':
		return numericPoint(v.member("lat"), v.member("lon"))
	case '"':
		lat, lon, pair := strings.Cut(v.text, ",")
		if !pair {
			return decodeGeohash(v.text)
		}
		return numericPoint(&value{kind: '"', text: lat}, &value{kind: '"', text: lon})
	}
	return point{}, false
}

func numericPoint(lat, lon *value) (point, bool) {
	la, ok1 := parseDegrees(lat, 90)
	lo, ok2 := parseDegrees(lon, 180)
	return point{la, lo}, ok1 && ok2
}

// parseDegrees reads a number, or a text that is one, of at most limit in size.
func parseDegrees(v *value, limit float64) (float64, bool) {
	if v == nil {
		return 0, false
	}
	f, ok := v.num, v.kind == '0'
	if v.kind == '"' {
		f, ok = parseDecimalText(strings.TrimSpace(v.text))
	}
	if !ok || math.Abs(f) > limit {
		return 0, false
	}
	return f + 0, true // -0 becomes 0
}

// parseDecimalText reads a decimal number; unlike strconv it knows no hexadecimal, no underscores and no infinity.
func parseDecimalText(s string) (float64, bool) {
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

const geohashAlphabet = "0123456789bcdefghjkmnpqrstuvwxyz"

// decodeGeohash gives the centre of the cell that a geohash names.
func decodeGeohash(s string) (point, bool) {
	const shortest = 4
	if len(s) < shortest {
		return point{}, false
	}
	lat, lon := [2]float64{-90, 90}, [2]float64{-180, 180}
	even := true
	for i := range len(s) {
		bits := strings.IndexByte(geohashAlphabet, s[i])
		if bits < 0 {
			return point{}, false
		}
		for mask := 16; mask > 0; mask >>= 1 {
			half := &lat
			if even {
				half = &lon
			}
			if middle := (half[0] + half[1]) / 2; bits&mask != 0 {
				half[0] = middle
			} else {
				half[1] = middle
			}
			even = !even
		}
	}
	return point{(lat[0] + lat[1]) / 2, (lon[0] + lon[1]) / 2}, true
}

// earthRadius is the mean radius in metres, the one that search engines use too.
const earthRadius = 6371008.7714

// distance gives the metres between two points along a great circle (haversine).
func (p point) distance(q point) float64 {
	lat1, lat2 := radians(p.lat), radians(q.lat)
	a := math.Sin((lat2 - lat1) / 2)
	b := math.Sin(radians(q.lon-p.lon) / 2)
	h := a*a + math.Cos(lat1)*math.Cos(lat2)*b*b
	return 2 * earthRadius * math.Asin(math.Min(1, math.Sqrt(h)))
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

func degrees(radians float64) float64 { return radians * 180 / math.Pi }

func (p point) append(dst []byte) []byte {
	dst = append(appendFloat(dst, p.lat), ',')
	return appendFloat(dst, p.lon)
}

// IsPoint reports whether a JSON value is a point in one of the formats that geo conditions understand.
func IsPoint(raw jsontext.Value) bool {
	const deepest = 2 // an array or an object, perhaps wrapped
	v, _, err := readTree(raw, deepest)
	if err != nil {
		return false
	}
	_, ok := parsePoint(&v)
	return ok
}
