package mapping

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errSpan      = errors.New("expected an object with the ends of a range: gt or gte, lt or lte")
	errNetwork   = errors.New("not a network such as 10.0.0.0/8")
	errBackwards = errors.New("the range ends before it begins")
)

// AppendWhole adds a whole number or a date so that the order of the bytes is that of the numbers. A value of a range type is
// its first and its last number one after the other; of IPRange the 16 bytes of its first and its last address.
func AppendWhole(dst []byte, n int64) []byte { return binary.BigEndian.AppendUint64(dst, Unshift(n)) }

// AppendFloating is AppendWhole for a floating-point number.
func AppendFloating(dst []byte, x float64) []byte {
	bits := int64(math.Float64bits(x + 0)) //nolint:gosec // the bits as they are; there is one zero only
	if bits < 0 {
		bits ^= math.MaxInt64
	}
	return AppendWhole(dst, bits)
}

// Element is the type of the values in a range.
func (t Type) Element() Type {
	switch t {
	case IntegerRange:
		return Integer
	case LongRange:
		return Long
	case FloatRange:
		return Float
	case DateRange:
		return Date
	case IPRange:
		return IP
	default:
		return Double
	}
}

// span reads a range into v.
func (f *Field) span(v *Value, raw jsontext.Value, r *reader) error {
	if f.Type == IPRange && raw[0] == '"' {
		return v.network(r.unquote(raw), r)
	}
	list, err := members(raw)
	if err != nil {
		return errSpan
	}
	ends := f.widest()
	for _, m := range list {
		side, above := 0, m.name == "gt"
		switch m.name {
		case "gt", "gte":
		case "lt", "lte":
			side = 1
		default:
			return errSpan
		}
		if m.raw.Kind() == 'n' {
			continue
		}
		if err := f.end(&ends[side], m.raw, r); err != nil {
			return err
		}
		if above {
			ends[side].next(f.Type)
		} else if m.name == "lt" {
			ends[side].previous(f.Type)
		}
	}
	from := len(r.arena)
	for i := range ends {
		r.arena = ends[i].append(r.arena, f.Type)
	}
	v.Text = r.arena[from:len(r.arena):len(r.arena)]
	if half := len(v.Text) / 2; string(v.Text[:half]) > string(v.Text[half:]) {
		return errBackwards
	}
	return nil
}

// rangeEnd is an end of a range. The member for the type counts.
type rangeEnd struct {
	whole    int64
	floating float64
	address  netip.Addr
}

// widest gives the ends of a range that has none.
func (f *Field) widest() [2]rangeEnd {
	var first, last [16]byte
	for i := range last {
		last[i] = 0xff
	}
	ends := [2]rangeEnd{
		{math.MinInt64, math.Inf(-1), netip.AddrFrom16(first)}, {math.MaxInt64, math.Inf(1), netip.AddrFrom16(last)},
	}
	if f.Type == IntegerRange {
		ends[0].whole, ends[1].whole = math.MinInt32, math.MaxInt32
	}
	return ends
}

// end reads an end.
func (f *Field) end(e *rangeEnd, raw jsontext.Value, r *reader) error {
	var v Value
	element := Field{Type: f.Type.Element(), Options: f.Options, format: f.format}
	if f.Type == DateRange {
		s := string(raw)
		if raw.Kind() == '"' {
			s = string(r.unquote(raw))
		}
		if strings.HasPrefix(s, "now") {
			return errDate
		}
		t, err := f.format.Math(s, time.Time{}, false, nil)
		if err != nil {
			return errDate
		}
		e.whole = t.UnixMilli()
		return nil
	}
	ok, err := element.convert(&v, raw, r)
	switch {
	case err != nil:
		return err
	case !ok:
		return nil
	}
	e.whole, e.floating = v.Int, v.Float
	if f.Type == IPRange {
		e.address, _ = netip.AddrFromSlice(v.Text)
	}
	return nil
}

// next moves an end to the value behind it; the last value stays.
func (e *rangeEnd) next(t Type) {
	if e.whole < math.MaxInt64 {
		e.whole++
	}
	e.floating = beside(e.floating, math.Inf(1), t)
	if a := e.address.Next(); a.IsValid() {
		e.address = a
	}
}

// previous moves an end to the value before it; the first value stays.
func (e *rangeEnd) previous(t Type) {
	if e.whole > math.MinInt64 {
		e.whole--
	}
	e.floating = beside(e.floating, math.Inf(-1), t)
	if a := e.address.Prev(); a.IsValid() {
		e.address = a
	}
}

// beside is the number next to x in the precision of a range.
func beside(x, toward float64, t Type) float64 {
	if t == FloatRange {
		return float64(math.Nextafter32(float32(x), float32(toward)))
	}
	return math.Nextafter(x, toward)
}

func (e *rangeEnd) append(dst []byte, t Type) []byte {
	switch t {
	case IPRange:
		address := e.address.As16()
		return append(dst, address[:]...)
	case FloatRange, DoubleRange:
		return AppendFloating(dst, e.floating)
	default:
		return AppendWhole(dst, e.whole)
	}
}

// network reads a network as the range of its addresses.
func (v *Value) network(plain []byte, r *reader) error {
	first, last, err := Network(string(plain))
	if err != nil {
		return errNetwork
	}
	from := len(r.arena)
	r.arena = append(append(r.arena, first...), last...)
	v.Text = r.arena[from:len(r.arena):len(r.arena)]
	return nil
}

// Network gives the first and the last address of a network such as 10.0.0.0/8, in 16 bytes each.
func Network(text string) (first, last []byte, err error) {
	address, bits, ok := strings.Cut(text, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil || !ok {
		return nil, nil, errIP
	}
	length, err := strconv.Atoi(bits)
	if err != nil || length < 0 || length > ip.BitLen() {
		return nil, nil, errors.New("illegal prefix length: it must be 0-32 for IPv4 ranges, 0-128 for IPv6 ranges")
	}
	if ip.Is4() {
		length += 96
	}
	sixteen := ip.As16()
	first, last = bytes.Clone(sixteen[:]), bytes.Clone(sixteen[:])
	for bit := length; bit < 128; bit++ {
		mask := byte(1) << (7 - bit%8)
		first[bit/8] &^= mask
		last[bit/8] |= mask
	}
	return first, last, nil
}
