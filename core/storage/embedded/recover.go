package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// openIndexes brings the search indexes of all collections to where they were: the files that their manifests name, and
// what the log says happened since. An index whose files are not what they should be is made again in the background.
func (e *Engine) openIndexes(ctx context.Context) error {
	all := e.catalogue.now.Load().collections
	used := map[string]bool{}
	for _, c := range all {
		m, err := readManifest(e.db, c.number)
		if err != nil {
			return err
		}
		for _, f := range m.Files {
			used[fileName(c.number, f.Number)] = true
		}
		if err := e.openIndex(c, m); err != nil {
			return fmt.Errorf("open the search index of %q: %w", c.address, err)
		}
	}
	if err := e.files.sweep(used); err != nil {
		return err
	}
	e.freezer.start()
	e.merger.start()
	for _, c := range all {
		if err := e.replay(ctx, c); err != nil {
			return fmt.Errorf("bring the search index of %q up to date: %w", c.address, err)
		}
		e.merger.ask(c)
	}
	return nil
}

// openIndex opens the files of one collection. A lost index knows nothing of the writes up to the last one.
func (e *Engine) openIndex(c *collection, m manifest) error {
	files, lost := e.openParts(c.number, m)
	if lost != nil && !damaged(lost) {
		return lost
	}
	position := m.Covered
	if lost != nil || m.Rebuilding {
		var err error
		if position, err = e.lastPosition(c.number, m.Covered); err != nil {
			return err
		}
	}
	s := newSegments(c.number, position, e.most)
	s.covered = m.Covered
	c.segments = s
	for _, f := range m.Files {
		s.lastFile = max(s.lastFile, f.Number)
		if lost != nil {
			s.stale = append(s.stale, f.Number)
		}
	}
	if lost == nil && m.Rebuilding {
		lost = errInterrupted
		s.refilling, s.refilled = newMemoryPart(m.Covered+1), m.Covered
		files = append(files, s.refilling)
	}
	s.parts = append(files, s.last)
	if lost != nil {
		e.lose(c, lost)
	}
	return nil
}

// openParts opens the files that a manifest names, with their dead documents: all of them or none.
func (e *Engine) openParts(collection uint32, m manifest) (parts []*part, err error) {
	defer func() {
		if err != nil {
			for _, p := range parts {
				p.file.Release()
			}
			parts = nil
		}
	}()
	for _, f := range m.Files {
		file, err := segment.Open(e.files.fs, e.files.path(collection, f.Number))
		if err != nil {
			return parts, err
		}
		p := &part{from: f.From, file: file, number: f.Number, live: file.Live()}
		parts = append(parts, p)
		if err := e.readDead(collection, p); err != nil {
			return parts, err
		}
	}
	return parts, nil
}

// readDead lets the documents of a file die that were dead when its manifest was written.
func (e *Engine) readDead(collection uint32, p *part) error {
	value, err := read(e.db, deadKey(collection, p.number))
	if err != nil {
		return readError(err)
	}
	if value != nil {
		dead := roaring.New()
		if err := dead.UnmarshalBinary(value); err != nil {
			return fmt.Errorf("%w: dead documents: %w", errRecord, err)
		}
		p.live = p.live.Without(dead.ToArray()...)
	}
	p.saved = p.live
	return nil
}

// damaged tells a file that is missing or not as it was written from one that could not be opened.
func damaged(err error) bool {
	return errors.Is(err, segment.ErrDamaged) || errors.Is(err, fs.ErrNotExist)
}

// lastPosition is the position of the last write that is in the log, or covered when there is none after it.
func (e *Engine) lastPosition(collection uint32, covered uint64) (uint64, error) {
	prefix := appendLogPrefix(nil, collection)
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, readError(err)
	}
	defer it.Close()
	if it.Last() {
		if key := it.Key(); len(key) == logKeyBytes {
			covered = max(covered, binary.BigEndian.Uint64(key[logKeyBytes-8:]))
		}
	}
	if err := it.Error(); err != nil {
		return 0, readError(err)
	}
	return covered, nil
}

// replay does again what the log says. Nobody writes to the collection meanwhile.
func (e *Engine) replay(ctx context.Context, c *collection) error {
	s := c.segments
	if s.isLost() {
		return nil
	}
	return e.eachLogged(ctx, c, s.covered, func(position uint64, entry logEntry) (bool, error) {
		if err := e.budget.wait(ctx); err != nil {
			return false, err
		}
		return true, e.replayOne(c, position, entry)
	})
}

func (e *Engine) replayOne(c *collection, position uint64, entry logEntry) error {
	reader := e.readers.get()
	defer e.readers.put(reader)
	there, err := e.readAgain(c, position, entry, reader)
	if err != nil {
		return err
	}
	full, err := e.addAgain(c, position, entry, reader, there)
	if damaged(err) { // else what a merge has taken away, or a later write replaced, is not there to die
		e.lose(c, err)
	}
	if full {
		e.turn(c)
	}
	e.keepBudget()
	return nil
}

// addAgain does to the index what an entry did; there says that the document that it wrote is.
func (e *Engine) addAgain(c *collection, position uint64, entry logEntry, reader *reader, there bool) (full bool, err error) {
	c.mu.RLock() // an index that gets lost meanwhile begins another memory
	defer c.mu.RUnlock()
	s := c.segments
	s.skipTo(position - 1)
	var docs []uint32
	if there {
		var doc uint32
		doc, _, full = e.addTo(s, &reader.entry, entry.id)
		docs = []uint32{doc}
	} else {
		_, full = s.next()
	}
	return full, s.publish(docs, goneBy(entry))
}

// readAgain takes the document apart that an entry wrote; false when it has changed since or is gone.
func (e *Engine) readAgain(c *collection, position uint64, entry logEntry, to *reader) (bool, error) {
	if entry.op != logPut {
		return false, nil
	}
	r, err := loadRecord(e.db, c.number, entry.id)
	if errors.Is(err, pebble.ErrNotFound) || err == nil && r.position != position {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, to.again(c.schema.Load(), r.source)
}

// eachLogged visits the entries of the log after a position.
func (e *Engine) eachLogged(ctx context.Context, c *collection, position uint64, visit func(uint64, logEntry) (bool, error)) error {
	prefix := appendLogPrefix(nil, c.number)
	return e.each(ctx, appendLogKey(nil, c.number, position+1), after(prefix), func(key, value []byte) (bool, error) {
		at, entry, err := parseLog(key, value)
		if err != nil {
			return false, readError(err)
		}
		return visit(at, entry)
	})
}

// goneBy gives the position of the version that a write replaced, if there was one.
func goneBy(entry logEntry) []uint64 {
	if entry.old == 0 {
		return nil
	}
	return []uint64{entry.old}
}

// skipTo makes position that of the last write.
func (s *segments) skipTo(position uint64) {
	m := s.last.memory
	m.Lock()
	defer m.Unlock()
	s.position = position
}
