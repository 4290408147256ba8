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
// Names and addresses are kept as HMACs under a key of the process. What is counted is lost with the process.
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

	"github.com/hashicorp/golang-lru/v2/simplelru"

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
	// forgotten first. 0 is 50 000.
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
	addresses *simplelru.LRU[name, *address]
	accounts  *simplelru.LRU[name, *account]
}

// name is the HMAC of what is counted.
type name [16]byte

// New makes a Throttle that has counted nothing.
func New(l Limits) (*Throttle, error) {
	if l.MaxEntries <= 0 {
		l.MaxEntries = Standard().MaxEntries
	}
	t := &Throttle{limits: l, key: make([]byte, sha256.Size)}
	_, _ = rand.Read(t.key) // never fails: the runtime ends the process instead
	var err error
	if t.addresses, err = simplelru.NewLRU[name, *address](l.MaxEntries, nil); err != nil {
		return nil, err
	}
	t.accounts, err = simplelru.NewLRU[name, *account](l.MaxEntries, nil)
	return t, err
}

// Attempt is one that has begun. Its methods may be called more than once: the first settles it.
type Attempt struct {
	throttle *Throttle
	address  *address
	account  *account
	done     bool
}

// Begin asks for an attempt from ip on an account; "" leaves one of them out. wait > 0 refuses it, for that long. It blocks
// while the answer depends on attempts on the account that are under way; err is that of ctx.
func (t *Throttle) Begin(ctx context.Context, ip, accountName string) (attempt *Attempt, wait time.Duration, err error) {
	from, on := t.name("ip", network(ip)), t.name("account", accountName)
	for {
		a, wait, settled := t.try(ip != "", from, accountName != "", on)
		switch {
		case a != nil:
			return a, 0, nil
		case settled == nil:
			t.refused.Add(1)
			return nil, wait, nil
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// Refused counts attempts that were refused.
func (t *Throttle) Refused() int64 { return t.refused.Load() }

// try gives an attempt, or how long to wait for one, or a channel that is closed when asking again makes sense.
func (t *Throttle) try(byIP bool, from name, byAccount bool, on name) (a *Attempt, wait time.Duration, settled <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	a = &Attempt{throttle: t}
	if byIP && t.limits.FailuresPerMinute > 0 {
		a.address = entry(t.addresses, from)
		wait = a.address.wait(now, t.limits)
	}
	if byAccount {
		a.account = entry(t.accounts, on)
		wait = max(wait, a.account.wait(now, t.limits))
	}
	if wait > 0 {
		return nil, wait, nil
	}
	if a.account != nil {
		if a.account.full(t.limits) {
			return nil, 0, a.account.next()
		}
		a.account.underWay++
	}
	return a, 0, nil
}

// Fail settles the attempt: the credentials were wrong.
func (a *Attempt) Fail() {
	a.settle(func(now time.Time, l Limits) {
		if a.address != nil {
			a.address.fail(now, l)
		}
		if a.account != nil {
			a.account.fail(now, l)
		}
	})
}

// Succeed settles the attempt: the credentials were right, and the failures before in a row are forgiven.
func (a *Attempt) Succeed() {
	a.settle(func(time.Time, Limits) {
		if a.account != nil {
			a.account.inARow, a.account.blockedUntil = 0, time.Time{}
		}
	})
}

// Drop settles the attempt as if it had not been: nobody knows whether the credentials were right.
func (a *Attempt) Drop() { a.settle(func(time.Time, Limits) {}) }

func (a *Attempt) settle(count func(time.Time, Limits)) {
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.done {
		return
	}
	a.done = true
	count(time.Now(), t.limits)
	if a.account != nil {
		a.account.underWay--
		a.account.wake()
	}
}

func (t *Throttle) name(kind, text string) (n name) {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte(kind + "\x00" + text))
	copy(n[:], h.Sum(nil))
	return n
}

func entry[E any](all *simplelru.LRU[name, *E], n name) *E {
	e, known := all.Get(n)
	if !known {
		e = new(E)
		all.Add(n, e)
	}
	return e
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
