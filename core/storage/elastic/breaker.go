package elastic

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// breaker lets requests fail at once while Elasticsearch is known to be away. It opens after so many failures in a row, and
// closes with the first success, which is that of the monitor: no request of a client is spent on trying.
type breaker struct {
	most  int           // failures in a row
	pause time.Duration // between the trials of the monitor

	// outage is nil while it is closed.
	outage atomic.Pointer[outage]
	opened atomic.Int64 // how often

	mu       sync.Mutex
	failures int // in a row
	begin    time.Time
}

// outage is what is known about a server that is away.
type outage struct {
	since time.Time
	cause error
}

// refusal is nil, or the error of a request that is not sent.
func (b *breaker) refusal() error {
	o := b.outage.Load()
	if o == nil {
		return nil
	}
	hint := fmt.Sprintf("Elasticsearch has not answered since %s, and is asked again every %s.", o.since.UTC().Format(time.RFC3339), b.pause)
	return notConnected(o.cause, hint)
}

// succeed takes note of an answer.
func (b *breaker) succeed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = 0
	b.outage.Store(nil)
}

// fail takes note of a request that got no answer, for which the server is to blame.
func (b *breaker) fail(cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == 0 {
		b.begin = time.Now()
	}
	b.failures++
	if b.failures < b.most {
		return
	}
	if b.outage.Load() == nil {
		b.opened.Add(1)
	}
	b.outage.Store(&outage{since: b.begin, cause: cause})
}

// notConnected is the error of a request that Elasticsearch cannot be asked, or that it did not answer.
func notConnected(cause error, hint string) error {
	e := kerror.ServicesStorageNotConnected.Wrap(cause)
	if hint != "" {
		e.Message += " " + hint
	}
	return e
}
