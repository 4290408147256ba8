package search

import (
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// found is a document among the best so far.
type found struct {
	target, view int
	doc          uint32
	score        float32
	values       []value
	id           string
	position     uint64
	group        group // of a search that collapses
	// named says that id and position are known; those of a segment that nobody writes to are read when all views are done.
	named bool
}

// ranking keeps the best documents of all views.
type ranking struct {
	keys []*key // of any target: they compare the same
	most int
	best []found
}

// full tells the first value of the worst document when there are as many as wanted.
func (r *ranking) full() (value, bool) {
	if len(r.best) < r.most || r.most == 0 {
		return value{}, false
	}
	return r.best[len(r.best)-1].values[0], true
}

// merge takes the best of a view, which comes after those before. They are in order.
func (r *ranking) merge(c *collector, v segment.View, target, number int) error {
	entries, err := c.sorted()
	if err != nil {
		return err
	}
	if c.groups != nil {
		return r.mergeGroups(c, entries, v, target, number)
	}
	merged := make([]found, 0, min(r.most, len(r.best)+len(entries)))
	old := r.best
	for len(merged) < r.most && len(old)+len(entries) > 0 {
		if len(entries) == 0 {
			merged, old = append(merged, old[0]), old[1:]
			continue
		}
		e := entries[0]
		values, err := c.values(e)
		if err != nil {
			return err
		}
		for len(merged) < r.most && len(old) > 0 && r.order(old[0].values, values) <= 0 {
			merged, old = append(merged, old[0]), old[1:]
		}
		if len(merged) == r.most {
			break
		}
		f := found{target: target, view: number, doc: e.doc, score: e.score, values: values}
		if v.Lock != nil {
			if err := f.name(v.Segment); err != nil {
				return err
			}
		}
		merged, entries = append(merged, f), entries[1:]
	}
	r.best = merged
	return nil
}

func (r *ranking) order(a, b []value) int {
	for i, k := range r.keys {
		if order := k.compare(a[i], b[i]); order != 0 {
			return order
		}
	}
	return 0
}

// name reads the id and the position of the document.
func (f *found) name(s segment.Segment) error {
	var err error
	if f.id, err = s.ID(f.doc); err != nil {
		return err
	}
	f.position, err = s.Position(f.doc)
	f.named = true
	return err
}
