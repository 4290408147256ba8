package mapping

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/core/storage/query"
)

// maxTerm is the most bytes of a keyword that is indexed, as in Lucene.
const maxTerm = 32766

// maxPoint is the most bytes that a point is looked for in.
const maxPoint = 1024

var (
	errObject  = errors.New("expected a single value, found an object or an array")
	errBoolean = errors.New("expected true or false")
	errDate    = errors.New("not a date of the format of the field")
	errIP      = errors.New("not an IP address")
	errPoint   = errors.New("not a point")
	errEarth   = errors.New("the point is not on earth")
	errTerm    = errors.New("a keyword of more than 32766 bytes cannot be indexed")
)

// convert reads raw, which is one value and not null, into v. It reports false when the field passes the value over. Texts
// refer to raw or to the memory of r.
func (f *Field) convert(v *Value, raw jsontext.Value, r *reader) (bool, error) {
	switch {
	case f.Type == GeoPoint:
		return f.point(v, raw)
	case f.Type == GeoShape:
		return true, f.shape(v, raw, r)
	case f.Type.Range():
		return true, f.span(v, raw, r)
	}
	plain := []byte(raw)
	switch raw[0] {
	case '"':
		plain = r.unquote(raw)
	case '{', '[':
		return false, errObject
	}
	switch f.Type {
	case Keyword, Flattened:
		return f.keyword(v, plain, &r.out.budget)
	case Text:
		v.Text = plain
		return true, nil
	case Boolean:
		return true, v.boolean(raw)
	case Date:
		t, err := f.format.Parse(string(plain), nil)
		if err != nil {
			return false, errDate
		}
		v.Int = t.UnixMilli()
		return true, nil
	case IP:
		return true, v.ip(plain, r)
	case UnsignedLong:
		return f.unsigned(v, raw, plain)
	default:
		return f.number(v, raw, plain)
	}
}

func (f *Field) keyword(v *Value, plain []byte, b *analysis.Budget) (bool, error) {
	if len(plain) > f.IgnoreAbove && units(plain) > f.IgnoreAbove {
		return false, nil
	}
	if len(plain) > maxTerm && (f.Index || f.DocValues) {
		return false, errTerm
	}
	v.Text = f.Normalize(b, plain)
	return true, nil
}

// units is the length of a text in UTF-16.
func units(text []byte) int {
	n := 0
	for _, c := range text {
		switch {
		case c >= 0xf0: // the first of four bytes, two units
			n += 2
		case c < 0x80 || c >= 0xc0:
			n++
		}
	}
	return n
}

// boolean takes an empty text for false, as Elasticsearch does.
func (v *Value) boolean(raw jsontext.Value) error {
	switch string(raw) {
	case `true`, `"true"`:
		v.Int = 1
	case `false`, `"false"`, `""`:
		v.Int = 0
	default:
		return errBoolean
	}
	return nil
}

// ip passes the zone of an address over, as Elasticsearch does.
func (v *Value) ip(plain []byte, r *reader) error {
	address, err := netip.ParseAddr(string(plain))
	if err != nil {
		return errIP
	}
	bytes := address.As16()
	from := len(r.arena)
	r.arena = append(r.arena, bytes[:]...)
	v.Text = r.arena[from:len(r.arena):len(r.arena)]
	return nil
}

func (f *Field) point(v *Value, raw jsontext.Value) (bool, error) {
	if len(raw) > maxPoint {
		return false, errPoint
	}
	p, ok := plainPoint(raw)
	if !ok {
		var err error
		if p, err = query.ParsePoint(raw); err != nil {
			return false, errPoint
		}
	}
	if !p.InRange() {
		return false, errEarth
	}
	v.Point = p
	return true, nil
}

// plainPoint reads {"lat":<number>,"lon":<number>} without blanks, the usual form, and no other.
func plainPoint(raw []byte) (p query.Point, ok bool) {
	inner, ok := bytes.CutPrefix(raw, []byte(`{"lat":`))
	if !ok {
		return p, false
	}
	lat, lon, ok := bytes.Cut(bytes.TrimSuffix(inner, []byte{'}'}), []byte(`,"lon":`))
	if !ok {
		return p, false
	}
	for _, part := range []struct {
		text []byte
		to   *float64
	}{{lat, &p.Lat}, {lon, &p.Lon}} {
		if len(bytes.Trim(part.text, "0123456789.-+eE")) > 0 {
			return p, false
		}
		f, err := strconv.ParseFloat(string(part.text), 64)
		if err != nil {
			return p, false
		}
		*part.to = f
	}
	return p, true
}

// writeNull gives the JSON of the value that null stands for, which v holds too.
func (f *Field) writeNull(v *Value) string {
	switch {
	case f.Type == GeoPoint:
		lat, lon := strconv.FormatFloat(v.Point.Lat, 'g', -1, 64), strconv.FormatFloat(v.Point.Lon, 'g', -1, 64)
		return `{"lat":` + lat + `,"lon":` + lon + `}`
	case f.Type == Boolean:
		return strconv.FormatBool(v.Int == 1)
	case f.Type.Whole():
		return strconv.FormatInt(v.Int, 10)
	case f.Type == UnsignedLong:
		return strconv.FormatUint(Unshift(v.Int), 10)
	case f.Type == Double || f.Type == ScaledFloat:
		return strconv.FormatFloat(v.Float, 'g', -1, 64)
	case f.Type.Floating():
		return strconv.FormatFloat(v.Float, 'g', -1, 32)
	case f.NullValue[0] != '"':
		return quoteOr(f.NullValue)
	}
	return f.NullValue
}
