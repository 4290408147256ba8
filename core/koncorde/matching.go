package koncorde

// Match gives the ids of the filters that match d, each once, in no order.
func (m *Matcher) Match(d *Document) []string { return m.AppendMatch(nil, d) }

// AppendMatch appends to dst what Match gives.
func (m *Matcher) AppendMatch(dst []string, d *Document) []string {
	run := matching{document: d, rooms: dst}
	m.mu.RLock()
	defer m.mu.RUnlock()
	run.seen = m.seen.Get().(*seenRooms)
	defer m.seen.Put(run.seen)
	run.seen.reset(m.slots)
	run.check(m.always)
	run.walk(m.byPath, d.root.members)
	return run.rooms
}

// matching is one run of a matcher.
type matching struct {
	document *Document
	rooms    []string
	seen     *seenRooms
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
	if !allHold(term, m.document) {
		return
	}
	if !once {
		m.seen.add(e.room.slot)
	}
	m.rooms = append(m.rooms, e.room.id)
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
