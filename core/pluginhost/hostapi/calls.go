package hostapi

import (
	"sync"

	"github.com/sluicehq/sluice/protocol"
)

// Calls remembers the requests that a plugin works on. The zero value is ready. It is safe for concurrent use.
type Calls struct {
	mu      sync.RWMutex
	last    uint64
	serving map[uint64]origin
}

// origin is what is kept of a request: it may change while the plugin works on it.
type origin struct {
	requestID string
	user      *protocol.User
	hops      int
}

// Serve names r until end is called.
func (c *Calls) Serve(r *protocol.Request) (id uint64, end func()) {
	o := origin{requestID: r.RequestID, user: r.User}
	if r.Internal != nil {
		o.hops = r.Internal.Hops
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.serving == nil {
		c.serving = map[uint64]origin{}
	}
	c.last++
	id = c.last
	c.serving[id] = o
	return id, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.serving, id)
	}
}

func (c *Calls) find(id uint64) (origin, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	o, ok := c.serving[id]
	return o, ok
}
