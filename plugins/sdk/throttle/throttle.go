// Package throttle slows down who guesses credentials: by the address the guesses come from, and by the account they are
// for, whether or not it exists.
//
//	attempt, wait, err := t.Begin(ctx, r.Connection.ClientIP, "user:"+name)
//	switch {
//	case err != nil: // ctx is over
//	case wait > 0: // 429, Retry-After: wait
//	}
//	defer attempt.Drop() // counts as nothing, unless it was settled before
//	…
//	attempt.Fail() or attempt.Succeed()
//
// Attempts on one account that have begun count as failures until they are settled, so that many at once get no further than
// one after the other. An address may overshoot with attempts that are under way together, and is kept away the longer for it.
// Names and addresses are kept as HMACs under a key of the process. What is counted is lost with the process. Only failures are
// remembered: who is refused, however often, makes nobody be forgotten.
//
// Plugins import it; it imports settings and the LRU of hashicorp.
package throttle

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk/settings"
)

// Limits are how many failures are borne. In each of them 0 bounds nothing.
type Limits struct {
	// FailuresPerMinute is how many one address may have a minute, and at once. An IPv6 network of 64 bits is one address.
	FailuresPerMinute int `json:"failuresPerMinute"`
	// FailuresInARow is how many an account may have until it is blocked, for FirstBlock and twice as long after each
	// further failure, but no longer than LongestBlock. Success forgets them, and so does an hour without one.
	FailuresInARow int               `json:"failuresInARow"`
	FirstBlock     settings.Duration `json:"firstBlock"`
	LongestBlock   settings.Duration `json:"longestBlock"`
	// FailuresPerHour is how many an account may have in an hour, whatever happens in between.
	FailuresPerHour int `json:"failuresPerHour"`
	// MaxEntries is how many accounts, and as many addresses, are remembered; those that were quiet for longest are
	// forgotten first, and those that were blocked last. 0 is 50 000.
	MaxEntries int `json:"maxEntries"`
}

// Standard gives the limits of the bundled token services: reading settings over them keeps what is not set.
func Standard() Limits {
	return Limits{
		FailuresPerMinute: 30, FailuresInARow: 5, FailuresPerHour: 100, MaxEntries: 50_000,
		FirstBlock: settings.Duration{Duration: 30 * time.Second}, LongestBlock: settings.Duration{Duration: 15 * time.Minute},
	}
}

// Throttle counts attempts. It is safe for concurrent use.
type Throttle struct {
	limits  Limits
	key     []byte
	refused atomic.Int64

	mu        sync.Mutex
	addresses memory[*address]
	accounts  memory[*account]
	busy      map[name]*busy // by account, while attempts are under way
	waiting   map[name]int   // by address
}

// name is the HMAC of what is counted.
type name [16]byte

// New makes a Throttle that has counted nothing.
func New(l Limits) (*Throttle, error) {
	if l.MaxEntries <= 0 {
		l.MaxEntries = Standard().MaxEntries
	}
	t := &Throttle{limits: l, key: make([]byte, sha256.Size), busy: map[name]*busy{}, waiting: map[name]int{}}
	_, _ = rand.Read(t.key) // never fails: the runtime ends the process instead
	var err error
	if t.addresses, err = newMemory(l, func() *address { return new(address) }); err != nil {
		return nil, err
	}
	t.accounts, err = newMemory(l, func() *account { return new(account) })
	return t, err
}

// Attempt is one that has begun. Its methods may be called more than once: the first settles it.
type Attempt struct {
	throttle        *Throttle
	from, on        name
	byIP, byAccount bool
	done            bool
}

// Begin asks for an attempt from ip on an account; "" leaves one of them out. wait > 0 refuses it, for that long. It blocks
// while the answer depends on attempts on the account that are under way, unless too many wait already: that refuses it too.
// err is that of ctx.
func (t *Throttle) Begin(ctx context.Context, ip, accountName string) (attempt *Attempt, wait time.Duration, err error) {
	a := &Attempt{throttle: t, byIP: ip != "", byAccount: accountName != ""}
	a.from, a.on = t.name("ip", network(ip)), t.name("account", accountName)
	for {
		wait, settled := t.try(a)
		switch {
		case wait > 0:
			t.refused.Add(1)
			return nil, wait, nil
		case settled == nil:
			return a, 0, nil
		}
		select {
		case <-settled:
			t.leave(a)
		case <-ctx.Done():
			t.leave(a)
			return nil, 0, ctx.Err()
		}
	}
}

// Refused counts attempts that were refused.
func (t *Throttle) Refused() int64 { return t.refused.Load() }

// crowded is how long those wait who would be one too many to wait.
const crowded = time.Second

// try begins the attempt, or says how long to wait for one, or gives a channel that is closed when asking again makes sense:
// who gets that calls leave.
func (t *Throttle) try(a *Attempt) (wait time.Duration, settled <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if from, known := t.addresses.find(a.from); known && a.byIP {
		wait = from.wait(now, t.limits)
	}
	var failed account
	if on, known := t.accounts.find(a.on); known && a.byAccount {
		wait = max(wait, on.wait(now, t.limits))
		failed = *on
	}
	if wait > 0 || !a.byAccount {
		return wait, nil
	}
	b := t.busyLocked(a.on)
	if !b.full(failed, t.limits) {
		b.underWay++
		return 0, nil
	}
	if settled = t.waitLocked(a, b); settled == nil {
		return crowded, nil
	}
	return 0, settled
}

// Fail settles the attempt: the credentials were wrong.
func (a *Attempt) Fail() {
	a.settle(func(t *Throttle, now time.Time) {
		if a.byIP && t.limits.FailuresPerMinute > 0 {
			t.addresses.fail(a.from, now)
		}
		if a.byAccount {
			t.accounts.fail(a.on, now)
		}
	})
}

// Succeed settles the attempt: the credentials were right, and the failures before in a row are forgiven.
func (a *Attempt) Succeed() {
	a.settle(func(t *Throttle, _ time.Time) {
		if on, known := t.accounts.find(a.on); known && a.byAccount {
			on.inARow, on.blockedUntil = 0, time.Time{}
		}
	})
}

// Drop settles the attempt as if it had not been: nobody knows whether the credentials were right.
func (a *Attempt) Drop() { a.settle(func(*Throttle, time.Time) {}) }

func (a *Attempt) settle(count func(*Throttle, time.Time)) {
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.done {
		return
	}
	a.done = true
	count(t, time.Now())
	if a.byAccount {
		t.endLocked(a.on)
	}
}

func (t *Throttle) name(kind, text string) (n name) {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte(kind + "\x00" + text))
	copy(n[:], h.Sum(nil))
	return n
}

// network is what is one address: of IPv6 64 bits. What is no address counts as it is.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
