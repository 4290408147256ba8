package aggregation

import "github.com/sluicehq/sluice/core/storage/query"

// single is what aggregations with one bucket share. That of an owner has the owner's number.
type single struct {
	feed
	counts []int64 // by owner
}

func newSingle(a query.Aggregation, l *limits) (single, error) {
	f, err := newFeed(a, l)
	return single{feed: f}, err
}

// room makes room for the buckets of owners. It reports false when there is too little memory.
func (s *single) room(owners []uint32) (ok bool) {
	s.counts, ok = reach(s.counts, owners, 0, 8, s.limits)
	return ok
}

func (s *single) hit(doc, owner uint32) {
	s.counts[owner]++
	s.add(doc, owner)
}

func (s *single) count(owner uint32) int64 {
	if int64(owner) < int64(len(s.counts)) {
		return s.counts[owner]
	}
	return 0
}

// value implements valued.
func (s *single) value(owner uint32, _ string) float64 { return float64(s.count(owner)) }

func (s *single) write(w *writer, owner uint32) {
	if !w.add(1) {
		return
	}
	w.name("doc_count")
	w.whole(s.count(owner))
	s.subs.write(w, owner)
}

// missing makes a bucket of documents without a value.
type missing struct {
	single
	of *query.Missing

	column column // of the segment that is open
}

func newMissing(of *query.Missing, a query.Aggregation, l *limits) (*missing, error) {
	s, err := newSingle(a, l)
	return &missing{single: s, of: of}, err
}

func (m *missing) open(t *target) error {
	var err error
	if m.column, err = openColumn(t, m.of.Field, "missing"); err != nil {
		return err
	}
	if _, err = m.column.missingValue(m.of.Missing, t.now); err != nil {
		return err
	}
	return m.subs.open(t)
}

func (m *missing) collect(docs, owners []uint32) {
	if m.of.Missing != nil || !m.room(owners) {
		return
	}
	for i, doc := range docs {
		if !m.column.valued(doc) {
			m.hit(doc, owners[i])
		}
	}
	m.flush()
}
