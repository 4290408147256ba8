package query

import "github.com/go-json-experiment/json/jsontext"

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
}

// Bound is one end of a range. Without a Value there is no end.
type Bound struct {
	Value     jsontext.Value // a text, a number or a boolean
	Inclusive bool
}

func parseRange(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &Range{Common: plain}
	var f *node
	for _, m := range n.children {
		if m.kind() != '{' {
			if err := q.other(m); err != nil {
				return nil, err
			}
			continue
		}
		if f != nil {
			return nil, n.fail("expected one field only, found %q and %q", f.name, m.name)
		}
		f = m
	}
	if f == nil {
		return nil, n.fail("expected one field, found nothing")
	}
	q.Field = f.name
	lower, upper := false, false
	for _, m := range f.children {
		var err error
		switch m.name {
		case "gt", "gte":
			err = q.Lower.set(m, m.name == "gte", &lower)
		case "lt", "lte":
			err = q.Upper.set(m, m.name == "lte", &upper)
		case "format":
			err = q.setFormat(m)
		case "time_zone":
			err = q.setZone(m)
		case "relation": // of ranges in documents, which are not supported; a point within a range intersects it
			err = m.setWord(new(string), "intersects", "within", "contains")
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

func (q *Range) setFormat(m *node) error { return m.setText(&q.Format) }

func (q *Range) setZone(m *node) error { return m.setText(&q.TimeZone) }
