package funnel

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// admission lets a bounded number of requests run and a bounded number wait.
type admission struct {
	places  chan struct{}
	buffer  int64
	waiting atomic.Int64

	// warned is the second, since 1970, of the last warning.
	warned atomic.Int64

	closing atomic.Bool
	// running counts requests between enter and leave, closing included.
	running sync.WaitGroup
	mu      sync.RWMutex
}

func newAdmission(concurrent, buffer int) *admission {
	return &admission{places: make(chan struct{}, concurrent), buffer: int64(buffer)}
}

// enter waits for a place. Whoever gets one calls leave. Errors: api.process.shutting_down, api.process.overloaded, and
// api.process.connection_dropped when the client left first.
func (a *admission) enter(ctx context.Context) error {
	if err := a.register(); err != nil {
		return err
	}
	select {
	case a.places <- struct{}{}:
		return nil
	default:
	}
	if a.waiting.Add(1) > a.buffer {
		a.waiting.Add(-1)
		a.running.Done()
		return kerror.APIProcessOverloaded.New()
	}
	defer a.waiting.Add(-1)
	select {
	case a.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		a.running.Done()
		return kerror.APIProcessConnectionDropped.Wrap(ctx.Err())
	}
}

// register counts the request, unless the node is stopping. The lock is held shared on the way in and alone when drain
// begins, so that no request is counted after drain waits.
func (a *admission) register() error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.closing.Load() {
		return kerror.APIProcessShuttingDown.New()
	}
	a.running.Add(1)
	return nil
}

// mayWarn reports, once a second, that a warning is due.
func (a *admission) mayWarn(now time.Time) bool {
	last := a.warned.Load()
	return now.Unix() > last && a.warned.CompareAndSwap(last, now.Unix())
}

func (a *admission) leave() {
	<-a.places
	a.running.Done()
}

// drain refuses new requests and waits for the others.
func (a *admission) drain(ctx context.Context) error {
	a.mu.Lock()
	a.closing.Store(true)
	a.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		a.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
