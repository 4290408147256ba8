package embedded

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// pinned is a collection as one search sees it: the parts of its index stay until it is let go.
type pinned struct {
	coll   *collection
	parts  []*part
	target search.Target
}

// pin takes a collection as it is now.
func (e *Engine) pin(address storage.Collection) (*pinned, error) {
	for {
		c, err := e.catalogue.find(address)
		if err != nil {
			return nil, err
		}
		p, err := e.pinOne(c)
		if p != nil || err != nil {
			return p, err
		}
	}
}

// pinOne gives nil when the collection was dropped or truncated since it was found.
func (e *Engine) pinOne(c *collection) (*pinned, error) {
	p := &pinned{coll: c}
	p.findIn(e.db)
	s := c.segments
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, nil //nolint:nilnil // as promised
	}
	if s.lost != nil {
		return nil, unexpected("the search index is damaged and is being made again, try again later", s.lost.err)
	}
	for _, part := range s.parts {
		if part.live.Count() == 0 {
			continue
		}
		if part.file != nil {
			part.file.Acquire()
		}
		v := part.view()
		if part == s.last {
			v.Lock = part.memory.RLocker()
		}
		v.Segment = watched{Segment: v.Segment, engine: e, coll: c}
		p.parts, p.target.Views = append(p.parts, part), append(p.target.Views, v)
	}
	// A write puts its fields into the mapping before its documents are live, so that the mapping knows all that is in the views.
	p.target.Mapping = c.schema.Load().mapping()
	return p, nil
}

// findIn lets a search for ids ask db where a document is. What cannot be read has no place that the views know: then they
// are searched.
func (p *pinned) findIn(db pebble.Reader) {
	p.target.Find = func(id string) (uint64, bool) {
		r, err := loadRecord(db, p.coll.number, id)
		return r.position, !errors.Is(err, pebble.ErrNotFound)
	}
}

// seal lets no more writes go to the memories of p, so that no search of it needs a lock.
func (e *Engine) seal(p *pinned) {
	for i := range p.target.Views {
		if v := &p.target.Views[i]; v.Lock != nil {
			e.turnPart(p.coll, p.parts[i])
			v.Lock = nil
		}
	}
}

// letGo must be called once.
func (p *pinned) letGo() {
	for _, part := range p.parts {
		if part.file != nil {
			part.file.Release()
		}
	}
}

// pinAll pins collections, each at a moment of its own.
func (e *Engine) pinAll(addresses []storage.Collection) ([]*pinned, error) {
	all := make([]*pinned, 0, len(addresses))
	for _, address := range addresses {
		p, err := e.pin(address)
		if err != nil {
			letGo(all)
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func letGo(all []*pinned) {
	for _, p := range all {
		p.letGo()
	}
}

func targets(all []*pinned) []search.Target {
	list := make([]search.Target, len(all))
	for i, p := range all {
		list[i] = p.target
	}
	return list
}

// watched is a segment that tells when it turns out to be damaged.
type watched struct {
	segment.Segment
	engine *Engine
	coll   *collection
}

func (w watched) look(err error) {
	if err != nil && damaged(err) {
		w.engine.lose(w.coll, err)
	}
}

// ID implements segment.Segment.
func (w watched) ID(doc uint32) (string, error) {
	id, err := w.Segment.ID(doc)
	w.look(err)
	return id, err
}

// Position implements segment.Segment.
func (w watched) Position(doc uint32) (uint64, error) {
	position, err := w.Segment.Position(doc)
	w.look(err)
	return position, err
}

// Positions implements segment.Segment.
func (w watched) Positions() ([]uint64, error) {
	all, err := w.Segment.Positions()
	w.look(err)
	return all, err
}

// At implements segment.Segment.
func (w watched) At(position uint64) (doc uint32, ok bool, err error) {
	doc, ok, err = w.Segment.At(position)
	w.look(err)
	return doc, ok, err
}

// Space implements segment.Segment.
func (w watched) Space(path string) (*segment.Space, error) {
	s, err := w.Segment.Space(path)
	w.look(err)
	return s, err
}

// Field implements segment.Segment.
func (w watched) Field(path string) (*segment.Field, error) {
	f, err := w.Segment.Field(path)
	w.look(err)
	return f, err
}

var _ segment.Segment = watched{}
