package koncorde

import "sync"

// Matcher finds those of many filters that match a document. Its cost grows with how many filters have something in common
// with the document, not with how many there are. What nothing better is known of is tried one by one: filters (or
// alternatives of them) that hold only negations, which match most documents anyway, with each; shapes that a point must be
// outside of, selects that ask for no fixed value, and regular expressions that need no three characters in a row, with each
// document that has a point, an array or a string there. What one match may spend is bounded, see [Matcher.AppendMatch].
//
// Each conjunction of a filter is filed under one of its conditions, the one that fewest conjunctions share, in an index
// for the kind of that condition; a document looks up its own values there, and what it finds is checked in full.
//
// Any number of goroutines may match; Add and Remove wait for them, which is no longer than a match may take. Both take about as long as
// the filter has conjunctions. The zero value is not usable.
type Matcher struct {
	mu    sync.RWMutex
	rooms map[string]*room
	// byPath is the root of a tree of the segments of paths.
	byPath *pathNode
	// always are the conjunctions that are tried with every document.
	always bag
	// slots number the rooms, so that a match can note in an array which it has seen; free are those to use again.
	slots int
	free  []int

	// limits are what a match may spend.
	limits budget
	runs   sync.Pool // of *matching
}

// room is a filter under its id.
type room struct {
	id      string
	slot    int
	entries []*entry
	// repeats says that a document may find it more than once.
	repeats bool
}

// entry is one conjunction of a filter.
type entry struct {
	room *room
	// access is the condition that it is filed under; nil when it is always tried.
	access *condition
	// term is the whole conjunction, rest what has to be checked when access is known to hold.
	term, rest []literal
	// spots are where it is filed: one, or a few for a shape.
	spots []spot
}

// NewMatcher makes an empty one.
func NewMatcher() *Matcher {
	return &Matcher{
		rooms: map[string]*room{}, byPath: &pathNode{},
		limits: budget{comparisons: matchComparisons, steps: matchSteps},
		runs:   sync.Pool{New: func() any { return new(matching) }},
	}
}

// Add files a filter under a room id. It reports false, and changes nothing, when the id is there already.
func (m *Matcher) Add(id string, n *Normal) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rooms[id] != nil {
		return false
	}
	r := &room{id: id, slot: m.takeSlotLocked(), repeats: len(n.terms) > 1}
	for _, term := range n.terms {
		e := m.newEntryLocked(r, term)
		r.entries = append(r.entries, e)
		r.repeats = r.repeats || e.isFiledTwice()
		m.fileLocked(e)
	}
	m.rooms[id] = r
	return true
}

// Remove takes a filter away; it reports whether there was one.
func (m *Matcher) Remove(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[id]
	if r == nil {
		return false
	}
	for _, e := range r.entries {
		m.unfileLocked(e)
	}
	m.free = append(m.free, r.slot)
	delete(m.rooms, id)
	return true
}

func (m *Matcher) takeSlotLocked() int {
	if last := len(m.free) - 1; last >= 0 {
		slot := m.free[last]
		m.free = m.free[:last]
		return slot
	}
	m.slots++
	return m.slots - 1
}

// newEntryLocked chooses what a conjunction is filed under.
func (m *Matcher) newEntryLocked(r *room, term []literal) *entry {
	e := &entry{room: r, term: term, rest: term}
	best := 0
	for i, l := range term {
		for _, access := range accessesOf(l) {
			cost := 0
			if index := m.byPath.index(access.path); index != nil {
				cost = index.crowd(access)
			}
			if cost += baseCost(access); e.access != nil && cost >= best {
				continue
			}
			best, e.access, e.rest = cost, access, term
			if access == l.condition {
				e.rest = without(term, i)
			}
		}
	}
	return e
}

// accessesOf gives conditions that a conjunction with l may be filed under: l itself, or what follows from it.
func accessesOf(l literal) []*condition {
	if l.negative {
		return nil
	}
	switch t := l.tester.(type) {
	case contains:
		return appendAccesses(nil, "", &t.want)
	case element:
		if held, ok := t.held(); ok {
			return []*condition{l.condition, newCondition(l.path, holds{held})}
		}
	}
	return []*condition{l.condition}
}

// appendAccesses adds what follows from an object that has to contain all of want, which is under path in the document.
func appendAccesses(dst []*condition, path string, want *value) []*condition {
	for i := range want.members {
		m := &want.members[i]
		inner := path + m.name
		switch m.value.kind {
		case '{':
			dst = append(appendAccesses(dst, inner+".", &m.value), newCondition(inner, exists{}))
		case '[':
			dst = append(appendHeld(dst, inner, m.value.items), newCondition(inner, exists{}))
		default:
			dst = append(dst, newCondition(inner, equals{m.value.scalar()}))
		}
	}
	return dst
}

func appendHeld(dst []*condition, path string, items []value) []*condition {
	for i := range items {
		if items[i].isScalar() {
			dst = append(dst, newCondition(path, holds{items[i].scalar()}))
		}
	}
	return dst
}

// isFiledTwice reports whether one look-up may find the entry in two places.
func (e *entry) isFiledTwice() bool {
	if e.access == nil {
		return false
	}
	p, ok := e.access.tester.(place)
	return ok && len(p.shape.bounds()) > 1
}

func without(term []literal, i int) []literal {
	rest := make([]literal, 0, len(term)-1)
	return append(append(rest, term[:i]...), term[i+1:]...)
}

func (m *Matcher) fileLocked(e *entry) {
	if e.access == nil {
		m.always.add(e)
		return
	}
	m.byPath.grow(e.access.path).file(e)
}

func (m *Matcher) unfileLocked(e *entry) {
	if e.access == nil {
		m.always.remove(e)
		return
	}
	m.byPath.index(e.access.path).unfile(e)
	m.byPath.prune(e.access.path)
}
