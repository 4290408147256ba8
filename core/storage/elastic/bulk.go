package elastic

import (
	"context"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// A chunk of Bulk is one request: it ends after this many ops or, once it has one, at this many bytes.
const (
	chunkOps   = 1000
	chunkBytes = 5 << 20
)

// Write does ops chunk by chunk; Elasticsearch does those of a chunk in their order. An op that depends on its document reads
// it first, and is the only one on its document in a chunk: with Previous all but creations do, and are tried again when
// somebody else wrote it in between. When the connection is lost the ops of that chunk, and all that follow, fail with
// services.storage.not_connected; those of that chunk may have happened.
func (e *Engine) Write(ctx context.Context, c storage.Collection, ops []storage.Op, o storage.BulkOptions) ([]storage.OpResult, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	if err := e.check(ctx, c); err != nil {
		return nil, err
	}
	w := &writer{engine: e, c: c, options: o, results: make([]storage.OpResult, len(ops))}
	if len(ops) == 0 {
		return w.results, e.missing(ctx, c)
	}
	for done := 0; done < len(ops); {
		chunk, n, err := w.next(ctx, ops[done:], done)
		if err == nil {
			err = w.run(ctx, chunk)
		}
		switch {
		case err != nil && done == 0 && !w.sent:
			return nil, err // no result is known, and nothing was done
		case err != nil:
			w.refuse(chunk, err)
			w.refuseFrom(done+n, err)
			return w.results, nil
		}
		done += n
	}
	return w.results, nil
}

// writer is one call of Write.
type writer struct {
	engine  *Engine
	c       storage.Collection
	options storage.BulkOptions
	results []storage.OpResult
	sent    bool // a request that writes
}

// step is an op of a chunk.
type step struct {
	storage.Op
	at int // its place in results
	// reads says that the op depends on the document as it is.
	reads bool
	// repeats says that it reads to know what it found: then no other write may come between, and one that does is no reason
	// to fail.
	repeats bool
	// source and fallback are what the mapping says about Source and Default.
	source, fallback verdict
	// old is the document as it was read.
	old stored
	// tries counts how often the op met another write.
	tries int
	// busy counts how often Elasticsearch had no time for it.
	busy int
}

// next prepares the ops of the next chunk, and gives how many ops it covers: those that are refused are none of its steps.
func (w *writer) next(ctx context.Context, ops []storage.Op, at int) (chunk []*step, n int, err error) {
	bytes, seen := 0, map[string]bool{} // id → its op reads
	for ; n < len(ops) && len(chunk) < chunkOps && (bytes == 0 || bytes < chunkBytes); n++ {
		s := &step{Op: ops[n], at: at + n}
		if err := w.refusal(s); err != nil {
			w.results[s.at].Err = err
			continue
		}
		if err := w.judge(ctx, s); err != nil {
			return chunk, n, err
		}
		if before, twice := seen[s.ID]; twice && (before || s.reads) {
			return chunk, n, nil
		}
		seen[s.ID] = s.reads
		bytes += len(s.Source) + len(s.Default)
		chunk = append(chunk, s)
	}
	return chunk, n, nil
}

// refusal is the error of an op that cannot be done whatever is stored.
func (w *writer) refusal(s *step) error {
	if s.Kind > storage.OpDelete {
		return kerror.ServicesStorageInvalidArgument.New("kind", "a known kind of op")
	}
	if s.Kind != storage.OpDelete && !isObject(s.Source) || s.Kind == storage.OpUpsert && !isObject(s.Default) {
		return kerror.ServicesStorageInvalidArgument.New("source", "a JSON object")
	}
	if validID(s.ID) {
		return nil
	}
	if s.Kind == storage.OpReplace || s.Kind == storage.OpUpdate || s.Kind == storage.OpDelete {
		return notFound(w.c, s.ID)
	}
	return kerror.ServicesStorageInvalidArgument.New("_id", "1 to 512 bytes")
}

// judge copies what the caller owns, checks it and decides whether the document must be read.
func (w *writer) judge(ctx context.Context, s *step) (err error) {
	if s.Kind != storage.OpDelete {
		s.Source = oneLine(s.Source)
		if s.source, err = w.engine.judge(ctx, w.c, s.Source); err != nil {
			return err
		}
	}
	if s.Kind == storage.OpUpsert {
		s.Default = oneLine(s.Default)
		if s.fallback, err = w.engine.judge(ctx, w.c, s.Default); err != nil {
			return err
		}
	}
	s.repeats = w.options.Previous && s.Kind != storage.OpCreate // what a creation finds is nothing
	s.reads = s.repeats || s.Kind == storage.OpReplace || s.Kind == storage.OpDelete || s.IfVersion != 0 ||
		s.source.err != nil || s.fallback.err != nil ||
		s.Kind == storage.OpCreate && s.source.grows // else a refused document would leave its fields in the mapping
	return nil
}

// oneLine copies v, without the line breaks that _bulk cannot have.
func oneLine(v jsontext.Value) jsontext.Value {
	v = v.Clone()
	if slices.Contains(v, '\n') || slices.Contains(v, '\r') {
		_ = v.Compact() // v is valid
	}
	return v
}

// maxTries bounds how often an op that may be repeated meets another write before it gives up.
const maxTries = 1000

// run does a chunk, and again those of it that met another write. An error means that the results of those without one are
// not known.
func (w *writer) run(ctx context.Context, chunk []*step) error {
	for len(chunk) > 0 {
		if err := w.readOld(ctx, chunk); err != nil {
			return err
		}
		var send []*step
		for _, s := range chunk {
			if err := w.decide(s); err != nil {
				w.results[s.at].Err = err
			} else {
				send = append(send, s)
			}
		}
		if len(send) == 0 {
			return nil
		}
		again, err := w.send(ctx, send)
		if err != nil {
			return err
		}
		chunk = again
		if err := pause(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// pause lets others finish after many conflicts, and Elasticsearch get on when it is busy.
func pause(ctx context.Context, chunk []*step) error {
	tries, busy := 0, 0
	for _, s := range chunk {
		tries, busy = max(tries, s.tries), max(busy, s.busy)
	}
	var length time.Duration
	if busy > 0 {
		length = backoff(busy - 1)
	}
	if tries >= 3 {
		length = max(length, time.Duration(min(tries*tries, 100))*time.Millisecond)
	}
	if length == 0 {
		return ctx.Err()
	}
	if !wait(ctx, length) {
		return ctx.Err()
	}
	return nil
}

// readOld reads the documents of the steps that depend on them.
func (w *writer) readOld(ctx context.Context, chunk []*step) error {
	var readers []*step
	var ids []string
	for _, s := range chunk {
		if s.reads {
			readers, ids = append(readers, s), append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	docs, err := w.engine.load(ctx, w.c, ids)
	if err != nil {
		return err
	}
	for i, s := range readers {
		s.old = docs[i]
	}
	return nil
}

// decide gives the error of a step that its document refuses.
func (w *writer) decide(s *step) error {
	if !s.reads {
		return nil
	}
	switch {
	case s.Kind == storage.OpCreate && s.old.Found:
		return kerror.ServicesStorageDocumentAlreadyExists.New()
	case !s.old.Found && (s.Kind == storage.OpReplace || s.Kind == storage.OpUpdate || s.Kind == storage.OpDelete):
		return notFound(w.c, s.ID)
	case s.IfVersion != 0 && (!s.old.Found || s.old.Version != s.IfVersion):
		return tooManyChanges(s.ID)
	case s.Kind == storage.OpUpsert && !s.old.Found:
		return s.fallback.err
	}
	return s.source.err
}

// refuse gives err to every step without a result.
func (w *writer) refuse(chunk []*step, err error) {
	for _, s := range chunk {
		if r := &w.results[s.at]; r.Err == nil && r.Document.ID == "" {
			r.Err = err
		}
	}
}

// refuseFrom gives err to every op from a place on.
func (w *writer) refuseFrom(at int, err error) {
	for i := range w.results[at:] {
		w.results[at+i] = storage.OpResult{Err: err}
	}
}

var _ storage.Bulk = (*Engine)(nil)
