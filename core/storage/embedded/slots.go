package embedded

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// slots bound how many searches compute at once: more than there are processors would only make each of them slower. Searches
// of what the node stores have a slot of their own, so that who looks after the node can do so while others keep it busy.
//
// A chunk of a bulk takes a slot too, so that it has a processor while others search; bulks leaves one to the searches.
//
// Before that, without a slot, a chunk reads what is stored of its documents; chunks bounds how many do so or wait for a slot.
type slots struct{ public, internal, bulks, chunks chan struct{} }

func newSlots() slots {
	processors := runtime.GOMAXPROCS(0)
	return slots{
		public: make(chan struct{}, processors), internal: make(chan struct{}, 1), bulks: make(chan struct{}, max(1, processors-1)),
		chunks: make(chan struct{}, 2*processors),
	}
}

// of gives the slots for searches of a scope.
func (s slots) of(scope storage.Scope) chan struct{} {
	if scope == storage.Internal {
		return s.internal
	}
	return s.public
}

// take waits for a place in a channel.
func take(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// chunk waits for room to read what a chunk needs, which bounds the memory of all chunks. The caller must call leave.
func (s slots) chunk(ctx context.Context, scope storage.Scope) (leave func(), err error) {
	if scope == storage.Internal {
		return func() {}, nil
	}
	if err := take(ctx, s.chunks); err != nil {
		return nil, err
	}
	return func() { <-s.chunks }, nil
}

// bulk waits for a slot for a chunk of a public collection; others have no searches to leave room for. The caller must call
// leave.
func (s slots) bulk(ctx context.Context, scope storage.Scope) (leave func(), err error) {
	if scope == storage.Internal {
		return func() {}, nil
	}
	if err := take(ctx, s.bulks); err != nil {
		return nil, err
	}
	if err := take(ctx, s.public); err != nil {
		<-s.bulks
		return nil, err
	}
	return func() { <-s.public; <-s.bulks }, nil
}

// compute waits for a slot and does what a search computes on pinned collections; it does it twice when that takes so long
// that the memory which takes the writes has to make way for another one.
func (e *Engine) compute(ctx context.Context, all []*pinned, do func() error) error {
	slots := e.slots.of(all[0].coll.address.Scope)
	if err := take(ctx, slots); err != nil {
		return err
	}
	defer func() { <-slots }()
	err := guarded(do)
	if errors.Is(err, search.ErrHeld) { // it kept writers waiting, and with them whoever wants to search the same memory
		for _, p := range all {
			e.seal(p)
		}
		err = guarded(do)
	}
	if errors.Is(err, errFault) { // it does not say in which file
		for _, p := range all {
			e.lose(p.coll, err)
		}
	}
	return searchError(err)
}

var errFault = errors.New("a page of the index could not be read")

// guarded does what reads files of an index. A page that the disk does not give is damage to the index, not the end of the
// process.
func guarded(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		panicked := recover()
		fault, ok := panicked.(interface {
			error
			Addr() uintptr
		})
		switch {
		case ok:
			err = fmt.Errorf("%w: %w: %w", segment.ErrDamaged, errFault, fault)
		case panicked != nil:
			panic(panicked)
		}
	}()
	return do()
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
