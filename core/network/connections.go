package network

import (
	"sync"

	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// Connection is an open socket that messages can be sent to without a request.
type Connection interface {
	// Info describes the connection as its requests do. It never changes.
	Info() *protocol.Connection
	// Deliver takes messages in the order of the calls, after every answer that was queued before.
	realtime.Outbox
	// Close ends the connection with a WebSocket close code and a reason of at most 123 bytes, without waiting. Codes:
	// 1000 makes official clients stay away, so it is for their own wish only; after any other they come back.
	Close(code int, reason string)
}

// Connections are the open connections by id. It may be used by many goroutines at once; the zero value is empty.
type Connections struct {
	mu   sync.RWMutex
	byID map[string]Connection
}

// Add makes a connection known.
func (c *Connections) Add(conn Connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[string]Connection{}
	}
	c.byID[conn.Info().ID] = conn
}

// Remove forgets a connection.
func (c *Connections) Remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byID, id)
}

// Get finds an open connection, nil when there is none of that id.
func (c *Connections) Get(id string) Connection {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byID[id]
}

// Len counts the open connections.
func (c *Connections) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.byID)
}
