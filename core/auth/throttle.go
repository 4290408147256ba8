package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The rules for one account. Whoever guesses gets five tries, then one after each pause.
const (
	freeFailures = 5
	firstPause   = 30 * time.Second
	longestPause = 15 * time.Minute
	// triesAtOnce is how many attempts on one account are looked at at the same time; more wait, up to maxWaiting. It
	// bounds how many guesses a burst gets in before the first of them counts.
	triesAtOnce = 4
	maxWaiting  = 64
)

// maxTracked bounds each of the three memories of a Throttle. The key that was quiet for longest is forgotten first.
const maxTracked = 65_536

// ThrottleOptions are the limits of a Throttle.
type ThrottleOptions struct {
	// LoginsPerSecond bounds the attempts on one WebSocket connection; 0 does not.
	LoginsPerSecond int
	// FailedLoginsPerMinute bounds the failed attempts from one client address; 0 does not.
	FailedLoginsPerMinute int
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Throttle slows down whoever guesses passwords, in three ways: attempts on one WebSocket connection, failures from one
// client address (of IPv6 the /64, which is what one customer gets), and consecutive failures on one account, whether or
// not the account exists. It keeps no name and no address, only digests under a key of its own. It is safe for concurrent
// use, holds for one node, and forgets everything at a restart.
type Throttle struct {
	options ThrottleOptions
	now     func() time.Time
	secret  []byte

	mu          sync.Mutex
	connections *lru.Cache[digest, *rate.Limiter]
	addresses   *lru.Cache[digest, *rate.Limiter] // of failures
	accounts    *lru.Cache[digest, *account]
}

type digest [sha256.Size]byte

// account is what is known of one account. slots is its own guard, the rest is guarded by Throttle.mu.
type account struct {
	slots    chan struct{}
	waiting  int
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
	var err error
	if t.connections, err = lru.New[digest, *rate.Limiter](maxTracked); err != nil {
		return nil, err
	}
	if t.addresses, err = lru.New[digest, *rate.Limiter](maxTracked); err != nil {
		return nil, err
	}
	t.accounts, err = lru.New[digest, *account](maxTracked)
	return t, err
}

// Attempt is an admitted login. Exactly one call of End must follow.
type Attempt struct {
	throttle *Throttle
	failures *rate.Limiter // of the address, nil when it is not counted
	account  *account
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

// Begin admits a login of the strategy for the account it names ("" for none), waiting while too many attempts on that
// account are under way. Errors: api.process.too_many_logins_requests, or that of ctx.
func (t *Throttle) Begin(ctx context.Context, c *protocol.Connection, strategy, name string) (*Attempt, error) {
	if !t.allowConnection(c) {
		return nil, kerror.APIProcessTooManyLoginsRequests.New()
	}
	a := &Attempt{throttle: t}
	if name != "" {
		if err := a.enterAccount(ctx, t.key("account", strategy, name)); err != nil {
			return nil, err
		}
	}
	if !a.enterAddress(c.ClientIP) {
		a.leaveAccount(Undecided)
		return nil, kerror.APIProcessTooManyLoginsRequests.New()
	}
	return a, nil
}

// End says how the attempt went.
func (a *Attempt) End(r Result) {
	a.leaveAddress(r)
	a.leaveAccount(r)
}

func (t *Throttle) allowConnection(c *protocol.Connection) bool {
	if t.options.LoginsPerSecond <= 0 || c.Protocol != "websocket" {
		return true
	}
	k := t.key("connection", c.ID, "")
	t.mu.Lock()
	defer t.mu.Unlock()
	limiter, ok := t.connections.Get(k)
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(t.options.LoginsPerSecond), t.options.LoginsPerSecond)
		t.connections.Add(k, limiter)
	}
	return limiter.AllowN(t.now(), 1)
}

// enterAccount takes one of the account's slots, unless it is paused.
func (a *Attempt) enterAccount(ctx context.Context, k digest) error {
	t := a.throttle
	t.mu.Lock()
	acc, ok := t.accounts.Get(k)
	if !ok {
		acc = &account{slots: make(chan struct{}, triesAtOnce)}
		t.accounts.Add(k, acc)
	}
	paused := t.now().Before(acc.until)
	if paused || acc.waiting >= maxWaiting {
		t.mu.Unlock()
		return kerror.APIProcessTooManyLoginsRequests.New()
	}
	acc.waiting++
	t.mu.Unlock()

	var err error
	select {
	case acc.slots <- struct{}{}:
	case <-ctx.Done():
		err = ctx.Err()
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	acc.waiting--
	if err != nil {
		return err
	}
	if t.now().Before(acc.until) { // paused while we waited
		<-acc.slots
		return kerror.APIProcessTooManyLoginsRequests.New()
	}
	a.account = acc
	return nil
}

func (a *Attempt) leaveAccount(r Result) {
	if a.account == nil {
		return
	}
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	switch r {
	case Succeeded:
		a.account.failures, a.account.until = 0, time.Time{}
	case Failed:
		a.account.failures++
		if over := a.account.failures - freeFailures; over >= 0 {
			a.account.until = t.now().Add(pause(over))
		}
	case Undecided:
	}
	<-a.account.slots
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

func (a *Attempt) enterAddress(ip string) bool {
	t := a.throttle
	if t.options.FailedLoginsPerMinute <= 0 || ip == "" {
		return true
	}
	k := t.key("address", network(ip), "")
	t.mu.Lock()
	defer t.mu.Unlock()
	failures, ok := t.addresses.Get(k)
	if !ok {
		perSecond := rate.Limit(float64(t.options.FailedLoginsPerMinute) / time.Minute.Seconds())
		failures = rate.NewLimiter(perSecond, t.options.FailedLoginsPerMinute)
		t.addresses.Add(k, failures)
	}
	a.failures = failures
	return failures.TokensAt(t.now()) >= 1
}

// leaveAddress counts a failure. Attempts that were admitted together may all fail and go below zero: the address then
// waits until it is above again.
func (a *Attempt) leaveAddress(r Result) {
	if a.failures != nil && r == Failed {
		a.failures.ReserveN(a.throttle.now(), 1)
	}
}

// network is what failures are counted by: the address, or the /64 of an IPv6 address.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}

// key is the digest under which something is remembered.
func (t *Throttle) key(kind, first, second string) digest {
	var b []byte
	for _, part := range []string{kind, first, second} {
		b = fmt.Appendf(b, "%d:%s", len(part), part)
	}
	mac := hmac.New(sha256.New, t.secret)
	_, _ = mac.Write(b) // never fails
	var d digest
	mac.Sum(d[:0])
	return d
}
