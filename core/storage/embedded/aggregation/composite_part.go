package aggregation

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// compositePart gives the values of one source as bytes, which are in the order of the values: a mark, then eight bytes of a
// number, or a text with its end. All bytes are turned over when the order is descending.
type compositePart struct {
	source *query.CompositeSource
	limits *limits
	format format
	dates  *dateScale // nil without intervals of dates
	kind   kind       // of the values; unmapped as long as none are known

	column column // of the segment that is open
}

// The marks before a value.
const (
	nullFirst byte = iota
	some
	nullLast
)

func newCompositePart(of *query.CompositeSource, l *limits) *compositePart {
	p := &compositePart{source: of, limits: l}
	if of.Rounding != nil {
		p.dates = newDateScale(&query.DateHistogram{Rounding: *of.Rounding})
	}
	return p
}

// what is the name of the aggregation whose values these are.
func (p *compositePart) what() string {
	if p.dates != nil || p.source.Interval > 0 {
		return "histogram"
	}
	return "composite"
}

func (p *compositePart) open(t *target) error {
	var err error
	if p.column, err = openColumn(t, p.source.Field, p.what()); err != nil || p.column.field == nil {
		return err
	}
	next := p.column.kind
	if p.source.Interval > 0 {
		next = floating
	}
	if p.kind != unmapped && p.kind != next {
		return refuse("the field [%s] of the source [%s] has different types in the collections", p.source.Field, p.source.Name)
	}
	p.kind = next
	switch f := formatOf(p.column.field); {
	case p.source.Format != nil:
		p.format = format{date: p.source.Format, zone: p.source.Zone()}
	case p.dates == nil && f.boolean:
		p.format = f
	}
	return nil
}

// of appends the values of a document.
func (p *compositePart) of(doc uint32, list [][]byte) [][]byte {
	c := &p.column
	if !c.valued(doc) {
		if p.source.Missing {
			list = append(list, p.null())
		}
		return list
	}
	for from, to := c.span(doc); from < to; from++ {
		switch c.kind {
		case text, address:
			list = append(list, p.text(c.terms.Term(c.ords[from])))
		case whole:
			list = append(list, p.number(p.rounded(c.ints[from])))
		case natural:
			list = append(list, p.number(mapping.Unshift(c.ints[from])))
		default:
			list = append(list, p.float(c.floats[from]))
		}
	}
	return list
}

// rounded gives a whole number the bits that are in its order.
func (p *compositePart) rounded(n int64) uint64 {
	switch {
	case p.dates != nil:
		n = p.dates.floor(n)
	case p.source.Interval > 0:
		return p.bits(float64(n))
	}
	return uint64(n) ^ 1<<63 //nolint:gosec // the bits count
}

func (p *compositePart) float(x float64) []byte {
	if p.dates != nil {
		return p.number(p.rounded(toWhole(x)))
	}
	return p.number(p.bits(x))
}

// bits gives a number the bits that are in its order.
func (p *compositePart) bits(x float64) uint64 {
	if p.source.Interval > 0 {
		key := math.Floor(x/p.source.Interval)*p.source.Interval + 0
		p.limits.canHold(key, x, p.source.Interval, 0)
		x = key
	}
	b := math.Float64bits(x)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

func (p *compositePart) number(bits uint64) []byte {
	return p.turned(binary.BigEndian.AppendUint64([]byte{some}, bits))
}

// text ends with two zeros; one inside is followed by 0xff.
func (p *compositePart) text(b []byte) []byte {
	piece := append([]byte{some}, bytes.ReplaceAll(b, []byte{0}, []byte{0, 0xff})...)
	return p.turned(append(piece, 0, 0))
}

// null comes first in ascending order and last in descending order, unless the source says otherwise.
func (p *compositePart) null() []byte {
	switch p.source.MissingOrder {
	case "first":
		return []byte{p.mark(nullFirst)}
	case "last":
		return []byte{p.mark(nullLast)}
	}
	return p.turned([]byte{nullFirst})
}

// mark gives a mark that comes first or last whatever the order.
func (p *compositePart) mark(m byte) byte {
	if p.source.Desc && m == nullLast {
		return ^nullFirst
	}
	return m
}

func (p *compositePart) turned(piece []byte) []byte {
	if p.source.Desc {
		for i := range piece {
			piece[i] = ^piece[i]
		}
	}
	return piece
}

// read gives the bytes of a value that a request names.
func (p *compositePart) read(raw jsontext.Value, now time.Time) ([]byte, error) {
	if raw.Kind() == 'n' {
		return p.null(), nil
	}
	switch {
	case p.kind == text || p.kind == unmapped:
		return p.text([]byte(plain(raw))), nil
	case p.kind == address:
		v, err := parseAddress(raw)
		if err != nil {
			return nil, err
		}
		return p.text(v.text), nil
	case p.format.date != nil:
		at, err := p.format.date.Math(query.Text(raw), now, false, p.format.zone)
		if err != nil {
			return nil, refuse("failed to parse date field [%s] with format [%s]", query.Text(raw), p.format.date)
		}
		return p.number(uint64(at.UnixMilli()) ^ 1<<63), nil
	}
	return p.readNumber(raw, now)
}

func (p *compositePart) readNumber(raw jsontext.Value, now time.Time) ([]byte, error) {
	if p.kind == natural {
		v, err := naturalValue(raw)
		if err != nil {
			return nil, err
		}
		return p.number(mapping.Unshift(v.whole)), nil
	}
	v, err := numberValue(raw, p.column.field, now)
	if err != nil {
		return nil, err
	}
	if p.kind == whole {
		if v.kind == floating {
			return nil, refuse("For input string: %q", plain(raw))
		}
		return p.number(uint64(v.whole) ^ 1<<63), nil //nolint:gosec // the bits count
	}
	return p.number(p.bits(v.number())), nil
}

// write writes the value that stands before rest, and gives rest.
func (p *compositePart) write(w *writer, piece []byte) (rest []byte) {
	turn := byte(0)
	if p.source.Desc {
		turn = 0xff
	}
	if piece[0]^turn != some {
		w.null()
		return piece[1:]
	}
	if p.kind == text || p.kind == address {
		b, rest := unescaped(piece[1:], turn)
		p.writeText(w, b)
		return rest
	}
	bits := binary.BigEndian.Uint64(piece[1:9])
	if turn != 0 {
		bits = ^bits
	}
	p.writeNumber(w, bits)
	return piece[9:]
}

// unescaped reads a text up to its end.
func unescaped(piece []byte, turn byte) (b, rest []byte) {
	for i := 0; ; i++ {
		x := piece[i] ^ turn
		if x == 0 {
			if piece[i+1]^turn == 0 {
				return b, piece[i+2:]
			}
			i++
		}
		b = append(b, x)
	}
}

func (p *compositePart) writeText(w *writer, b []byte) {
	if p.kind == address {
		a, _ := netip.AddrFromSlice(b) // it has 16 bytes
		w.text(a.Unmap().String())
		return
	}
	w.text(string(b))
}

func (p *compositePart) writeNumber(w *writer, bits uint64) {
	n := int64(bits ^ 1<<63) //nolint:gosec // the bits count
	switch {
	case p.kind == natural:
		w.natural(bits)
	case p.kind == floating && p.dates == nil:
		if bits>>63 == 1 {
			bits &^= 1 << 63
		} else {
			bits = ^bits
		}
		w.floating(math.Float64frombits(bits))
	case p.format.boolean:
		w.raw([]byte(p.format.textOf(n)))
	case p.format.date != nil:
		w.text(p.format.textOf(n))
	default:
		w.whole(n)
	}
}
