package local

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// waitersPerSlot bounds how many hashes may wait for each one that runs: at 27 ms a hash, about a second.
	waitersPerSlot = 32
	// waitersShare is the part of them that may wait for one client network, so that none takes all places.
	waitersShare = 4
)

// hasher computes hashes, as many at a time as there are processors: each takes all of one and its memory. Those who wait
// are served in the order they came, and leave when their ctx ends; beyond the bounds they are turned away with
// api.process.overloaded.
type hasher struct {
	cost Cost
	// decoy is compared with the password of an unknown user, so that it takes as long as a known one.
	decoy hash
	// kuzzle is so for hashes of a Kuzzle 2; nil when nobody has one.
	kuzzle *kuzzleHash
	slots  chan struct{}
	// runs counts hashes computed.
	runs atomic.Int64
	// idle fires when no hash was computed for idleTime.
	idle *time.Timer

	mu      sync.Mutex
	waiting int
	// from says for which networks; those that are known.
	from map[string]int
}

// idleTime is how long after the last hash its memory is given back: 19 MiB of garbage each, which the collector would
// otherwise keep for minutes in a process that does little else.
const idleTime = 3 * time.Second

func newHasher(c Cost) *hasher {
	return &hasher{
		cost:  c,
		decoy: hash{c, make([]byte, saltBytes), make([]byte, hashBytes)},
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		from:  map[string]int{},
		idle:  stopped(time.AfterFunc(idleTime, debug.FreeOSMemory)),
	}
}

// hash computes a new hash with the configured cost, for a client of that network ("" for nobody's).
func (h *hasher) hash(ctx context.Context, network, password string) (hash, error) {
	if err := h.enter(ctx, network); err != nil {
		return hash{}, err
	}
	defer h.leave()
	return newHash(password, h.cost), nil
}

// matches compares a password with a stored hash, nil for a user that does not exist, which matches nothing. All who are refused
// wait equally long.
func (h *hasher) matches(ctx context.Context, network string, stored storedHash, password string) (bool, error) {
	if err := h.enter(ctx, network); err != nil {
		return false, err
	}
	defer h.leave()
	if stored != nil && stored.matches(password) {
		return true, nil
	}
	if _, same := stored.(hash); !same {
		h.decoy.matches(password)
	}
	if theirs, same := stored.(kuzzleHash); h.kuzzle != nil && (!same || theirs.way != stretched) {
		h.kuzzle.matches(password)
	}
	return false, nil
}

func (h *hasher) enter(ctx context.Context, network string) error {
	if !h.queue(network) {
		return kerror.APIProcessOverloaded.New()
	}
	defer h.unqueue(network)
	select {
	case h.slots <- struct{}{}:
		h.runs.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hasher) queue(network string) bool {
	most := cap(h.slots) * waitersPerSlot
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting >= most || h.from[network] >= most/waitersShare {
		return false
	}
	h.waiting++
	if network != "" {
		h.from[network]++
	}
	return true
}

func (h *hasher) unqueue(network string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting--
	if network == "" {
		return
	}
	if h.from[network]--; h.from[network] == 0 {
		delete(h.from, network)
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
