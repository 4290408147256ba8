package query

import (
	"math"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/dates"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Range matches documents with a value in the field between the bounds. Its score is the boost.
//
// On a field of dates the bounds are texts as Format, or else the format of the field, says, or date math such as
// "now-1d/d". Dates resolves them.
type Range struct {
	Common
	Field        string
	Lower, Upper Bound
	// Format is the format of the bounds on a field of dates, empty for the format of the field.
	Format string
	// TimeZone is the zone of the bounds on a field of dates that name none, empty for UTC.
	TimeZone string
	// Relation is how a range in a document lies to this one. It matters on fields of ranges only.
	Relation Relation
}

// Relation is how one range, or one shape, lies to another.
type Relation uint8

// The relations. Disjoint is one of shapes only.
const (
	Intersects Relation = iota
	Within
	Contains
	Disjoint
)

// setRelation takes the name of one of some relations.
func (n *node) setRelation(to *Relation, names ...string) error {
	var word string
	if err := n.setWord(&word, names...); err != nil {
		return err
	}
	*to = map[string]Relation{"intersects": Intersects, "within": Within, "contains": Contains, "disjoint": Disjoint}[word]
	return nil
}

// Bound is one end of a range. Without a Value there is no end.
type Bound struct {
	Value     jsontext.Value // a text, a number or a boolean
	Inclusive bool
}

func parseRange(n *node) (Query, error) {
	f, err := n.only("one field")
	if err != nil {
		return nil, err
	}
	if err := f.wantObject(); err != nil {
		return nil, err
	}
	q := &Range{Common: plain, Field: f.name}
	lower, upper := false, false
	for _, m := range f.children {
		switch m.name {
		case "gt", "gte":
			err = q.Lower.set(m, m.name == "gte", &lower)
		case "lt", "lte":
			err = q.Upper.set(m, m.name == "lte", &upper)
		case "format":
			err = q.setFormat(m)
		case "time_zone":
			err = m.setZone(&q.TimeZone)
		case "relation":
			err = m.setRelation(&q.Relation, "intersects", "within", "contains")
		default:
			err = q.other(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (b *Bound) set(m *node, inclusive bool, seen *bool) error {
	if *seen {
		return m.fail("the range has two bounds on this side")
	}
	*seen = true
	if m.kind() == 'n' {
		return nil
	}
	b.Inclusive = inclusive
	return m.setValue(&b.Value)
}

// setFormat takes a format that exists.
func (q *Range) setFormat(m *node) error {
	if err := m.setText(&q.Format); err != nil {
		return err
	}
	if _, err := dates.Compile(q.Format); err != nil {
		return m.fail("%v", err)
	}
	return nil
}

// Dates resolves the bounds on a field of dates with the given format: the first and the last millisecond since 1970 that
// are in the range, math.MinInt64 and math.MaxInt64 where it is open. from is greater than to when nothing is in it. A
// bound that is no date is services.storage.unexpected_bad_request.
//
// Dates that leave something out are rounded as in Elasticsearch: with lte and gt 2024-05-06 is the end of that day, with
// gte and lt its start.
func (q *Range) Dates(now time.Time, format *dates.Format) (from, to int64, err error) {
	var zone *time.Location
	if q.Format != "" {
		format, err = dates.Compile(q.Format)
	}
	if err == nil && q.TimeZone != "" {
		zone, err = dates.Zone(q.TimeZone)
	}
	if err != nil {
		return 0, 0, refuseDate(q.Field, err)
	}
	from, to = math.MinInt64, math.MaxInt64
	if q.Lower.Value != nil {
		t, err := format.Math(Text(q.Lower.Value), now, !q.Lower.Inclusive, zone)
		if err != nil {
			return 0, 0, refuseDate(q.Field, err)
		}
		if from = t.UnixMilli(); !q.Lower.Inclusive {
			from++
		}
	}
	if q.Upper.Value != nil {
		t, err := format.Math(Text(q.Upper.Value), now, q.Upper.Inclusive, zone)
		if err != nil {
			return 0, 0, refuseDate(q.Field, err)
		}
		if to = t.UnixMilli(); !q.Upper.Inclusive {
			to--
		}
	}
	return from, to, nil
}

// DatesOf is what one value, such as that of a Term, stands for on a field of dates: 2024-05-06 is that whole day. Results
// and errors are those of Range.Dates.
func DatesOf(field string, value jsontext.Value, now time.Time, format *dates.Format) (from, to int64, err error) {
	same := Bound{Value: value, Inclusive: true}
	return (&Range{Field: field, Lower: same, Upper: same}).Dates(now, format)
}

func refuseDate(field string, err error) error {
	return kerror.ServicesStorageUnexpectedBadRequest.Wrap(err, field+": "+err.Error())
}
