package embedded

import (
	"context"
	"errors"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// freeze turns the oldest memory of a collection that waits into a file; more says that others may wait.
func (e *Engine) freeze(_ context.Context, c *collection) (more bool, err error) {
	p, view := c.segments.nextWaiting()
	if p == nil {
		return false, nil
	}
	err = e.replaceParts(c, []*part{p}, view.Live.Count(), func(path string) error {
		return segment.Write(e.files.fs, path, view)
	})
	if first := e.budget.tried(err); first && err != nil {
		e.log.Error("the search index could not be written, searches go on in memory", "error", err)
	} else if first {
		e.log.Info("the search index can be written again")
	}
	if err == nil {
		e.merger.ask(c)
	}
	return err == nil, err
}

// nextWaiting begins to move the oldest memory that waits, nil when none does. None does while the index is lost.
func (s *segments) nextWaiting() (*part, segment.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost != nil || s.closed {
		return nil, segment.View{}
	}
	for _, p := range s.parts[:len(s.parts)-1] {
		if p.memory != nil {
			p.moving = true
			return p, p.view()
		}
	}
	return nil, segment.View{}
}

// replaceParts puts a file in the place of parts that move. write writes it, unless nothing lives in them. When the collection
// or the parts went away meanwhile it does nothing.
func (e *Engine) replaceParts(c *collection, old []*part, living int, write func(path string) error) error {
	s := c.segments
	w := swap{old: old}
	if living > 0 {
		var err error
		if w.fresh, err = e.writePart(s, old[0].from, write); err != nil {
			s.stay(old)
			return err
		}
	}
	err := e.commitSwap(c, w)
	if err == nil {
		return nil
	}
	s.stay(old)
	if w.fresh != nil {
		w.fresh.file.Release()
		if errors.Is(err, errGone) {
			e.files.remove(s.number, w.fresh.number)
		}
	}
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// stay ends the move of parts that are kept.
func (s *segments) stay(parts []*part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range parts {
		p.moving, p.died = false, nil
	}
}

// writePart makes a file and opens it.
func (e *Engine) writePart(s *segments, from uint64, write func(path string) error) (*part, error) {
	number := s.newFile()
	path := e.files.path(s.number, number)
	err := write(path)
	var file *segment.File
	if err == nil {
		file, err = segment.Open(e.files.fs, path)
	}
	if err != nil {
		e.files.remove(s.number, number)
		return nil, err
	}
	live := file.Live()
	return &part{from: from, file: file, number: number, live: live, saved: live}, nil
}

// newFile gives a number that no file of the collection has had since the engine was opened.
func (s *segments) newFile() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastFile++
	return s.lastFile
}
