package aggregation

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
)

// addressRanges are ranges of IP addresses, which are texts of 16 bytes.
type addressRanges struct {
	of    *query.RangeAggregation
	list  []addressRange
	spans *spans[string]

	// Of the segment that is open.
	column  column
	missing *value
}

// addressRange is one range; from is empty and to beyond every address where there is no bound.
type addressRange struct{ key, from, to string }

// beyond is after every address.
var beyond = strings.Repeat("\xff", 17)

func newAddressRanges(of *query.RangeAggregation) *addressRanges {
	a := &addressRanges{of: of, list: make([]addressRange, len(of.Ranges))}
	for i, r := range of.Ranges {
		a.list[i] = newAddressRange(r)
	}
	slices.SortStableFunc(a.list, func(a, b addressRange) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	from, to := make([]string, len(a.list)), make([]string, len(a.list))
	for i, r := range a.list {
		from[i], to[i] = r.from, r.to
	}
	a.spans = newSpans(from, to)
	return a
}

// newAddressRange reads a range whose texts the parser of queries has checked.
func newAddressRange(r query.BucketRange) addressRange {
	x := addressRange{key: r.Key, to: beyond}
	if r.Mask == "" {
		if r.From != nil {
			x.from = bytesOf(r.From)
		}
		if r.To != nil {
			x.to = bytesOf(r.To)
		}
		x.key = cmp.Or(x.key, addressText(x.from)+"-"+addressText(x.to))
		return x
	}
	x.key = cmp.Or(x.key, r.Mask)
	network, _ := netip.ParsePrefix(r.Mask) // it was read before
	first := network.Masked().Addr().As16()
	bits := network.Bits()
	if network.Addr().Is4() {
		bits += 96
	}
	x.from = string(first[:])
	if x.from == strings.Repeat("\x00", 16) {
		x.from = ""
	}
	if next, ok := after(first, bits); ok {
		x.to = string(next[:])
	}
	return x
}

// after is the first address behind a network, false when there is none.
func after(a [16]byte, bits int) (next [16]byte, ok bool) {
	for bit := bits - 1; bit >= 0; bit-- {
		mask := byte(1) << (7 - bit%8)
		if a[bit/8]&mask == 0 {
			a[bit/8] |= mask
			return a, true
		}
		a[bit/8] &^= mask
	}
	return a, false
}

func bytesOf(raw jsontext.Value) string {
	addr, _ := netip.ParseAddr(query.Text(raw)) // it was read before
	b := addr.As16()
	return string(b[:])
}

// addressText writes a bound.
func addressText(b string) string {
	addr, ok := netip.AddrFromSlice([]byte(b))
	if !ok {
		return "*"
	}
	return addr.Unmap().String()
}

func (a *addressRanges) open(t *target) error {
	var err error
	if a.column, err = openColumn(t, a.of.Field, string(a.of.Kind)); err != nil {
		return err
	}
	a.missing = nil
	if a.of.Missing != nil {
		a.missing, err = parseAddress(a.of.Missing)
	}
	return err
}

func (a *addressRanges) collect(docs []uint32, l *limits, hit func(i, number int)) {
	clear(a.spans.taken)
	for i, doc := range docs {
		if !a.column.has(doc) {
			if a.missing != nil {
				a.spans.each(i, string(a.missing.text), func(number int) { hit(i, number) })
			}
			continue
		}
		from, to := a.column.span(doc)
		if l.spend(int(to - from)) {
			return
		}
		for ; from < to; from++ {
			a.spans.each(i, string(a.column.terms.Term(a.column.ords[from])), func(number int) { hit(i, number) })
		}
	}
}

func (a *addressRanges) name(number int) string { return a.list[number].key }

func (a *addressRanges) bounds(w *writer, number int) {
	if r := a.list[number]; r.from != "" {
		w.name("from")
		w.text(addressText(r.from))
	}
	if r := a.list[number]; r.to != beyond {
		w.name("to")
		w.text(addressText(r.to))
	}
}
