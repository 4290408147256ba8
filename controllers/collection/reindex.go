package collection

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// reindexBatch is how many documents are written at once.
const reindexBatch = 100

// Reindexer writes the documents of collections as they are once more, in the background, so that fields which a mapping
// gained are found in documents from before. Their versions grow by one. One collection is worked on at a time; those that
// wait are kept in memory, so what was not done when the node stops has to be asked for again.
//
// Life: NewReindexer starts its worker, Close stops it. Its methods are safe for concurrent use.
type Reindexer struct {
	engine interface {
		storage.Searcher
		storage.Bulk
	}
	log    *slog.Logger
	cancel context.CancelFunc
	worker sync.WaitGroup
	// wake holds something when the worker has to look at what waits.
	wake chan struct{}

	mu sync.Mutex
	// waiting holds each collection once.
	waiting []storage.Collection
}

// NewReindexer makes a Reindexer with nothing to do.
func NewReindexer(engine storage.Engine, log *slog.Logger) *Reindexer {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Reindexer{engine: engine, log: log, cancel: cancel, wake: make(chan struct{}, 1)}
	r.worker.Go(func() { r.run(ctx) })
	return r
}

// Reindex lets a collection be worked on, and returns at once. One that is being worked on already is begun again after
// that. After Close nothing comes of it.
func (r *Reindexer) Reindex(c storage.Collection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.waiting, c) {
		return
	}
	r.waiting = append(r.waiting, c)
	select {
	case r.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Close stops the work after the documents that are being written, and waits for it until ctx ends.
func (r *Reindexer) Close(ctx context.Context) error {
	r.cancel()
	done := make(chan struct{})
	go func() {
		r.worker.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Reindexer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		for c, ok := r.next(); ok && ctx.Err() == nil; c, ok = r.next() {
			r.reindex(ctx, c)
		}
	}
}

func (r *Reindexer) next() (c storage.Collection, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		return c, false
	}
	c, r.waiting = r.waiting[0], r.waiting[1:]
	return c, true
}

// reindex writes every document of a collection unless it has changed since it was read: then it has been indexed anew.
func (r *Reindexer) reindex(ctx context.Context, c storage.Collection) {
	log := r.log.With("index", c.Index, "collection", c.Name)
	refused := 0
	err := r.engine.Select(ctx, c, storage.Selection{Batch: reindexBatch}, func(docs []storage.Document) error {
		ops := make([]storage.Op, len(docs))
		for i, doc := range docs {
			ops[i] = storage.Op{Kind: storage.OpReplace, ID: doc.ID, Source: doc.Source, IfVersion: doc.Version}
		}
		results, err := r.engine.Write(ctx, c, ops, storage.BulkOptions{})
		if err != nil {
			return err
		}
		for i, result := range results {
			if result.Err == nil || errors.Is(result.Err, kerror.ServicesStorageTooManyChanges) || errors.Is(result.Err, kerror.ServicesStorageNotFound) {
				continue
			}
			if refused++; refused == 1 { // one says enough
				log.WarnContext(ctx, "a document cannot be indexed anew", "id", ops[i].ID, "error", result.Err)
			}
		}
		return ctx.Err()
	})
	switch {
	case errors.Is(err, context.Canceled):
		log.WarnContext(ctx, "the node stops before all documents are indexed anew: update the collection again with reindexCollection")
	case errors.Is(err, kerror.ServicesStorageUnknownCollection), errors.Is(err, kerror.ServicesStorageUnknownIndex): // it was deleted meanwhile
	case err != nil:
		log.ErrorContext(ctx, "cannot index a collection anew", "error", err)
	default:
		log.InfoContext(ctx, "indexed a collection anew", "refused", refused)
	}
}
