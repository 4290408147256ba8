package aggregation

import (
	"strings"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// in is the same segment for aggregations of the documents of another space.
func (t *target) in(space string) (*target, error) {
	inner := *t
	inner.space, inner.n = space, t.view.Segment.Len()
	if space != segment.Root {
		s, err := t.view.Segment.Space(space)
		if err != nil {
			return nil, err
		}
		inner.n = 0
		if s != nil {
			inner.n = s.Len
		}
	}
	inner.docs = int(inner.n)
	return &inner, nil
}

// parents gives, for each nested object of a path, the document of a space around it; nil when there are no such objects.
func (t *target) parents(path, space string) ([]uint32, error) {
	s, err := t.view.Segment.Space(path)
	if s == nil || err != nil {
		return nil, err
	}
	parents := s.Parents
	for s.ParentPath != space {
		if s, err = t.view.Segment.Space(s.ParentPath); s == nil || err != nil {
			return nil, err
		}
		t.hold(4 * len(parents))
		if t.limits.spend(len(parents)) {
			return nil, t.limits.err
		}
		outer := make([]uint32, len(parents))
		for i, p := range parents {
			outer[i] = s.Parents[p]
		}
		parents = outer
	}
	return parents, nil
}

// live calls visit for the documents of the space that are live, or stand in such a document.
func (t *target) live(visit func(doc uint32)) error {
	if t.space == segment.Root {
		t.view.Live.All(visit)
		return nil
	}
	parents, err := t.parents(t.space, segment.Root)
	if err != nil || len(parents) == 0 {
		return err
	}
	at := 0
	t.view.Live.All(func(doc uint32) {
		for at < len(parents) && parents[at] < doc {
			at++
		}
		for ; at < len(parents) && parents[at] == doc; at++ {
			visit(uint32(at)) //nolint:gosec // a number of a document
		}
	})
	return nil
}

// nested makes a bucket of the nested objects in documents.
type nested struct {
	single
	of *query.NestedAggregation
	// starts has, for each document of the segment that is open, the first nested object that is not in a document before it;
	// nil when there are no objects.
	starts []uint32
}

func newNested(of *query.NestedAggregation, a query.Aggregation, l *limits) (*nested, error) {
	s, err := newSingle(a, l)
	return &nested{single: s, of: of}, err
}

func (n *nested) open(t *target) error {
	n.starts = nil
	f := t.mapping.Field(n.of.Path)
	if f != nil && f.Type == mapping.Nested && (t.space == segment.Root || strings.HasPrefix(n.of.Path, t.space+".")) {
		if err := n.openSpace(t); err != nil {
			return err
		}
	}
	inner, err := t.in(n.of.Path)
	if err != nil {
		return err
	}
	return n.subs.open(inner)
}

func (n *nested) openSpace(t *target) error {
	parents, err := t.parents(n.of.Path, t.space)
	if err != nil || len(parents) == 0 {
		return err
	}
	t.hold(4 * int(t.n+1))
	if t.limits.spend(len(parents)) {
		return t.limits.err
	}
	n.starts = make([]uint32, t.n+1)
	for _, p := range parents {
		n.starts[p+1]++
	}
	for doc := range t.n {
		n.starts[doc+1] += n.starts[doc]
	}
	return nil
}

func (n *nested) collect(docs, owners []uint32) {
	if n.starts == nil || !n.room(owners) {
		return
	}
	for i, doc := range docs {
		from, to := n.starts[doc], n.starts[doc+1]
		if n.limits.spend(int(to - from)) {
			return
		}
		for ; from < to; from++ {
			n.hit(from, owners[i])
		}
	}
	n.flush()
}

// reverse makes a bucket of the documents around nested objects.
type reverse struct {
	single
	of   *query.ReverseNestedAggregation
	last []uint32 // by owner, one more than the document that was counted last

	parents []uint32 // in the segment that is open; nil when there are no objects
}

func newReverse(of *query.ReverseNestedAggregation, a query.Aggregation, l *limits) (*reverse, error) {
	s, err := newSingle(a, l)
	return &reverse{single: s, of: of}, err
}

func (r *reverse) open(t *target) error {
	r.parents = nil
	clear(r.last)
	f := t.mapping.Field(r.of.Path)
	around := f != nil && f.Type == mapping.Nested && strings.HasPrefix(t.space, r.of.Path+".")
	if t.space != segment.Root && (r.of.Path == segment.Root || around) {
		var err error
		if r.parents, err = t.parents(t.space, r.of.Path); err != nil {
			return err
		}
	}
	outer, err := t.in(r.of.Path)
	if err != nil {
		return err
	}
	return r.subs.open(outer)
}

func (r *reverse) collect(docs, owners []uint32) {
	if r.parents == nil || !r.room(owners) {
		return
	}
	var ok bool
	if r.last, ok = reach(r.last, owners, 0, 4, r.limits); !ok {
		return
	}
	for i, doc := range docs {
		if parent := r.parents[doc]; r.last[owners[i]] != parent+1 {
			r.last[owners[i]] = parent + 1
			r.hit(parent, owners[i])
		}
	}
	r.flush()
}
