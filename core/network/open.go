package network

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Draining is a connection of a server that can be stopped. Neither method waits.
type Draining interface {
	comparable
	// Drain lets it end once what it was asked is answered and what waits for its client is sent.
	Drain()
	// Abort ends it at once.
	Abort()
}

// Open are the connections of one server. It may be used by many goroutines at once; the zero value is empty and lets in.
type Open[C Draining] struct {
	// Max is how many may be open at once; 0 is any number.
	Max int

	mu      sync.Mutex
	all     map[C]struct{}
	closing bool
	running sync.WaitGroup
}

// Why a connection is not let in.
var (
	ErrStopping = errors.New("the server is stopping")
	ErrFull     = errors.New("there are too many connections")
)

// Enter counts a connection in. Leave must follow, unless the answer is ErrStopping or ErrFull.
func (o *Open[C]) Enter(c C) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closing:
		return ErrStopping
	case o.Max > 0 && len(o.all) >= o.Max:
		return ErrFull
	case o.all == nil:
		o.all = map[C]struct{}{}
	}
	o.all[c] = struct{}{}
	o.running.Add(1)
	return nil
}

// Leave counts a connection out that has ended.
func (o *Open[C]) Leave(c C) {
	o.mu.Lock()
	delete(o.all, c)
	o.mu.Unlock()
	o.running.Done()
}

// Stopping reports whether Shutdown was called.
func (o *Open[C]) Stopping() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing
}

// abortTime is how long connections that were aborted may take to end.
const abortTime = time.Second

// Shutdown lets nobody in any more, drains all connections and waits for them to leave. When ctx ends first the rest is
// aborted and the error of ctx returned.
func (o *Open[C]) Shutdown(ctx context.Context) error {
	o.Stop()
	all := o.All()
	for _, c := range all {
		c.Drain()
	}
	done := make(chan struct{})
	go func() {
		o.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, c := range all {
		c.Abort()
	}
	select {
	case <-done:
		return ctx.Err()
	case <-time.After(abortTime):
		return errors.Join(ctx.Err(), errors.New("requests ignore that they were cancelled"))
	}
}

// Stop lets nobody in any more.
func (o *Open[C]) Stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closing = true
}

// All gives the connections that are open.
func (o *Open[C]) All() []C {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]C, 0, len(o.all))
	for c := range o.all {
		all = append(all, c)
	}
	return all
}
