package embedded

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// budget bounds the memory of all search indexes: half of it may be in memories that take writes, half in memories that
// wait to become files. Above the first half the largest and oldest memories have to wait; above the second writers do.
type budget struct {
	half int64
	// active are the bytes of the memories that take writes.
	active atomic.Int64
	// grown are the bytes by which all memories together ever grew: the clock that tells how old a memory is.
	grown atomic.Int64

	mu      sync.Mutex
	waiting int64
	// failed is why a memory could not become a file, nil when the last one could.
	failed *cause
	// eased is closed when writers that wait should look again; nil when nobody waits.
	eased chan struct{}
}

// wait returns when there is room for another write. It fails when there is none and the disk takes no data.
func (b *budget) wait(ctx context.Context) error {
	for {
		b.mu.Lock()
		if b.waiting <= b.half {
			b.mu.Unlock()
			return nil
		}
		if b.failed != nil {
			defer b.mu.Unlock()
			return refusesData(b.failed.err)
		}
		if b.eased == nil {
			b.eased = make(chan struct{})
		}
		eased := b.eased
		b.mu.Unlock()
		select {
		case <-eased:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// healthy is nil when memories become files. While they do not, writes are refused as soon as the memory is full.
func (b *budget) healthy() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failed == nil:
		return nil
	case b.waiting > b.half:
		return refusesData(b.failed.err)
	}
	return unexpected("the storage disk refuses the search index, writes are refused once the memory for it is full", b.failed.err)
}

// hold counts bytes that wait, or, when negative, that do so no longer.
func (b *budget) hold(bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting += bytes
	if bytes < 0 {
		b.easeLocked()
	}
}

// tried tells how the last attempt to write a file ended; first is true for the first failure after a success, or the first
// success after a failure.
func (b *budget) tried(err error) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	had := b.failed != nil
	if b.failed = nil; err != nil {
		b.failed = &cause{err}
	}
	b.easeLocked()
	return had != (err != nil)
}

func (b *budget) easeLocked() {
	if b.eased != nil {
		close(b.eased)
		b.eased = nil
	}
}

// holder is a collection whose memory takes room.
type holder struct {
	coll *collection
	size int64
	// cost is the room times how long it has been taken. To choose by size alone would leave no room to a busy collection once
	// many idle ones have taken it, and to choose by age alone would make a file of every few documents that come now and then.
	cost float64
}

// keepBudget lets memories wait when all of them need too much, and some more, so that not every write has to look again.
func (e *Engine) keepBudget() {
	over := e.budget.active.Load() - e.budget.half
	if over <= 0 {
		return
	}
	over += e.budget.half / 8
	for _, h := range e.holders() {
		if over <= 0 {
			return
		}
		e.turnAbove(h.coll, h.size/2)
		over -= h.size
	}
}

// holders gives the collections whose memories take room, the costliest first.
func (e *Engine) holders() []holder {
	now := e.budget.grown.Load()
	var all []holder
	for _, c := range e.catalogue.now.Load().collections {
		if size := c.segments.size.Load(); size > 0 {
			all = append(all, holder{c, size, float64(size) * float64(now-c.segments.begun.Load())})
		}
	}
	slices.SortFunc(all, func(a, b holder) int { return cmp.Compare(b.cost, a.cost) })
	return all
}

// turn lets the full memory of a collection wait to become a file, unless another writer did.
func (e *Engine) turn(c *collection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.segments.fullLocked() {
		e.turnLocked(c)
	}
}

// turnAbove does so when the memory still needs more than bytes.
func (e *Engine) turnAbove(c *collection, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.segments.size.Load() > bytes {
		e.turnLocked(c)
	}
}

// turnPart does so when p still takes the writes. Afterwards nothing is added to it any more.
func (e *Engine) turnPart(c *collection, p *part) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.segments.last == p {
		e.turnLocked(c)
	}
}

// turnLocked is for who has c.mu locked.
func (e *Engine) turnLocked(c *collection) {
	if c.dropped {
		return
	}
	e.budget.active.Add(-c.segments.size.Load())
	e.budget.hold(c.segments.turnLocked())
	e.freezer.ask(c)
}

// addTo puts a document into the memory of an index.
func (e *Engine) addTo(s *segments, entry *segment.Entry, id string) (doc uint32, position uint64, full bool) {
	doc, position, grown, full := s.add(entry, id, e.budget.grown.Load())
	e.budget.active.Add(grown)
	e.budget.grown.Add(grown)
	return doc, position, full
}
