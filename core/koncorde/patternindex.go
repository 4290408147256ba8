package koncorde

// patternIndex holds what is filed under regular expressions. Most of them can only be found where some text is: they are
// filed under three bytes of it, and tried when a document has those. The zero value is empty.
type patternIndex struct {
	// all are the expressions, each of them once, by the key of their condition.
	all map[string]*patternBag
	// byGram are those that need a gram, loose those that need none.
	byGram map[gram]patternBags
	loose  patternBags
}

// patternBag holds what is filed under one regular expression, which is tried once for all.
type patternBag struct {
	pattern pattern
	// needed is the gram that it is filed under, if its pattern needs any.
	needed gram
	// index is where it lies among those that need the same gram, or none.
	index int
	bag
}

type patternBags []*patternBag

// fewPatterns are sooner tried than looked up.
const fewPatterns = 8

func (x *patternIndex) add(e *entry, p pattern) {
	b := x.all[e.access.key]
	if b == nil {
		b = &patternBag{pattern: p}
		if x.all == nil {
			x.all, x.byGram = map[string]*patternBag{}, map[gram]patternBags{}
		}
		x.all[e.access.key] = b
		if len(p.grams) == 0 {
			x.loose = x.loose.with(b)
		} else {
			b.needed = x.rarest(p)
			x.byGram[b.needed] = x.byGram[b.needed].with(b)
		}
	}
	b.add(e)
}

func (x *patternIndex) remove(e *entry) {
	b := x.all[e.access.key]
	if b.remove(e); len(b.bag) > 0 {
		return
	}
	delete(x.all, e.access.key)
	if len(b.pattern.grams) == 0 {
		x.loose = x.loose.without(b)
	} else if x.byGram[b.needed] = x.byGram[b.needed].without(b); len(x.byGram[b.needed]) == 0 {
		delete(x.byGram, b.needed)
	}
}

func (l patternBags) with(b *patternBag) patternBags {
	b.index = len(l)
	return append(l, b)
}

// without takes b away; the last takes its place.
func (l patternBags) without(b *patternBag) patternBags {
	last := len(l) - 1
	l[last].index = b.index
	l[b.index], l[last] = l[last], nil
	return l[:last]
}

// rarest is the gram of p under which fewest are filed.
func (x *patternIndex) rarest(p pattern) gram {
	best := p.grams[0]
	for _, g := range p.grams[1:] {
		if len(x.byGram[g]) < len(x.byGram[best]) {
			best = g
		}
	}
	return best
}

// crowd estimates how many expressions would be tried together with p.
func (x *patternIndex) crowd(p pattern) int {
	if len(p.grams) == 0 {
		return len(x.loose)
	}
	return len(x.byGram[x.rarest(p)])
}

// lookUp checks what is filed under the expressions that are found in v, a string.
func (x *patternIndex) lookUp(v *value, m *matching) {
	if len(v.text) > maxSearchedBytes {
		return
	}
	if len(x.all) <= fewPatterns {
		for _, b := range x.all {
			b.try(v, m)
		}
		return
	}
	for _, b := range x.loose {
		b.try(v, m)
	}
	var has gramSet
	var g gram
	for i := range len(v.text) {
		if g = g.next(v.text[i]); i >= 2 {
			has.add(g)
		}
	}
	var tried map[gram]bool
	for i := range len(v.text) {
		if g = g.next(v.text[i]); i < 2 || len(x.byGram[g]) == 0 || tried[g] {
			continue
		}
		if tried == nil {
			tried = map[gram]bool{}
		}
		tried[g] = true
		for _, b := range x.byGram[g] {
			if has.all(b.pattern.grams) {
				b.try(v, m)
			}
		}
	}
}

func (b *patternBag) try(v *value, m *matching) {
	if b.pattern.test(v, &m.budget) {
		m.check(b.bag)
	}
}

// gramSet are the grams of a text, and at times some more: each is one bit that others share.
type gramSet [64]uint64

func (s *gramSet) add(g gram) {
	word, bit := g.place()
	s[word] |= bit
}

func (s *gramSet) all(grams []gram) bool {
	for _, g := range grams {
		if word, bit := g.place(); s[word]&bit == 0 {
			return false
		}
	}
	return true
}

func (g gram) place() (word int, bit uint64) {
	h := scramble(uint64(g))
	return int(h >> 58), 1 << (h & 63)
}
