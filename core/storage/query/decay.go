package query

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// Decay is a score that falls from 1 the farther the value of a field is away from Origin: at the distance of Offset and Scale it is
// At. What the values mean depends on the type of the field: Numbers, Dates and Places read them.
type Decay struct {
	Kind                  string // gauss, exp or linear
	Field                 string
	Origin, Scale, Offset jsontext.Value // Origin and Offset are nil when the query does not say
	At                    float64        // greater than 0 and less than 1
	// Mode is which distance counts of a document with several values: min, max, avg or sum.
	Mode string

	from *node
}

// Reach is how far values may be away.
type Reach struct{ Scale, Offset float64 }

var decays = []string{"gauss", "exp", "linear"}

func parseDecay(n *node) (*Decay, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	d := &Decay{Kind: n.name, At: 0.5, Mode: "min"}
	for _, m := range n.children {
		var err error
		switch {
		case m.name == "multi_value_mode":
			err = m.setWord(&d.Mode, "min", "max", "avg", "sum")
		case d.from != nil:
			err = n.fail("expected one field only, found %q and %q", d.Field, m.name)
		default:
			d.Field, d.from = m.name, m
			err = d.set(m)
		}
		if err != nil {
			return nil, err
		}
	}
	if d.Scale == nil {
		return nil, n.fail("expected a field with a scale")
	}
	return d, nil
}

func (d *Decay) set(n *node) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	for _, m := range n.children {
		switch m.name {
		case "origin":
			d.Origin = m.raw
		case "scale":
			d.Scale = m.raw
		case "offset":
			d.Offset = m.raw
		case "decay":
			if err := m.setFloat(&d.At); err != nil {
				return err
			}
			if d.At <= 0 || d.At >= 1 {
				return m.fail("expected a number between 0 and 1")
			}
		default:
			return m.unknownOption()
		}
	}
	return nil
}

// Numbers reads the values as numbers.
func (d *Decay) Numbers() (origin float64, r Reach, err error) {
	if d.Origin == nil {
		return 0, r, d.from.fail("expected an origin")
	}
	if err = d.from.get("origin").setFloat(&origin); err == nil {
		r, err = d.reach(func(m *node) (f float64, err error) {
			err = m.setFloat(&f)
			return f, err
		})
	}
	return origin, r, err
}

// Dates reads the values as a date, by default now, and durations. All are milliseconds.
func (d *Decay) Dates(now time.Time, format *dates.Format) (origin float64, r Reach, err error) {
	origin = float64(now.UnixMilli())
	if d.Origin != nil {
		from, _, err := DatesOf(d.Field, d.Origin, now, format)
		if err != nil {
			return 0, r, err
		}
		origin = float64(from)
	}
	r, err = d.reach(func(m *node) (float64, error) {
		t, ok := parseDuration(strings.ToLower(Text(m.raw)))
		if !ok {
			return 0, m.fail("expected a duration such as \"10d\"")
		}
		return float64(t) / float64(time.Millisecond), nil
	})
	return origin, r, err
}

// Places reads the values as a point and distances in metres.
func (d *Decay) Places() (origin Point, r Reach, err error) {
	if d.Origin == nil {
		return origin, r, d.from.fail("expected an origin")
	}
	if err = d.from.get("origin").setPoint(&origin, bottomLeft); err != nil {
		return origin, r, err
	}
	r, err = d.reach(func(m *node) (f float64, err error) {
		if m.setFloat(&f) == nil && f == 0 { // which is no distance elsewhere
			return 0, nil
		}
		err = m.setDistance(&f, 1)
		return f, err
	})
	return origin, r, err
}

// reach reads the distances by read.
func (d *Decay) reach(read func(*node) (float64, error)) (r Reach, err error) {
	scale, offset := d.from.get("scale"), d.from.get("offset")
	if r.Scale, err = read(scale); err == nil && r.Scale <= 0 {
		err = scale.fail("expected more than 0")
	}
	if offset == nil || err != nil {
		return r, err
	}
	if r.Offset, err = read(offset); err == nil && r.Offset < 0 {
		err = offset.fail("must not be negative")
	}
	return r, err
}
