package search

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// collapsed is the field by which a search collapses, in one target.
type collapsed struct {
	name  string
	field *mapping.Field
}

func (t *target) collapsed(q *query.Collapse) (*collapsed, error) {
	f := t.Mapping.Resolve(q.Field)
	switch {
	case f == nil || f.Type == mapping.Object || f.Type == mapping.Nested:
		return nil, refuse("no mapping found for `%s` in order to collapse on", q.Field)
	case f.Type != mapping.Keyword && f.Type != mapping.UnsignedLong && !f.Type.Whole() && (!f.Type.Floating() || f.Type == mapping.ScaledFloat):
		return nil, refuse("collapse is not supported for the field [%s] of the type [%s]", q.Field, f.Type)
	case !f.DocValues:
		return nil, refuse("cannot collapse on field `%s` without `doc_values`", q.Field)
	case len(q.InnerHits) > 0 && !f.Index:
		return nil, refuse("cannot expand `inner_hits` for collapse field `%s`, only indexed field can retrieve `inner_hits`", q.Field)
	}
	return &collapsed{q.Field, f}, nil
}

// group is the value that documents share, comparable over all views. The zero value is that of documents without one.
type group struct {
	some   bool
	number int64 // of a number; of a float its ordered bits
	text   string
}

// json gives the value as Elasticsearch answers it, nil when there is none.
func (c *collapsed) json(g group) jsontext.Value {
	switch {
	case !g.some:
		return nil
	case c.field.Type == mapping.Keyword:
		return quote(g.text)
	case c.field.Type == mapping.UnsignedLong:
		return strconv.AppendUint(nil, mapping.Unshift(g.number), 10)
	case c.field.Type.Floating():
		return strconv.AppendFloat(nil, fromOrderedBits(g.number), 'g', -1, 64)
	}
	return strconv.AppendInt(nil, g.number, 10)
}

// groups are those of the documents in a collector, of one view.
type groups struct {
	name  string
	field *segment.Field // nil when no document has a value
	// slots has the slot of the best document of each group, places where in the heap the one with a slot is, and members the
	// group of a slot.
	slots   map[member]int32
	places  []int
	members []member
}

// member is a group by a number that means something in one view only.
type member struct {
	some   bool
	number int64
}

func (c *collapsed) open(v *view) (*groups, error) {
	g := &groups{name: c.name, slots: map[member]int32{}}
	if c.field.Nested != "" { // documents have no such value, only what is nested in them
		return g, nil
	}
	var err error
	g.field, err = v.field(c.field)
	return g, err
}

// of gives the group of a document.
func (g *groups) of(doc uint32) (member, error) {
	if g.field == nil || !g.field.Present.Contains(doc) {
		return member{}, nil
	}
	switch {
	case g.field.Ords != nil:
		list := g.field.Ords.Of(doc)
		return member{true, int64(list[0])}, g.checkOne(len(list))
	case g.field.Ints != nil:
		list := g.field.Ints.Of(doc)
		return member{true, list[0]}, g.checkOne(len(list))
	case g.field.Floats != nil:
		list := g.field.Floats.Of(doc)
		return member{true, orderedBits(list[0])}, g.checkOne(len(list))
	}
	return member{}, nil
}

// checkOne refuses a document that belongs to several groups.
func (g *groups) checkOne(values int) error {
	if values == 1 {
		return nil
	}
	return refuse("collapse: a document has several values in the field [%s], and belongs to one group only", g.name)
}

// global gives a group as all views know it.
func (g *groups) global(m member) group {
	if m.some && g.field.Ords != nil {
		return group{some: true, text: string(g.field.Terms.Term(uint32(m.number)))} //nolint:gosec // an ordinal
	}
	return group{some: m.some, number: m.number}
}

// moved notes where in the heap an entry is now.
func (g *groups) moved(e entry, place int) { g.places[e.slot] = place }

// offerGrouped is offer when only the best document of each group is kept.
func (c *collector) offerGrouped(e entry) {
	numbers := c.read(e)
	full := len(c.heap) == c.most
	if c.floor.values != nil && !c.passes(e, numbers) || full && c.order(e, numbers, c.heap[0]) > 0 {
		return
	}
	m, err := c.groups.of(e.doc)
	if err != nil {
		c.err = err
		return
	}
	slot, known := c.groups.slots[m]
	switch {
	case known:
		c.improve(e, numbers, c.groups.places[slot])
	case full:
		c.groups.replace(c.heap[0].slot, m)
		c.put(e, numbers, 0)
	default:
		e.slot = int32(len(c.heap)) //nolint:gosec // at most the window of a search
		c.groups.add(m)
		c.rest = append(c.rest, numbers[1:]...)
		c.heap = append(c.heap, e)
		c.rise(len(c.heap) - 1)
	}
}

// improve takes a document in place of another of its group when it is better.
func (c *collector) improve(e entry, numbers []int64, place int) {
	if c.order(e, numbers, c.heap[place]) < 0 {
		c.put(e, numbers, place)
	}
}

// put takes a document in place of one that is worse.
func (c *collector) put(e entry, numbers []int64, place int) {
	e.slot = c.heap[place].slot
	copy(c.rest[int(e.slot)*(len(c.readers)-1):], numbers[1:])
	c.heap[place] = e
	c.sink(place)
}

// add takes a group into the next slot, at the end of the heap.
func (g *groups) add(m member) {
	g.slots[m] = int32(len(g.members)) //nolint:gosec // at most the window of a search
	g.places = append(g.places, len(g.members))
	g.members = append(g.members, m)
}

// replace gives the slot of a group to another one.
func (g *groups) replace(slot int32, m member) {
	delete(g.slots, g.members[slot])
	g.slots[m], g.members[slot] = slot, m
}

// mergeGroups is merge when only the best document of each group is kept.
func (r *ranking) mergeGroups(c *collector, entries []entry, v segment.View, target, number int) error {
	best, seen := r.best, make(map[group]bool, len(r.best)+len(entries))
	merged := make([]found, 0, min(r.most, len(best)+len(entries)))
	take := func(f found) {
		if len(merged) < r.most && !seen[f.group] {
			seen[f.group] = true
			merged = append(merged, f)
		}
	}
	for _, e := range entries {
		values, err := c.values(e)
		if err != nil {
			return err
		}
		for len(best) > 0 && r.order(best[0].values, values) <= 0 {
			take(best[0])
			best = best[1:]
		}
		if len(merged) == r.most {
			break
		}
		f := found{target: target, view: number, doc: e.doc, score: e.score, values: values}
		f.group = c.groups.global(c.groups.members[e.slot])
		if v.Lock != nil {
			if err := f.name(v.Segment); err != nil {
				return err
			}
		}
		take(f)
	}
	for _, f := range best {
		take(f)
	}
	r.best = merged
	return nil
}
