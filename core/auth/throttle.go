package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The rules for one account. Whoever guesses gets five tries from one network, then one after each pause.
const (
	freeFailures = 5
	firstPause   = 30 * time.Second
	longestPause = 15 * time.Minute
	// accountFailures bounds the failures an hour on one account from everywhere: the ceiling of NIST SP 800-63B, 5.2.2.
	accountFailures = 100
	// trustedFor is how long a network that logged in is let through when the account has had that many.
	trustedFor = 24 * time.Hour
)

// maxTracked bounds each of the memories of a Throttle. The key that was quiet for longest is forgotten first.
const maxTracked = 65_536

// ThrottleOptions are the limits of a Throttle.
type ThrottleOptions struct {
	// LoginsPerSecond bounds the attempts on one WebSocket connection; 0 does not.
	LoginsPerSecond int
	// FailedLoginsPerMinute bounds the failed attempts from one client network; 0 does not.
	FailedLoginsPerMinute int
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Throttle slows down whoever guesses passwords. It counts, whether or not the account exists:
//
//  1. attempts on one WebSocket connection;
//  2. failures from one client network (see Network);
//  3. consecutive failures on one account from one network, so that guesses from elsewhere lock nobody out;
//  4. failures on one account from everywhere. A network that logged in there within a day is let through all the same.
//
// For 2 and 4 an attempt under way counts as a failure until it ends otherwise. Only a failure that was looked at is
// remembered, never an attempt that was refused: nobody pushes others out of the memory with refused attempts. Attempts
// from one network are looked at a few at a time, so that no network keeps the others from logging in.
//
// It keeps no name and no address, only digests under a key of its own. It is safe for concurrent use, holds for one node,
// and forgets everything at a restart.
type Throttle struct {
	options ThrottleOptions
	now     func() time.Time
	secret  []byte
	lines   lines

	mu          sync.Mutex
	connections *lru.Cache[digest, *rate.Limiter]
	networks    *failures
	accounts    *failures
	guesses     *lru.Cache[digest, *guesses]  // by account and network
	trusted     *lru.Cache[digest, time.Time] // by account and network: the last login
}

type digest [sha256.Size]byte

// guesses are the failures on one account from one network since its last login.
type guesses struct {
	failures int
	until    time.Time // no attempt before
}

// NewThrottle remembers nothing yet.
func NewThrottle(o ThrottleOptions) (*Throttle, error) {
	t := &Throttle{options: o, now: o.Now, secret: make([]byte, 32)}
	if t.now == nil {
		t.now = time.Now
	}
	if _, err := rand.Read(t.secret); err != nil {
		return nil, fmt.Errorf("make the key of the login throttle: %w", err)
	}
	t.lines.slots = triesAtOnce
	if o.FailedLoginsPerMinute > 0 { // or right logins would be refused for those that are under way
		t.lines.slots = min(t.lines.slots, o.FailedLoginsPerMinute)
	}
	var err error
	if t.connections, err = lru.New[digest, *rate.Limiter](maxTracked); err != nil {
		return nil, err
	}
	if t.networks, err = newFailures(o.FailedLoginsPerMinute, time.Minute); err != nil {
		return nil, err
	}
	if t.accounts, err = newFailures(accountFailures, time.Hour); err != nil {
		return nil, err
	}
	if t.guesses, err = lru.New[digest, *guesses](maxTracked); err != nil {
		return nil, err
	}
	t.trusted, err = lru.New[digest, time.Time](maxTracked)
	return t, err
}

// Attempt is an admitted login. Exactly one call of End must follow.
type Attempt struct {
	throttle *Throttle
	// What the attempt is counted by; the zero digest is nothing.
	network, account, pair, line digest
}

// Result is how an attempt ended.
type Result uint8

// The results.
const (
	// Undecided is an attempt of which nobody knows whether the password was right; it counts neither way.
	Undecided Result = iota
	Failed
	Succeeded
)

// Begin admits a login of the strategy for the account it names ("" for none), waiting while too many attempts from that
// network are under way. Errors: api.process.too_many_logins_requests, or that of ctx.
func (t *Throttle) Begin(ctx context.Context, c *protocol.Connection, strategy, name string) (*Attempt, error) {
	if !t.allowConnection(c) {
		return nil, kerror.APIProcessTooManyLoginsRequests.New()
	}
	a := t.attempt(Network(c.ClientIP), strategy, name)
	if !t.allowed(a) { // whoever is refused does not wait
		return nil, kerror.APIProcessTooManyLoginsRequests.New()
	}
	if err := t.lines.enter(ctx, a.line); err != nil {
		return nil, err
	}
	if !t.start(a) {
		t.lines.leave(a.line)
		return nil, kerror.APIProcessTooManyLoginsRequests.New()
	}
	return a, nil
}

// attempt works out what an attempt is counted by. One from nowhere stands in the line of its account.
func (t *Throttle) attempt(network, strategy, name string) *Attempt {
	a := &Attempt{throttle: t}
	if name != "" {
		a.account = t.key("account", strategy, name)
		a.pair = t.key("pair", strategy, name, network)
		a.line = a.account
	}
	if network != "" {
		a.network = t.key("network", network)
		a.line = a.network
	}
	return a
}

func (t *Throttle) allowConnection(c *protocol.Connection) bool {
	if t.options.LoginsPerSecond <= 0 || c.Protocol != "websocket" {
		return true
	}
	k := t.key("connection", c.ID)
	t.mu.Lock()
	defer t.mu.Unlock()
	limiter, ok := t.connections.Get(k)
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(t.options.LoginsPerSecond), t.options.LoginsPerSecond)
		t.connections.Add(k, limiter)
	}
	return limiter.AllowN(t.now(), 1)
}

func (t *Throttle) allowed(a *Attempt) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.allowedLocked(a)
}

func (t *Throttle) allowedLocked(a *Attempt) bool {
	now := t.now()
	if !t.networks.allowed(a.network, now) {
		return false
	}
	if g, ok := t.guesses.Get(a.pair); ok && now.Before(g.until) {
		return false
	}
	if t.accounts.allowed(a.account, now) {
		return true
	}
	last, ok := t.trusted.Get(a.pair)
	return ok && now.Sub(last) < trustedFor
}

// start reserves the failures that the attempt may be. Whoever waited may be refused by now.
func (t *Throttle) start(a *Attempt) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.allowedLocked(a) {
		return false
	}
	t.networks.reserve(a.network)
	t.accounts.reserve(a.account)
	return true
}

// End says how the attempt went.
func (a *Attempt) End(r Result) {
	t := a.throttle
	defer t.lines.leave(a.line)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.networks.release(a.network, r == Failed, now)
	t.accounts.release(a.account, r == Failed, now)
	if a.pair == (digest{}) {
		return
	}
	switch r {
	case Succeeded:
		t.guesses.Remove(a.pair)
		if a.network != (digest{}) {
			t.trusted.Add(a.pair, now)
		}
	case Failed:
		t.failedLocked(a.pair, now)
	case Undecided:
	}
}

func (t *Throttle) failedLocked(pair digest, now time.Time) {
	g, ok := t.guesses.Get(pair)
	if !ok {
		g = &guesses{}
		t.guesses.Add(pair, g)
	}
	g.failures++
	if over := g.failures - freeFailures; over >= 0 {
		g.until = now.Add(pause(over))
	}
}

// pause doubles with each failure from the first on.
func pause(doublings int) time.Duration {
	d := firstPause
	for range doublings {
		if d *= 2; d >= longestPause {
			return longestPause
		}
	}
	return d
}

// key is the digest under which something is remembered.
func (t *Throttle) key(parts ...string) digest {
	var b []byte
	for _, part := range parts {
		b = fmt.Appendf(b, "%d:%s", len(part), part)
	}
	mac := hmac.New(sha256.New, t.secret)
	_, _ = mac.Write(b) // never fails
	var d digest
	mac.Sum(d[:0])
	return d
}
