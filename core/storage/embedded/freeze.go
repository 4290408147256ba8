package embedded

import (
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// freeze turns the oldest memory of a collection that waits into a file; more says that others may wait.
func (e *Engine) freeze(ctx context.Context, c *collection) (more bool, err error) {
	old, views := c.segments.nextWaiting()
	if old == nil {
		return false, nil
	}
	err = e.mergeParts(context.WithoutCancel(ctx), c, old, views)
	if len(old) > 1 && damaged(err) {
		e.lose(c, err)
		return false, nil
	}
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

// nextWaiting begins to move the oldest memory that waits, nil when none does. None does while the index is lost. Once there are
// enough small files before it they move too: so a collection never has many, however fast memories come.
func (s *segments) nextWaiting() ([]*part, []segment.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost != nil || s.closed {
		return nil, nil
	}
	waiting := s.parts[:len(s.parts)-1]
	i := slices.IndexFunc(waiting, func(p *part) bool { return p.memory != nil })
	if i < 0 {
		return nil, nil
	}
	from := i
	for from > 0 && waiting[from-1].isSmall() && !waiting[from-1].moving {
		from--
	}
	if i-from < tierFiles-1 {
		from = i
	}
	return moveLocked(waiting[from : i+1])
}

// isSmall reports whether the file costs little to write again.
func (p *part) isSmall() bool { return p.live.Count() < smallFile && p.file.Bytes() < smallFileBytes }

// moveLocked begins to move parts. Their files are held, since the collection may go away while they are read.
func moveLocked(parts []*part) (old []*part, views []segment.View) {
	for _, p := range parts {
		p.moving = true
		if p.file != nil {
			p.file.Acquire()
		}
		old, views = append(old, p), append(views, p.view())
	}
	return old, views
}

// mergeParts puts one file in the place of parts that move, and lets go of their files.
func (e *Engine) mergeParts(ctx context.Context, c *collection, old []*part, views []segment.View) error {
	defer func() {
		for _, p := range old {
			if p.file != nil {
				p.file.Release()
			}
		}
	}()
	living := 0
	for _, v := range views {
		living += v.Live.Count()
	}
	return e.replaceParts(c, old, living, func(path string) error {
		return guarded(func() error { return segment.Merge(ctx, e.files.fs, path, views) })
	})
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
		file, err = openWritten(e.files.fs, path)
	}
	if err != nil {
		e.files.remove(s.number, number)
		return nil, err
	}
	live := file.Live()
	return &part{from: from, file: file, number: number, live: live, saved: live}, nil
}

// openWritten opens a file and checks its positions: who asks for those that died meanwhile could do nothing about an error.
func openWritten(fs vfs.FS, path string) (*segment.File, error) {
	file, err := segment.Open(fs, path)
	if err != nil {
		return nil, err
	}
	if _, err := file.Positions(); err != nil {
		file.Release()
		return nil, err
	}
	return file, nil
}

// newFile gives a number that no file of the collection has had since the engine was opened.
func (s *segments) newFile() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastFile++
	return s.lastFile
}
