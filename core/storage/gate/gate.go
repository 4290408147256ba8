// Package gate opens and closes an engine: operations that began before the end are waited for, later ones are refused. Only
// the engines below core/storage import it.
package gate

import (
	"context"
	"sync"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Gate lets operations in until it is shut, and lets shut wait for those inside. An operation may start another one (visit
// of Scan does): it is refused once the gate is shutting, never blocked. The zero value is open.
type Gate struct {
	running sync.WaitGroup

	mu   sync.RWMutex
	shut bool
}

// Enter admits an operation, which must then call Leave. After the end it is services.storage.not_connected.
func (g *Gate) Enter(ctx context.Context) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.shut {
		return kerror.ServicesStorageNotConnected.New()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g.running.Add(1)
	return nil
}

// Leave ends an operation that Enter admitted.
func (g *Gate) Leave() { g.running.Done() }

// Close shuts the gate and waits until it is empty; false when it was shut before.
func (g *Gate) Close() bool {
	g.mu.Lock()
	first := !g.shut
	g.shut = true
	g.mu.Unlock()
	if first {
		g.running.Wait()
	}
	return first
}
