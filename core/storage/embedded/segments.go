package embedded

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// segments is the search index of one collection, in parts: files, then memories that wait to become files, then the memory
// that takes the writes. A document is in the part that its position belongs to; a part that follows another holds later
// positions.
//
// Documents come in three steps. A unit adds them to the memory, where no search sees them. The unit is applied. publish makes
// all of them live and lets those they replace die, under one lock, so that a search sees either version of a document and
// never both or none.
type segments struct {
	number uint32 // of the collection
	most   uint64 // positions before the memory is turned into a file

	// last is the part that takes writes. Only who has collection.mu locked replaces it. position is the number of the last
	// write, guarded by the lock of the memory in last.
	last     *part
	position uint64
	// size is what the memory in last needs, as the budget knows it, and begun when it began to need something, by the budget's clock.
	size, begun atomic.Int64

	// committing is held, above collection.mu, from the making of a manifest until the parts are as it says.
	committing sync.Mutex
	// covered is that of the manifest on disk. Who commits changes it, and rebuild, while nobody else does.
	covered uint64

	mu     sync.RWMutex
	parts  []*part // ascending, never changed but replaced; the last is last
	lost   *cause  // why the index cannot be searched and must be made again
	closed bool
	// lastFile is the number of the newest file.
	lastFile uint64

	// refilling is the part that a lost index is refilled into, nil when rebuild has not come so far. Only rebuild changes it,
	// with mu locked.
	refilling *part
	// stale are files that the manifest on disk names and that nobody reads.
	stale []uint64
	// refilled is the position up to which the index was refilled. Only rebuild uses it.
	refilled uint64
}

// part is a part of a segments. What may change is guarded by segments.mu.
type part struct {
	from uint64 // the first position that belongs to it

	memory *segment.Memory // nil for a file
	bytes  int64           // of a memory that waits
	file   *segment.File   // nil for a memory
	number uint64          // of the file

	live *segment.Live
	// saved is the set that is on disk, nil when none is.
	saved *segment.Live
	// moving is set while the part is being written into another file; died has the positions of the documents that died
	// since.
	moving bool
	died   []uint64
}

var (
	errGone = errors.New("the collection, or the part of its index, is gone")
	// errUnknownVersion is what makes an index that looked well a damaged one.
	errUnknownVersion = errors.New("the index does not have a document that was replaced")
)

// newSegments gives an index that knows nothing of the writes up to position.
func newSegments(number uint32, position, most uint64) *segments {
	s := &segments{number: number, most: most, position: position}
	s.last = newMemoryPart(position + 1)
	s.parts = []*part{s.last}
	return s
}

func newMemoryPart(from uint64) *part {
	return &part{from: from, memory: segment.NewMemory(), live: new(segment.Live)}
}

// add puts a document into the memory, dead, and gives its number there, its position and how much the memory has grown. full
// says that the memory has enough; now is the time by the budget's clock. The caller has collection.mu locked for reading.
func (s *segments) add(entry *segment.Entry, id string, now int64) (doc uint32, position uint64, grown int64, full bool) {
	m := s.last.memory
	m.Lock()
	defer m.Unlock()
	s.position++
	doc = m.Add(entry, id, s.position)
	bytes := m.Bytes()
	before := s.size.Swap(bytes)
	if before == 0 {
		s.begun.Store(now)
	}
	grown = bytes - before
	return doc, s.position, grown, s.fullLocked()
}

// next gives a position to a deletion, as add does to a document.
func (s *segments) next() (position uint64, full bool) {
	m := s.last.memory
	m.Lock()
	defer m.Unlock()
	s.position++
	return s.position, s.fullLocked()
}

// fullLocked counts deletions too, since they lengthen the log.
func (s *segments) fullLocked() bool { return s.position-s.last.from+1 >= s.most }

// publish makes documents of the memory live, and the versions that had the positions gone dead. The caller has
// collection.mu locked for reading, since before it added them. An error means that the index is not what it should be.
func (s *segments) publish(fresh []uint32, gone []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(fresh) > 0 {
		s.last.live = s.last.live.With(fresh...)
	}
	if err := s.killLocked(gone); err != nil && s.lost == nil && !s.closed {
		return err
	}
	return nil
}

// killLocked fails when the index has not all of the documents; those that it has die.
func (s *segments) killLocked(gone []uint64) error {
	var failed error
	var dead map[*part][]uint32
	for _, position := range gone {
		p, doc, err := s.findLocked(position)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if dead == nil {
			dead = make(map[*part][]uint32, 1)
		}
		dead[p] = append(dead[p], doc)
		if p.moving {
			p.died = append(p.died, position)
		}
	}
	for p, docs := range dead {
		p.live = p.live.Without(docs...)
	}
	return failed
}

// findLocked finds the document that a write made.
func (s *segments) findLocked(position uint64) (p *part, doc uint32, err error) {
	i, exact := slices.BinarySearchFunc(s.parts, position, func(p *part, position uint64) int {
		switch {
		case p.from < position:
			return -1
		case p.from > position:
			return 1
		}
		return 0
	})
	if !exact {
		i--
	}
	if i < 0 {
		return nil, 0, errUnknownVersion
	}
	p = s.parts[i]
	if p.memory != nil {
		lock := p.memory.RLocker()
		lock.Lock()
		defer lock.Unlock()
	}
	doc, ok, err := p.segment().At(position)
	if err == nil && !ok {
		err = errUnknownVersion
	}
	return p, doc, err
}

func (p *part) segment() segment.Segment {
	if p.memory != nil {
		return p.memory
	}
	return p.file
}

// view gives the part as it is now. It has no Lock: the memory that takes writes needs one besides.
func (p *part) view() segment.View { return segment.View{Segment: p.segment(), Live: p.live} }

// turnLocked lets the memory wait to become a file, and gives how many bytes wait, and begins another one. An index that is lost
// is made again from the log, so that nothing needs to wait. The caller has collection.mu locked.
func (s *segments) turnLocked() (waiting int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.last
	s.last = newMemoryPart(s.position + 1)
	old.bytes = s.size.Swap(0)
	parts := slices.Clone(s.parts)
	if s.lost != nil {
		s.parts = append(parts[:len(parts)-1], s.last)
		return 0
	}
	s.parts = append(parts, s.last)
	return old.bytes
}

// fail makes the index lost, and reports whether it was not before.
func (s *segments) fail(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost != nil || s.closed {
		return false
	}
	s.lost = &cause{err}
	return true
}

// fileBytes is the size of the files.
func (s *segments) fileBytes() (sum int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.parts {
		if p.file != nil && !s.closed {
			sum += p.file.Bytes()
		}
	}
	return sum
}

// close lets the files go, whose numbers it gives; searches that hold them keep them.
func (s *segments) close() (files []uint64, waiting int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, 0
	}
	s.closed = true
	files = s.stale
	for _, p := range s.parts {
		if p.file != nil {
			files = append(files, p.number)
			p.file.Release()
		}
		waiting += p.bytes
	}
	return files, waiting
}
