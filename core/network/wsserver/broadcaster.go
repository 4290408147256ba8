package wsserver

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// broadcaster writes notifications: a few goroutines go round the connections that have some, each in its turn. So what is
// queued while others are served goes out together, one write a connection.
type broadcaster struct {
	// backlog is how many notifications wait to be written, to clients that take what is written.
	backlog atomic.Int64
	// paced says that somebody waits for the backlog to shrink.
	paced atomic.Bool

	mu      sync.Mutex
	ready   []*outbox // in the order of their turns, from next on
	next    int
	running int
	shrunk  chan struct{} // closed when the backlog has shrunk, nil while nobody waits
}

// maxBacklog is how many notifications may wait before those who make more are held back. It is some milliseconds of work, and
// lets several notifications for a connection go out together.
const maxBacklog = 16 << 10

// add gives a connection its turn. It has one at a time: see outbox.queue.
func (b *broadcaster) add(o *outbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ready = append(b.ready, o)
	if b.running < max(1, runtime.GOMAXPROCS(0)-1) { // one processor stays for those who make notifications
		b.running++
		go b.work()
	}
}

// turnsAtOnce is how many turns are served before others may run: who makes notifications must not wait for those who write
// them, or there would never be several for a connection.
const turnsAtOnce = 16

// work serves until nobody has a turn.
func (b *broadcaster) work() {
	g := gatherings.Get().(*gathering)
	defer gatherings.Put(g)
	served := 0
	for o := b.turn(); o != nil; o = b.turn() {
		if o.flush(g) {
			b.add(o)
		}
		if served++; served%turnsAtOnce == 0 {
			runtime.Gosched()
		}
	}
}

// turn takes the next connection; nil when there is none, and then the caller must end.
func (b *broadcaster) turn() *outbox {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == len(b.ready) {
		b.running--
		b.ready, b.next = b.ready[:0], 0
		return nil
	}
	o := b.ready[b.next]
	b.ready[b.next] = nil
	b.next++
	if b.next > len(b.ready)/2 && b.next > 1024 {
		b.ready = slices.Delete(b.ready, 0, b.next)
		b.next = 0
	}
	return o
}

// less takes n off the backlog.
func (b *broadcaster) less(n int) {
	if b.backlog.Add(-int64(n)) > maxBacklog || !b.paced.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shrunk != nil {
		close(b.shrunk)
		b.shrunk = nil
	}
	b.paced.Store(false)
}

// maxPace is how long anybody is held back: clients that are slow in a way not thought of must not stop the node.
const maxPace = time.Second

// pace waits until the backlog is small enough for more, ctx ends or maxPace is over.
func (b *broadcaster) pace(ctx context.Context) {
	if b.backlog.Load() <= maxBacklog {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxPace)
	defer cancel()
	for b.backlog.Load() > maxBacklog {
		shrunk := b.whenShrunk()
		if b.backlog.Load() <= maxBacklog {
			return
		}
		select {
		case <-shrunk:
		case <-ctx.Done():
			return
		}
	}
}

func (b *broadcaster) whenShrunk() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shrunk == nil {
		b.shrunk = make(chan struct{})
	}
	b.paced.Store(true)
	return b.shrunk
}
