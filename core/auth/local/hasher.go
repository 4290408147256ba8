package local

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// waitersPerSlot bounds how many hashes may wait for each one that runs: at 27 ms a hash, about a second.
const waitersPerSlot = 32

// hasher computes hashes, as many at a time as there are processors: each takes all of one and its memory. Those who wait
// leave when their ctx ends; beyond the bound they are turned away with api.process.overloaded.
type hasher struct {
	cost Cost
	// decoy is compared with the password of an unknown user, so that it takes as long as a known one.
	decoy   hash
	slots   chan struct{}
	waiting atomic.Int64
	// runs counts hashes computed.
	runs atomic.Int64
	// idle fires when no hash was computed for idleTime.
	idle *time.Timer
}

// idleTime is how long after the last hash its memory is given back: 19 MiB of garbage each, which the collector would
// otherwise keep for minutes in a process that does little else.
const idleTime = 3 * time.Second

func newHasher(c Cost) *hasher {
	return &hasher{
		cost:  c,
		decoy: hash{c, make([]byte, saltBytes), make([]byte, hashBytes)},
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		idle:  stopped(time.AfterFunc(idleTime, debug.FreeOSMemory)),
	}
}

// hash computes a new hash with the configured cost.
func (h *hasher) hash(ctx context.Context, password string) (hash, error) {
	if err := h.enter(ctx); err != nil {
		return hash{}, err
	}
	defer h.leave()
	return newHash(password, h.cost), nil
}

// matches compares a password with a stored hash, nil for a user that does not exist, which matches nothing.
func (h *hasher) matches(ctx context.Context, stored *hash, password string) (bool, error) {
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	if stored == nil {
		h.decoy.matches(password)
		return false, nil
	}
	return stored.matches(password), nil
}

func (h *hasher) enter(ctx context.Context) error {
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > int64(cap(h.slots)*waitersPerSlot) {
		return kerror.APIProcessOverloaded.New()
	}
	select {
	case h.slots <- struct{}{}:
		h.runs.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hasher) leave() {
	<-h.slots
	h.idle.Reset(idleTime)
}

func stopped(t *time.Timer) *time.Timer {
	t.Stop()
	return t
}
