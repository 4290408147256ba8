package koncorde

// pathIndex holds the conjunctions that are filed under a condition on one path.
type pathIndex struct {
	entries  int
	equals   map[scalar]*bag
	holds    map[scalar]*bag
	patterns patternIndex
	spans    spanTree
	inside   grid
	// outside, elements and present are tried one by one when the document has a point, an array, or anything there.
	outside, elements, present bag
}

func (x *pathIndex) file(e *entry) {
	x.entries++
	switch t := e.access.tester.(type) {
	case equals:
		addTo(&x.equals, t.want, e)
	case holds:
		addTo(&x.holds, t.want, e)
	case pattern:
		x.patterns.add(e, t)
	case span:
		x.spans.add(t, e)
	case place:
		if t.outside {
			x.outside.add(e)
		} else {
			x.inside.add(t.shape, e)
		}
	case element:
		x.elements.add(e)
	default:
		x.present.add(e)
	}
}

func (x *pathIndex) unfile(e *entry) {
	x.entries--
	switch t := e.access.tester.(type) {
	case equals:
		removeFrom(x.equals, t.want, e)
	case holds:
		removeFrom(x.holds, t.want, e)
	case pattern:
		x.patterns.remove(e)
	case span:
		x.spans.remove(t, e)
	case place:
		if t.outside {
			x.outside.remove(e)
		} else {
			x.inside.remove(t.shape, e)
		}
	case element:
		x.elements.remove(e)
	default:
		x.present.remove(e)
	}
}

func addTo(bags *map[scalar]*bag, key scalar, e *entry) {
	if *bags == nil {
		*bags = map[scalar]*bag{}
	}
	if (*bags)[key] == nil {
		(*bags)[key] = &bag{}
	}
	(*bags)[key].add(e)
}

func removeFrom(bags map[scalar]*bag, key scalar, e *entry) {
	b := bags[key]
	if b.remove(e); len(*b) == 0 {
		delete(bags, key)
	}
}

// baseCost is how little a condition tells about a document before anything is filed under it: how many conjunctions
// filed under an equals are as good as one under this.
func baseCost(c *condition) int {
	switch t := c.tester.(type) {
	case equals, holds:
		return 0
	case span:
		return 16
	case place:
		if t.outside {
			return 128
		}
		return 8
	case pattern:
		return 32
	case element:
		return 64
	}
	return 256
}

// crowd estimates how many conjunctions would be checked together with one filed under c.
func (x *pathIndex) crowd(c *condition) int {
	switch t := c.tester.(type) {
	case equals:
		return size(x.equals[t.want])
	case holds:
		return size(x.holds[t.want])
	case span:
		return x.spans.size / 4
	case place:
		if t.outside {
			return len(x.outside)
		}
		return x.inside.size / 16
	case pattern:
		return x.patterns.crowd(t)
	case element:
		return len(x.elements)
	}
	return len(x.present)
}

func size(b *bag) int {
	if b == nil {
		return 0
	}
	return len(*b)
}

// lookUp checks all entries that may match a document which has v under the path.
func (x *pathIndex) lookUp(v *value, m *matching) {
	m.check(x.present)
	switch v.kind {
	case '[':
		x.lookUpItems(v, m)
	case '{':
	default:
		if b := x.equals[v.scalar()]; b != nil {
			m.check(*b)
		}
	}
	switch v.kind {
	case '0':
		x.spans.lookUp(v.number(), m.check)
	case '"':
		x.patterns.lookUp(v, m)
	}
	if x.inside.size+len(x.outside) > 0 {
		x.lookUpPlace(v, m)
	}
}

func (x *pathIndex) lookUpItems(v *value, m *matching) {
	for _, e := range x.elements {
		if m.isTrue(e.access, v) {
			m.checkOne(e)
		}
	}
	if len(x.holds) == 0 {
		return
	}
	done := map[scalar]bool{}
	for i := range v.items {
		item := &v.items[i]
		if !item.isScalar() || done[item.scalar()] {
			continue
		}
		if b := x.holds[item.scalar()]; b != nil {
			done[item.scalar()] = true
			m.check(*b)
		}
	}
}

func (x *pathIndex) lookUpPlace(v *value, m *matching) {
	p, ok := parsePoint(v)
	if !ok {
		return
	}
	x.inside.lookUp(p, func(b bag) {
		for _, e := range b {
			if e.access.tester.(place).holds(p, &m.budget) {
				m.checkOne(e)
			}
		}
	})
	for _, e := range x.outside {
		if e.access.tester.(place).holds(p, &m.budget) {
			m.checkOne(e)
		}
	}
}
