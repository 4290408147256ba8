package query

import (
	"net/netip"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// RangeAggregation makes a bucket for each of some ranges of numbers, of the type range, date_range, ip_range or geo_distance.
type RangeAggregation struct {
	Kind  RangeKind
	Field string
	// Ranges are in the order in which they were given, at least one.
	Ranges []BucketRange
	Keyed  bool
	// Missing stands for the value of a document without one; nil when such documents are left out.
	Missing jsontext.Value // a text, a number or a boolean
	// Format, of dates, reads and writes bounds and reads Missing; nil stands for that of the field. Zone is that of dates that
	// name none; nil is UTC.
	Format *dates.Format
	Zone   *time.Location
	// Origin is where distances are measured from, in units of so many Metres, on a plane when Plane is set.
	Origin Point
	Metres float64
	Plane  bool
}

// RangeKind is what the values of a RangeAggregation are. It is the word of the query language.
type RangeKind string

// The kinds of ranges.
const (
	NumberRanges   RangeKind = "range"
	DateRanges     RangeKind = "date_range"
	AddressRanges  RangeKind = "ip_range"
	DistanceRanges RangeKind = "geo_distance"
)

// BucketRange is from From on and below To.
type BucketRange struct {
	// Key is empty when none is given: then it is made of the bounds.
	Key string
	// From and To are texts or numbers; nil is unbounded.
	From, To jsontext.Value
	// Mask is a network instead, of AddressRanges.
	Mask string
}

// maxRanges bounds the buckets of one RangeAggregation and one Filters, which every document is compared with.
const maxRanges = 1024

func parseRanges(_ *parser, n *node, _ *Aggregation) (any, error) {
	return newRanges(n, func(*RangeAggregation, *node) (bool, error) { return false, nil })
}

func parseDateRanges(_ *parser, n *node, _ *Aggregation) (any, error) {
	return newRanges(n, func(a *RangeAggregation, m *node) (taken bool, err error) {
		switch m.name {
		case "format":
			a.Format, err = parseDateFormat(m)
		case "time_zone":
			a.Zone, err = parseZone(m)
		default:
			return false, nil
		}
		return true, err
	})
}

func parseAddressRanges(_ *parser, n *node, _ *Aggregation) (any, error) {
	return newRanges(n, func(*RangeAggregation, *node) (bool, error) { return false, nil })
}

func parseDistanceRanges(_ *parser, n *node, _ *Aggregation) (any, error) {
	var origin *node
	ranges, err := newRanges(n, func(a *RangeAggregation, m *node) (taken bool, err error) {
		switch m.name {
		case "origin", "center", "point", "por":
			origin, err = m, m.setPoint(&a.Origin, bottomLeft)
		case "unit":
			a.Metres, err = m.unit()
		case "distance_type":
			var word string
			err = m.setWord(&word, "arc", "plane")
			a.Plane = word == "plane"
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && origin == nil {
		return nil, n.fail("expected an origin")
	}
	return ranges, err
}

// newRanges reads what all ranges have; option reads the rest.
func newRanges(n *node, option func(a *RangeAggregation, m *node) (taken bool, err error)) (*RangeAggregation, error) {
	a := &RangeAggregation{Kind: RangeKind(n.name), Metres: 1}
	for _, m := range n.children {
		taken, err := option(a, m)
		if !taken {
			err = a.option(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(a.Ranges) == 0 {
		return nil, n.fail("expected ranges")
	}
	return a, n.wantField(a.Field)
}

func (a *RangeAggregation) option(m *node) error {
	switch {
	case m.name == "field":
		return m.setText(&a.Field)
	case m.name == "ranges":
		return a.setRanges(m)
	case m.name == "keyed":
		return m.setBool(&a.Keyed)
	case m.name == "missing" && a.Kind != DistanceRanges:
		return m.setValue(&a.Missing)
	}
	return refuseOption(m)
}

func (a *RangeAggregation) setRanges(n *node) error {
	if n.kind() != '[' {
		return n.fail("expected a list of ranges")
	}
	if len(n.children) > maxRanges {
		return n.fail("more than %d ranges", maxRanges)
	}
	a.Ranges = make([]BucketRange, len(n.children))
	for i, m := range n.children {
		if err := a.setRange(&a.Ranges[i], m); err != nil {
			return err
		}
	}
	return nil
}

func (a *RangeAggregation) setRange(r *BucketRange, n *node) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	for _, m := range n.children {
		var err error
		switch {
		case m.name == "key":
			err = m.setScalarText(&r.Key)
		case m.name == "from":
			err = a.setBound(&r.From, m)
		case m.name == "to":
			err = a.setBound(&r.To, m)
		case m.name == "mask" && a.Kind == AddressRanges:
			err = m.setText(&r.Mask)
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return err
		}
	}
	if r.Mask != "" && (r.From != nil || r.To != nil) {
		return n.fail("expected either a mask or bounds")
	}
	return a.checkAddresses(r, n)
}

func (a *RangeAggregation) setBound(to *jsontext.Value, m *node) error {
	if m.kind() == 'n' {
		return nil
	}
	if !m.is(`"0`) {
		return m.fail("expected a text or a number")
	}
	*to = m.raw
	return nil
}

// checkAddresses looks at the bounds of ranges of addresses, which no field has to explain.
func (a *RangeAggregation) checkAddresses(r *BucketRange, n *node) error {
	if a.Kind != AddressRanges {
		return nil
	}
	if r.Mask != "" {
		if _, err := netip.ParsePrefix(r.Mask); err != nil {
			return n.fail("%q is not a network such as \"10.0.0.0/8\"", r.Mask)
		}
	}
	if r.Mask == "" && r.From == nil && r.To == nil {
		return n.fail("expected from, to or mask")
	}
	for _, bound := range []jsontext.Value{r.From, r.To} {
		if bound == nil {
			continue
		}
		if _, err := netip.ParseAddr(Text(bound)); err != nil {
			return n.fail("%q is not an IP address", Text(bound))
		}
	}
	return nil
}

// Missing makes one bucket of the documents without a value in a field.
type Missing struct {
	Field string
	// Missing stands for a value, so that none is missing; nil when absent.
	Missing jsontext.Value
}

func parseMissing(_ *parser, n *node, _ *Aggregation) (any, error) {
	a := &Missing{}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&a.Field)
		case "missing":
			err = m.setValue(&a.Missing)
		default:
			err = refuseOption(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return a, n.wantField(a.Field)
}
