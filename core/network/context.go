package network

import (
	"context"
	"sync"
	"time"
)

// requestContext is context.WithDeadline that starts its timer only when somebody asks for Done. Most requests are
// answered before anybody waits, and a timer made and stopped for each would cost more than reading the request.
type requestContext struct {
	parent   context.Context
	deadline time.Time

	mu       sync.Mutex
	inner    context.Context // nil until Done was called
	cancel   context.CancelFunc
	released bool
}

func (c *requestContext) Deadline() (time.Time, bool) {
	if d, ok := c.parent.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

func (c *requestContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithDeadline(c.parent, c.deadline)
		if c.released {
			c.cancel()
		}
	}
	return c.inner.Done()
}

func (c *requestContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.inner != nil:
		return c.inner.Err()
	case c.parent.Err() != nil:
		return c.parent.Err()
	case !time.Now().Before(c.deadline):
		return context.DeadlineExceeded
	case c.released:
		return context.Canceled
	}
	return nil
}

// Value asks the inner context once there is one, so that contexts derived from this one find its canceller and need no
// goroutine of their own.
func (c *requestContext) Value(key any) any {
	c.mu.Lock()
	from := c.inner
	c.mu.Unlock()
	if from == nil {
		from = c.parent
	}
	return from.Value(key)
}

// release ends the context; it must be called once the request was answered.
func (c *requestContext) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.released = true
	if c.cancel != nil {
		c.cancel()
	}
}

var _ context.Context = (*requestContext)(nil)
