package router

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Limit bounds how often each client may call an action. It remembers a bounded number of clients; the one that was quiet
// for longest is forgotten first, and a forgotten one starts anew. It is safe for concurrent use.
type Limit struct {
	// PerUser counts by user where there is one, and not by address.
	PerUser   bool
	perSecond rate.Limit
	burst     int
	clients   *lru.Cache[string, *rate.Limiter]
}

const limitedClients = 20_000

// NewLimit allows a client perSecond calls a second, and burst at once; both must be positive.
func NewLimit(perUser bool, perSecond float64, burst int) (*Limit, error) {
	clients, err := lru.New[string, *rate.Limiter](limitedClients)
	return &Limit{perUser, rate.Limit(perSecond), burst, clients}, err
}

// Allow counts a call of a client. When it is too much, wait is how long until the next one is allowed.
func (l *Limit) Allow(client string, now time.Time) (wait time.Duration, ok bool) {
	limiter, known := l.clients.Get(client)
	if !known {
		limiter = rate.NewLimiter(l.perSecond, l.burst)
		if earlier, found, _ := l.clients.PeekOrAdd(client, limiter); found {
			limiter = earlier
		}
	}
	reservation := limiter.ReserveN(now, 1)
	wait = reservation.DelayFrom(now)
	if wait == 0 {
		return 0, true
	}
	reservation.CancelAt(now)
	return wait, false
}
