package mapping

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

func parse(t testing.TB, raw string) *Mapping {
	t.Helper()
	m, err := Parse(jsontext.Value(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return m
}

// field makes a mapping with the field a.
func field(t testing.TB, definition string) *Mapping {
	t.Helper()
	return parse(t, `{"properties":{"a":`+definition+`}}`)
}

// show gives the values of a document, such as "a=5 n.x@1=7".
func show(m *Mapping, doc string) (string, *Mapping, error) {
	var d Document
	err := m.Fields(jsontext.Value(doc), &d)
	if err != nil {
		return "", nil, err
	}
	var list []string
	for _, v := range d.Values {
		text := v.Field.Path
		if v.Group > 0 {
			text += fmt.Sprintf("@%d", v.Group)
		}
		list = append(list, text+"="+v.show())
	}
	return strings.Join(list, " "), d.Grown, nil
}

func (v *Value) show() string {
	switch t := v.Field.Type; {
	case t == Keyword || t == Text || t == Completion || t == Flattened && v.Field.Name != "_keyed":
		return string(v.Text)
	case t == Flattened:
		return strconv.Quote(string(v.Text))
	case t == UnsignedLong:
		return strconv.FormatUint(Unshift(v.Int), 10)
	case t.Range():
		half := len(v.Text) / 2
		return showEnd(t, v.Text[:half]) + ".." + showEnd(t, v.Text[half:])
	case t == IP:
		return fmt.Sprintf("%x", v.Text)
	case t == GeoPoint:
		return fmt.Sprintf("%g,%g", v.Point.Lat, v.Point.Lon)
	case t.Floating():
		return fmt.Sprint(v.Float)
	}
	return fmt.Sprint(v.Int)
}

// showEnd gives the end of a range.
func showEnd(t Type, end []byte) string {
	switch t {
	case IPRange:
		a, _ := netip.AddrFromSlice(end)
		return a.Unmap().String()
	case FloatRange, DoubleRange:
		bits := int64(binary.BigEndian.Uint64(end) ^ 1<<63)
		if bits < 0 {
			bits ^= math.MaxInt64
		}
		return fmt.Sprint(math.Float64frombits(uint64(bits)))
	}
	return fmt.Sprint(int64(binary.BigEndian.Uint64(end) ^ 1<<63))
}

// is fails the test unless err has the id, the props and the part of the message.
func is(t *testing.T, err error, def *kerror.Def, props ...string) {
	t.Helper()
	var e *kerror.Error
	if !errors.Is(err, def) || !errors.As(err, &e) {
		t.Fatalf("got %v, want %v", err, def)
	}
	for i, want := range props {
		if i >= len(e.Props) || !strings.Contains(e.Props[i], want) {
			t.Fatalf("props %q, want %q", e.Props, props)
		}
	}
}
