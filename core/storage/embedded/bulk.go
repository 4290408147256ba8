package embedded

import (
	"context"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
)

// A chunk of Bulk ends after this many ops or, once it has one, at this many bytes; so one Write needs memory for two chunks
// besides what the caller gives and gets, and other writers wait for one at most.
const (
	chunkOps   = 500
	chunkBytes = 1 << 20
)

// Write does ops chunk by chunk: each chunk is applied as one batch, and waits for the disk while the next is applied. ctx is looked at between
// chunks: when it ends, or the collection goes away, the ops that were not reached get that error. RetryOnConflict is not
// needed, as in Update.
func (e *Engine) Write(ctx context.Context, c storage.Collection, ops []storage.Op, o storage.BulkOptions) ([]storage.OpResult, error) {
	return e.writeAll(ctx, &bulkWrite{engine: e, address: c, ops: ops, previous: o.Previous})
}

func (e *Engine) writeAll(ctx context.Context, w *bulkWrite) ([]storage.OpResult, error) {
	if err := e.beginWrite(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	if _, err := e.catalogue.find(w.address); err != nil {
		return nil, err
	}
	w.results = make([]storage.OpResult, len(w.ops))
	for w.done < len(w.ops) {
		if err := w.chunk(ctx); err != nil {
			refuse(w.results[w.done:], err)
			break
		}
	}
	w.settle()
	return w.results, nil
}

// bulkWrite is one call of Write, or of Load.
type bulkWrite struct {
	engine  *Engine
	address storage.Collection
	ops     []storage.Op
	// versions are those that the documents of ops get; nil lets them grow by one.
	versions []int64
	// previous keeps what the ops found in their results.
	previous bool
	results  []storage.OpResult
	done     int // ops that have a result
	// ready are the next ops, checked and copied; readyBytes is their size.
	ready      []change
	readyBytes int
	// open is the batch that waits for the disk, nil when there is none; unsure are the results of its ops.
	open   *pebble.Batch
	unsure []storage.OpResult
}

// chunk does the next ops, one at least. An error means that it did none.
func (w *bulkWrite) chunk(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.engine.health.writable(); err != nil {
		return err
	}
	if err := w.engine.budget.wait(ctx); err != nil {
		return err
	}
	batch := w.engine.db.NewBatch()
	n, err := w.do(ctx, batch)
	if n == 0 {
		_ = batch.Close()
		return err
	}
	results := w.results[w.done : w.done+n]
	w.done += n
	w.settle()
	if err != nil || batch.Empty() {
		_ = batch.Close()
		refuse(results, err)
		return nil
	}
	w.open, w.unsure = batch, results
	return nil
}

// settle waits until the open batch is durable.
func (w *bulkWrite) settle() {
	if w.open != nil {
		refuse(w.unsure, w.engine.sync(w.open))
		w.open = nil
	}
}

// do reads, decides and applies the next ops, and gives how many: none when there is no collection, or no room in time.
func (w *bulkWrite) do(ctx context.Context, batch *pebble.Batch) (int, error) {
	leave, err := w.engine.slots.chunk(ctx, w.address.Scope)
	if err != nil {
		return 0, err
	}
	defer leave()
	w.prepare()
	before, err := w.engine.readAhead(w.address, w.ready, w.previous)
	if err != nil {
		return 0, err
	}
	return w.apply(ctx, batch, before)
}

// apply decides and applies what is ready under the locks of the documents, and gives how many ops it did.
func (w *bulkWrite) apply(ctx context.Context, batch *pebble.Batch, before ahead) (int, error) {
	leave, err := w.engine.slots.bulk(ctx, w.address.Scope)
	if err != nil {
		return 0, err
	}
	defer leave()
	u, err := w.engine.enter(w.address, batch, w.ready, w.previous, before)
	if err != nil {
		return 0, err
	}
	defer w.engine.leave(&u)
	n := w.stage(&u)
	return n, u.apply()
}

// prepare fills ready up to the size of a chunk.
func (w *bulkWrite) prepare() {
	for _, op := range w.ops[w.done+len(w.ready):] {
		if len(w.ready) == chunkOps || len(w.ready) > 0 && w.readyBytes >= chunkBytes {
			return
		}
		ch := newChange(op)
		if w.versions != nil {
			ch.version = w.versions[w.done+len(w.ready)]
		}
		w.ready = append(w.ready, ch)
		w.readyBytes += len(ch.source) + len(ch.fallback)
	}
}

// stage does the ready ops until the batch is full, and gives how many. An update can write much more than it was given,
// so that this may be fewer than are ready.
func (w *bulkWrite) stage(u *unit) int {
	n := 0
	for ; n < len(w.ready) && (n == 0 || u.batch.Len() < chunkBytes); n++ {
		w.results[w.done+n] = u.stage(w.ready[n])
		w.readyBytes -= len(w.ready[n].source) + len(w.ready[n].fallback)
	}
	w.ready = append(w.ready[:0], w.ready[n:]...)
	return n
}

// refuse gives err to every op that has no error of its own; nil changes nothing.
func refuse(results []storage.OpResult, err error) {
	for i := range results {
		if err != nil && results[i].Err == nil {
			results[i] = storage.OpResult{Err: err}
		}
	}
}

var _ storage.Bulk = (*Engine)(nil)
