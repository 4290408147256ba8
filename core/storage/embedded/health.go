package embedded

import (
	"fmt"
	"sync/atomic"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// health remembers what is wrong with the disk. The zero value is well. Safe for concurrent use.
type health struct {
	// failed: the log could not be written. Stays until the engine is opened again.
	failed atomic.Pointer[cause]
	// damaged: a checksum did not match. Stays until the engine is opened again.
	damaged atomic.Pointer[cause]
	// behind: a flush or compaction failed. Goes when one succeeds.
	behind atomic.Pointer[cause]
}

type cause struct{ err error }

// fail records that the log is lost and gives the error for the client.
func (h *health) fail(err error) error {
	h.failed.CompareAndSwap(nil, &cause{err})
	return h.readable()
}

// readable is nil unless what memory shows may be ahead of the disk.
func (h *health) readable() error {
	if c := h.failed.Load(); c != nil {
		return unexpected("the storage log cannot be written, restart the node once its disk is well", c.err)
	}
	return nil
}

// writable is nil when a write can be expected to last.
func (h *health) writable() error {
	if err := h.readable(); err != nil {
		return err
	}
	if c := h.damaged.Load(); c != nil {
		return unexpected("stored data is damaged, writes are refused", c.err)
	}
	if c := h.behind.Load(); c != nil {
		return refusesData(c.err)
	}
	return nil
}

func refusesData(err error) error {
	return unexpected("the storage disk refuses data, writes are refused until it takes some", err)
}

// unexpected makes the error for a failure below the engine. The text goes to clients; the cause, which may name files,
// only to the log.
func unexpected(text string, err error) error {
	return kerror.ServicesStorageUnexpectedError.Wrap(fmt.Errorf("%s: %w", text, err), text)
}
