package elastic

import (
	"context"
	"sync"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// gate lets operations in until it is shut, and lets shut wait for those inside. An operation may start another one (visit
// of Scan does): it is refused once the gate is shutting, never blocked.
type gate struct {
	running sync.WaitGroup

	mu   sync.RWMutex
	shut bool
}

// enter admits an operation, which must then call leave.
func (g *gate) enter(ctx context.Context) error {
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

func (g *gate) leave() { g.running.Done() }

// close shuts the gate and waits until it is empty; false when it was shut before.
func (g *gate) close() bool {
	g.mu.Lock()
	first := !g.shut
	g.shut = true
	g.mu.Unlock()
	if first {
		g.running.Wait()
	}
	return first
}
