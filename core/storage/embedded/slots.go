package embedded

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// slots bound how many searches compute at once: more than there are processors would only make each of them slower.
type slots chan struct{}

func newSlots() slots { return make(slots, runtime.GOMAXPROCS(0)) }

// compute waits for a slot and does what a search computes on pinned collections. A page of a file that the disk does not give is
// damage to the index, not the end of the process.
func (e *Engine) compute(ctx context.Context, all []*pinned, do func() error) (err error) {
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-e.slots }()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault, ok := recovered(recover()); ok {
			for _, p := range all {
				e.lose(p.coll, fault)
			}
			err = searchError(fault)
		}
	}()
	return searchError(do())
}

// recovered gives an error for a fault of memory, and goes on with any other panic.
func recovered(panicked any) (error, bool) {
	if panicked == nil {
		return nil, false
	}
	if fault, ok := panicked.(interface {
		error
		Addr() uintptr
	}); ok {
		return fmt.Errorf("%w: %w", segment.ErrDamaged, fault), true
	}
	panic(panicked)
}

// searchError is the answer when the index turned out to be damaged; other errors are answers already.
func searchError(err error) error {
	if err != nil && damaged(err) {
		return unexpected("the search index is damaged and is being made again, try again later", err)
	}
	return err
}

// searchArgument is the error for an argument that Searcher does not allow.
func searchArgument(name, want string) error {
	return kerror.ServicesStorageInvalidArgument.New(name, want)
}
