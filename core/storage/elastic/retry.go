package elastic

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// A request is sent again where nothing was done: Elasticsearch was busy (429), a few times; or the request only reads, and the
// shards that would answer are not there yet, as those of an index that was just made.
const (
	maxBusy      = 5
	maxUnstarted = 3
)

// maxTriesOf is how often a request may be repeated that ended with err.
func maxTriesOf(r request, err error) int {
	f, refused := errors.AsType[*failure](err)
	switch {
	case !refused || r.probe:
		return 0
	case f.busy() && !r.advances():
		return maxBusy
	case r.reads() && f.unavailable():
		return maxUnstarted
	}
	return 0
}

// unavailable reports whether the answer says that somebody cannot serve now.
func (f *failure) unavailable() bool {
	return f.status == http.StatusBadGateway || f.status == http.StatusServiceUnavailable || f.status == http.StatusGatewayTimeout
}

// backoff is the pause before a repetition: 50 ms, and then twice as long each time, and not the same for all who wait.
func backoff(try int) time.Duration {
	whole := 50 * time.Millisecond << min(try, maxBusy)
	return whole/2 + rand.N(whole) //nolint:gosec // it need not be secret
}

// wait reports whether the time has passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
