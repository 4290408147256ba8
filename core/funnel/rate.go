package funnel

import (
	"math"
	"strconv"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// rates counts the requests of each user in the running second. It remembers a bounded number of users; the one that was
// quiet for longest is forgotten first, and a forgotten user starts at zero.
type rates struct{ windows *lru.Cache[string, *window] }

// window holds the second in its upper half and the count in its lower.
type window struct{ state atomic.Uint64 }

const ratedUsers = 100_000

func newRates() (*rates, error) {
	windows, err := lru.New[string, *window](ratedUsers)
	return &rates{windows}, err
}

// allow counts one request of the user and reports whether it is within limit for this second.
func (r *rates) allow(user string, limit int, now time.Time) bool {
	w, ok := r.windows.Get(user)
	if !ok {
		w = &window{}
		if earlier, found, _ := r.windows.PeekOrAdd(user, w); found {
			w = earlier
		}
	}
	second := uint64(now.Unix()) << 32 //nolint:gosec // wraps in the year 2106, and only starts a window
	for {
		old := w.state.Load()
		next := old + 1
		if old&^(1<<32-1) != second {
			next = second + 1
		}
		if w.state.CompareAndSwap(old, next) {
			return next&(1<<32-1) <= uint64(limit) //nolint:gosec // a limit is not negative
		}
	}
}

// rateLimit refuses what goes beyond the user's requests per second. Logins are counted by connection instead, by
// core/auth; somebody who logs out is always let go.
func (r *run) rateLimit() error {
	limit := r.funnel.Users.RateLimit(r.user)
	if limit <= 0 || r.isAuth("login") || r.isAuth("logout") && !r.user.Anonymous() {
		return nil
	}
	if !r.funnel.rates.allow(r.user.ID, limit, r.last) {
		return kerror.APIProcessTooManyRequests.New()
	}
	return nil
}

// actionLimits refuses what goes beyond the bounds that the action sets itself.
func (r *run) actionLimits() error {
	if r.entry == nil {
		return nil
	}
	if most := r.entry.MaxBodyBytes; most > 0 && int64(max(len(r.req.Body), len(r.req.RawBody))) > most {
		return kerror.NetworkHTTPRequestTooLarge.New()
	}
	if r.entry.Limit == nil {
		return nil
	}
	wait, ok := r.entry.Limit.Allow(r.client(), r.last)
	if ok {
		return nil
	}
	r.req.Reply.SetHeader("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return kerror.APIProcessTooManyRequests.New()
}

// client is whom the limit of the action counts by.
func (r *run) client() string {
	if r.entry.Limit.PerUser && !r.req.User.Anonymous() {
		return "user " + r.req.User.ID
	}
	return auth.Network(r.req.Connection.ClientIP)
}
