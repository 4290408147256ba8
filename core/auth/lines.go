package auth

import (
	"context"
	"sync"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// triesAtOnce is how many attempts from one network are looked at at the same time; more wait, up to maxWaiting. It bounds
// how many guesses a burst gets in before the first of them counts, and how many of the hashes that the node computes at
// once are for one network.
const (
	triesAtOnce = 4
	maxWaiting  = 64
)

// lines let attempts with the same key wait for each other, first come first served. A line is there as long as somebody
// stands in it. The zero key does not wait. It is safe for concurrent use.
type lines struct {
	slots int // how many of a line go on at once

	mu    sync.Mutex
	byKey map[digest]*line
}

type line struct {
	slots  chan struct{}
	people int // waiting or gone on; guarded by lines.mu
}

// enter waits until it is the caller's turn; leave must follow. Errors: api.process.too_many_logins_requests when too many
// wait already, or that of ctx.
func (l *lines) enter(ctx context.Context, k digest) error {
	if k == (digest{}) {
		return nil
	}
	mine := l.join(k)
	if mine == nil {
		return kerror.APIProcessTooManyLoginsRequests.New()
	}
	select {
	case mine.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		l.quit(k)
		return ctx.Err()
	}
}

func (l *lines) leave(k digest) {
	if k != (digest{}) {
		<-l.quit(k).slots
	}
}

// join gives nil when the line is too long.
func (l *lines) join(k digest) *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine, ok := l.byKey[k]
	if !ok {
		if l.byKey == nil {
			l.byKey = map[digest]*line{}
		}
		mine = &line{slots: make(chan struct{}, l.slots)}
		l.byKey[k] = mine
	}
	if mine.people >= l.slots+maxWaiting {
		return nil
	}
	mine.people++
	return mine
}

func (l *lines) quit(k digest) *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := l.byKey[k]
	if mine.people--; mine.people == 0 {
		delete(l.byKey, k)
	}
	return mine
}
