package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/gate"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Engine is the embedded document engine. All methods are safe for concurrent use.
type Engine struct {
	db        *pebble.DB
	gate      gate.Gate
	health    *health
	locks     documentLocks
	catalogue *catalogue
	readers   readers
	log       *slog.Logger

	// most is how many writes to a collection stay in memory; budget bounds them by size.
	most   uint64
	budget budget
	files  *indexFiles
	// freezer turns memories into files, merger makes files fewer and lost indexes again.
	freezer, merger *worker
	// lost is how many search indexes are being made again.
	lost    atomic.Int64
	slots   slots
	answers answers
	scrolls scrolls
	// disk stops what watches the file system.
	disk io.Closer
}

// begin admits a read; the caller must leave the gate.
func (e *Engine) begin(ctx context.Context) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	err := e.health.readable()
	if err != nil {
		e.gate.Leave()
	}
	return err
}

// beginWrite admits a write; the caller must leave the gate.
func (e *Engine) beginWrite(ctx context.Context) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	if err := e.health.writable(); err != nil {
		e.gate.Leave()
		return err
	}
	return nil
}

// Info reports the size on disk; Version is the version of the layout there.
func (e *Engine) Info(ctx context.Context) (storage.Info, error) {
	if err := e.begin(ctx); err != nil {
		return storage.Info{}, err
	}
	defer e.gate.Leave()
	used := int64(e.db.Metrics().DiskSpaceUsage()) //nolint:gosec // no disk is that large
	for _, c := range e.catalogue.now.Load().collections {
		used += c.segments.fileBytes()
	}
	return storage.Info{Type: "embedded", Version: fmt.Sprint(formatVersion), SpaceBytes: used}, nil
}

// Healthy tells what the disk did since Open; it does not touch it.
func (e *Engine) Healthy(ctx context.Context) error {
	if err := e.beginWrite(ctx); err != nil {
		return err
	}
	e.gate.Leave()
	if err := e.budget.healthy(); err != nil {
		return err
	}
	if n := e.lost.Load(); n > 0 {
		return unexpected("a search index is damaged and is being made again", fmt.Errorf("search indexes that cannot be searched: %d", n))
	}
	return nil
}

// closeIndexes stops what works on the search indexes and lets their files go.
func (e *Engine) closeIndexes() {
	e.freezer.end()
	e.merger.end()
	for _, c := range e.catalogue.now.Load().collections {
		if c.segments != nil { // else it was not opened yet
			c.segments.close()
		}
	}
}

// closeIndex removes the search index of a collection that is gone.
func (e *Engine) closeIndex(c *collection) {
	files, waiting := c.segments.close()
	e.budget.active.Add(-c.segments.size.Swap(0))
	e.budget.hold(-waiting)
	if c.segments.isLost() {
		e.lost.Add(-1)
	}
	e.files.remove(c.number, files...)
}

// Close refuses new operations, waits for running ones and releases the directory. It must not be called from visit of
// Scan. A second Close fails with services.storage.not_connected.
func (e *Engine) Close() error {
	if !e.gate.Close() {
		return kerror.ServicesStorageNotConnected.New()
	}
	e.scrolls.close()
	e.closeIndexes()
	if err := errors.Join(e.flush(), e.db.Close(), e.disk.Close()); err != nil {
		return fmt.Errorf("close storage: %w", err)
	}
	return nil
}

// flush leaves nothing in the log of an engine that ends well: damage to a file of documents is found whenever it is read,
// damage near the end of a log looks like the end.
func (e *Engine) flush() error {
	if e.health.writable() != nil { // the log holds what the disk took, and the next start reads it
		return nil
	}
	return e.db.Flush()
}

var _ storage.Engine = (*Engine)(nil)
