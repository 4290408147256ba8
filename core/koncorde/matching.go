package koncorde

// AppendMatch appends to dst the ids of the filters that match d, each once, in no order.
//
// What it may spend is bounded, so that no filters and no document take longer than some milliseconds. When that is used up,
// complete is false, and filters that would still have to be tried are left out. Those of which nothing has to be tried once
// they are looked up, such as a single equals, are always found. Regular expressions have a share of their own: when they
// have used it, all else goes on.
func (m *Matcher) AppendMatch(dst []string, d *Document) (rooms []string, complete bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	run := m.runs.Get().(*matching)
	run.document, run.rooms, run.incomplete = d, dst, false
	run.budget = m.limits
	run.seen.reset(m.slots)
	run.walk(m.byPath, d.root.members)
	run.check(m.always) // last: what is looked up first tells more
	rooms, complete = run.rooms, !run.incomplete && !run.budget.undecided
	run.document, run.rooms = nil, nil
	m.runs.Put(run)
	return rooms, complete
}

// matching is one run of a matcher. It is used again for the next one.
type matching struct {
	document *Document
	rooms    []string
	seen     seenRooms
	budget   budget
	// incomplete says that an entry was left out.
	incomplete bool
}

// walk looks up every path of the document that some filter asks about.
func (m *matching) walk(n *pathNode, members []member) {
	for i := range members {
		v := &members[i].value
		child := n.descend(members[i].name)
		if child == nil {
			continue
		}
		if child.at != nil {
			child.at.lookUp(v, m)
		}
		if len(child.children) > 0 && v.kind == '{' {
			m.walk(child, v.members)
		}
	}
}

func (m *matching) check(b bag) {
	for _, e := range b {
		m.checkOne(e)
	}
}

// checkOne decides about an entry whose access was found in the document. When names hold dots, a value may have been
// found that another one under the same path hides: then nothing is taken for granted.
func (m *matching) checkOne(e *entry) {
	once := !e.room.repeats && !m.document.dotted
	if !once && m.seen.has(e.room.slot) {
		return
	}
	term := e.rest
	if m.document.dotted {
		term = e.term
	}
	if !m.allHold(term) {
		return
	}
	if !once {
		m.seen.add(e.room.slot)
	}
	m.rooms = append(m.rooms, e.room.id)
}

// allHold reports whether all of term was decided and is true.
func (m *matching) allHold(term []literal) bool {
	m.beginTrial()
	return allHold(term, m.document, &m.budget) && !m.budget.undecided
}

// isTrue reports whether a condition was decided and is true of v.
func (m *matching) isTrue(c *condition, v *value) bool {
	m.beginTrial()
	return m.budget.compare(1) && c.test(v, &m.budget) && !m.budget.undecided
}

// beginTrial forgets what the last one left undecided, but not that something was.
func (m *matching) beginTrial() {
	m.incomplete = m.incomplete || m.budget.undecided
	m.budget.undecided = false
}

// seenRooms is a set of slots that is emptied at no cost: a slot is in it when it has the number of this run.
type seenRooms struct {
	run   uint32
	marks []uint32
}

func (s *seenRooms) reset(slots int) {
	if len(s.marks) < slots {
		s.marks = make([]uint32, slots+slots/4)
		s.run = 0
	}
	if s.run++; s.run == 0 {
		clear(s.marks)
		s.run = 1
	}
}

func (s *seenRooms) has(slot int) bool { return s.marks[slot] == s.run }

func (s *seenRooms) add(slot int) { s.marks[slot] = s.run }
