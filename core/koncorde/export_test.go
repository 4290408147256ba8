package koncorde

// Match gives what AppendMatch does to tests that do not ask whether it is complete.
func (m *Matcher) Match(d *Document) []string {
	rooms, _ := m.AppendMatch(nil, d)
	return rooms
}
