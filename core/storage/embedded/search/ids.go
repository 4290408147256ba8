package search

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// ids matches documents by their ids, and nested documents by that of the document they stand in.
type ids struct {
	space string
	// positions are those of the documents whose place is known; wanted has the ids that must be looked for.
	positions []uint64
	wanted    map[string]bool
}

func (c compiler) ids(list []string) (clause, error) {
	if err := c.charge(len(list), valueBytes); err != nil {
		return nil, err
	}
	found := &ids{space: c.space, wanted: make(map[string]bool, len(list))}
	for _, id := range list {
		found.wanted[id] = true
	}
	if c.Find != nil {
		for id := range found.wanted {
			if err := c.ctx.Err(); err != nil {
				return nil, err
			}
			if found.place(c.target, id) {
				delete(found.wanted, id)
			}
		}
	}
	return c.steady(found), nil
}

// place asks for the position of a document. It reports false when the views may have it at another one.
func (c *ids) place(t *target, id string) bool {
	position, ok := t.Find(id)
	if !ok {
		return true
	}
	for _, v := range t.Views {
		if holds(v, position) {
			c.positions = append(c.positions, position)
			return true
		}
	}
	return false
}

func holds(v segment.View, position uint64) bool {
	if v.Lock != nil {
		v.Lock.Lock()
		defer v.Lock.Unlock()
	}
	doc, ok, err := v.Segment.At(position)
	return err == nil && ok && v.Live.Has(doc)
}

func (c *ids) matches(v *view) (set, error) {
	found := roaring.New()
	for _, position := range c.positions {
		doc, ok, err := v.Segment.At(position)
		if err != nil {
			return nil, err
		}
		if ok {
			found.Add(doc)
		}
	}
	if len(c.wanted) > 0 {
		for doc := range v.n {
			id, err := v.Segment.ID(doc)
			if err != nil {
				return nil, err
			}
			if doc%batchDocs == 0 && v.ctx.Err() != nil {
				return nil, v.ctx.Err()
			}
			if c.wanted[id] {
				found.Add(doc)
			}
		}
	}
	if c.space == segment.Root {
		return docs{found}, nil
	}
	return c.inside(v, found)
}

// inside gives the nested documents that stand in documents of the root.
func (c *ids) inside(v *view, roots *roaring.Bitmap) (set, error) {
	chain, err := v.parents(c.space, segment.Root)
	if err != nil {
		return nil, err
	}
	n, err := v.space(c.space)
	if err != nil {
		return nil, err
	}
	d := newDense(n)
	for doc := range n {
		if err := v.stop(1); err != nil {
			return nil, err
		}
		if roots.Contains(up(chain, doc)) {
			d.add(doc)
		}
	}
	return docs{d.bitmap()}, nil
}
