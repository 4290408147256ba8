package aggregation

import "github.com/sluicehq/sluice/core/storage/query"

// count computes value_count.
type count struct {
	of     *query.Metric
	limits *limits
	list   []int64 // by owner

	// Of the segment that is open.
	column  column
	missing *value
}

func (c *count) open(t *target) error {
	var err error
	if c.column, err = openColumn(t, c.of.Field, string(c.of.Kind)); err != nil {
		return err
	}
	c.missing, err = c.column.missingValue(c.of.Missing, t.now)
	return err
}

func (c *count) collect(docs, owners []uint32) {
	if c.column.empty && c.missing == nil {
		return
	}
	var ok bool
	if c.list, ok = reach(c.list, owners, 0, 8, c.limits); !ok {
		return
	}
	for i, doc := range docs {
		if c.column.valued(doc) {
			from, to := c.column.span(doc)
			c.list[owners[i]] += int64(to - from)
		} else if c.missing != nil {
			c.list[owners[i]]++
		}
	}
}

// value implements valued.
func (c *count) value(owner uint32, _ string) float64 { return float64(c.get(owner)) }

func (c *count) get(owner uint32) int64 {
	if int64(owner) < int64(len(c.list)) {
		return c.list[owner]
	}
	return 0
}

func (c *count) write(w *writer, owner uint32) {
	w.name("value")
	w.whole(c.get(owner))
}
