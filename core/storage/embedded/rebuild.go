package embedded

import (
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// rebuildChunk is how many documents a step of rebuild reads.
const rebuildChunk = 1000

// errInterrupted is why an index is lost that was being made again when the engine was closed.
var errInterrupted = errors.New("the index was not yet made again")

// lose makes the index of a collection one that nobody searches until it has been made again from the documents.
func (e *Engine) lose(c *collection, err error) {
	if !c.segments.fail(err) {
		return
	}
	e.lost.Add(1)
	e.log.Warn("a search index is damaged, it is made again from the documents", "index", c.address.Index, "collection", c.address.Name, "error", err)
	e.merger.ask(c)
}

// rebuild does a step of making a lost index again, while documents are read and written; more says that there are others.
//
//  1. restart: all parts go. The writes from here on go to a new memory, as always; everything before has to come from the
//     documents. When that memory is full it is thrown away, since the log has what was in it.
//  2. writeLog: the log gets an entry for every document that it has none for.
//  3. forgetFiles: a manifest without files is written. From here on the log is the truth, for a restart too.
//  4. refill: the log is replayed into memories, each of which becomes a file.
//  5. When the log is done up to the memory that takes writes, the index can be searched again.
//
// When a step fails all begins again, or, once 3 is done, 4 goes on.
func (e *Engine) rebuild(ctx context.Context, c *collection) (more bool, err error) {
	if !c.segments.isRefilling() {
		if err = e.restart(c); err == nil {
			err = e.writeLog(ctx, c)
		}
		if err == nil {
			err = e.forgetFiles(c)
		}
		more = err == nil
	} else if p, view := c.segments.nextRefilled(); p != nil {
		err = e.replaceParts(c, []*part{p}, view.Live.Count(), func(path string) error { return segment.Write(e.files.fs, path, view) })
		more = err == nil
	} else {
		more, err = e.refill(ctx, c)
	}
	if errors.Is(err, errGone) || ctx.Err() != nil {
		return false, nil
	}
	if err != nil {
		e.log.Warn("a search index could not be made again, it is tried again", "error", err)
	}
	return more, err
}

func (s *segments) isLost() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lost != nil
}

func (s *segments) isRefilling() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.refilling != nil
}

// restart is step 1.
func (e *Engine) restart(c *collection) error {
	s := c.segments
	s.committing.Lock()
	defer s.committing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped {
		return errGone
	}
	e.budget.active.Add(-s.size.Swap(0))
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := int64(0)
	for _, p := range s.parts {
		if p.file != nil {
			s.stale = append(s.stale, p.number)
			p.file.Release()
		}
		waiting += p.bytes
	}
	e.budget.hold(-waiting)
	s.last = newMemoryPart(s.position + 1)
	s.parts = []*part{s.last}
	return nil
}

// writeLog is step 2. What was written after the last manifest is in the log already, and says more there.
func (e *Engine) writeLog(ctx context.Context, c *collection) error {
	prefix := appendDocumentKey(nil, c.number, "")
	batch, staged := e.db.NewBatch(), 0
	defer func() { _ = batch.Close() }()
	err := e.each(ctx, prefix, after(prefix), func(key, value []byte) (bool, error) {
		r, err := parseRecord(value)
		if err != nil {
			return false, readError(err)
		}
		if r.position > c.segments.covered {
			return true, nil
		}
		stageLog(batch, c.number, r.position, logEntry{op: logPut, id: string(key[len(prefix):])})
		if staged++; staged%rebuildChunk != 0 {
			return true, nil
		}
		full := batch
		batch = e.db.NewBatch()
		return true, e.applyLog(c, full)
	})
	if err != nil {
		return err
	}
	full := batch
	batch = e.db.NewBatch()
	return e.applyLog(c, full)
}

// applyLog writes entries unless the collection is gone. The manifest that follows makes them durable.
func (e *Engine) applyLog(c *collection, batch *pebble.Batch) error {
	defer batch.Close()
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.dropped {
		return errGone
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return e.health.fail(err)
	}
	return nil
}

// forgetFiles is step 3.
func (e *Engine) forgetFiles(c *collection) error {
	s := c.segments
	s.mu.Lock()
	s.refilling = newMemoryPart(1)
	s.parts, s.refilled = []*part{s.refilling, s.last}, 0
	s.mu.Unlock()
	if err := e.commitSwap(c, swap{}); err != nil {
		s.mu.Lock()
		s.refilling, s.parts = nil, []*part{s.last}
		s.mu.Unlock()
		return err
	}
	s.mu.Lock()
	stale := s.stale
	s.stale = nil
	s.mu.Unlock()
	e.files.remove(s.number, stale...)
	return nil
}

// nextRefilled begins to move a memory that refill is done with.
func (s *segments) nextRefilled() (*part, segment.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		if p == s.refilling {
			break
		}
		if p.memory != nil {
			p.moving = true
			return p, p.view()
		}
	}
	return nil, segment.View{}
}

// refill is a part of step 4, or step 5.
func (e *Engine) refill(ctx context.Context, c *collection) (more bool, err error) {
	s := c.segments
	s.mu.RLock()
	until := s.last.from - 1
	s.mu.RUnlock()
	done := 0
	err = e.eachLogged(ctx, c, s.refilled, func(position uint64, entry logEntry) (bool, error) {
		if position > until || done == rebuildChunk {
			return false, nil
		}
		done++
		s.refilled = position
		return true, e.refillOne(c, position, entry)
	})
	if err != nil {
		return false, err
	}
	if done == rebuildChunk {
		s.nextRefill(e.budget.half / 2)
		return true, nil
	}
	return e.finish(c, until)
}

// refillOne does what a write did, under the lock of the document.
func (e *Engine) refillOne(c *collection, position uint64, entry logEntry) error {
	lock := e.locks.of(c.number, entry.id)
	lock.Lock()
	defer lock.Unlock()
	s := c.segments
	reader := e.readers.get()
	defer e.readers.put(reader)
	there, err := e.readAgain(c, position, entry, reader)
	if err != nil {
		return err
	}
	var docs []uint32
	if there {
		m := s.refilling.memory
		m.Lock()
		docs = append(docs, m.Add(&reader.entry, entry.id, position))
		m.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refilling.live = s.refilling.live.With(docs...)
	if err := s.killLocked(goneBy(entry)); damaged(err) { // it may be in a file from before a restart
		s.refilling = nil // begins at step 1 again
		return err
	}
	return nil
}

// nextRefill begins another memory when the one that is refilled has enough.
func (s *segments) nextRefill(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if uint64(s.refilling.memory.Len()) < s.most && s.refilling.memory.Bytes() < bytes {
		return
	}
	s.refilling = newMemoryPart(s.refilled + 1)
	s.parts = slices.Insert(slices.Clone(s.parts), len(s.parts)-1, s.refilling)
}

// finish is step 5. It is not reached when the memory that takes writes was thrown away meanwhile.
func (e *Engine) finish(c *collection, until uint64) (more bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.segments
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.dropped {
		return false, errGone
	}
	if s.last.from-1 != until {
		return true, nil
	}
	s.refilling.bytes = s.refilling.memory.Bytes()
	e.budget.hold(s.refilling.bytes)
	s.lost, s.refilling = nil, nil
	e.lost.Add(-1)
	e.freezer.ask(c)
	e.merger.ask(c)
	e.log.Info("a search index was made again", "index", c.address.Index, "collection", c.address.Name)
	return false, nil
}
