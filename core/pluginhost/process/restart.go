package process

import (
	"math/rand/v2"
	"time"
)

// Policy says what happens after a crash.
type Policy struct {
	InitialDelay time.Duration
	MaxDelay     time.Duration
	// HealthyAfter is the time without a crash after which the wait starts over.
	HealthyAfter time.Duration
	// MaxRestarts within Window; one more and the plugin is given up. 0: the first crash is the end.
	MaxRestarts int
	Window      time.Duration
}

// DefaultPolicy waits 100 ms, doubled up to 30 s and over again after 60 s without a crash, and gives up after more than 5
// restarts in 10 minutes.
func DefaultPolicy() Policy {
	return Policy{
		InitialDelay: 100 * time.Millisecond, MaxDelay: 30 * time.Second, HealthyAfter: time.Minute,
		MaxRestarts: 5, Window: 10 * time.Minute,
	}
}

// Restarts counts the crashes of one plugin against a policy. It is used by one goroutine.
type Restarts struct {
	policy Policy
	delay  time.Duration
	recent []time.Time
}

// NewRestarts counts from nothing.
func NewRestarts(p Policy) *Restarts { return &Restarts{policy: p} }

// Crashed takes a crash at now after the process ran for uptime, and gives the wait before the next start; false when the
// plugin is to be left alone.
func (r *Restarts) Crashed(now time.Time, uptime time.Duration) (time.Duration, bool) {
	p := r.policy
	for len(r.recent) > 0 && now.Sub(r.recent[0]) >= p.Window {
		r.recent = r.recent[1:]
	}
	if len(r.recent) >= p.MaxRestarts {
		return 0, false
	}
	r.recent = append(r.recent, now)
	switch {
	case r.delay == 0 || uptime >= p.HealthyAfter:
		r.delay = p.InitialDelay
	default:
		r.delay = min(2*r.delay, p.MaxDelay)
	}
	// Up to a quarter less, so that plugins which died together do not come back together.
	return r.delay - rand.N(max(r.delay/4, 1)), true //nolint:gosec // jitter
}
