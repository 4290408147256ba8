package elastic

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// A joined request ends after this many units or, once it has one, at this many bytes.
	joinedUnits = 500
	joinedBytes = 1 << 20
	// Whoever has more than these is not joined: others need not wait for what is large already.
	aloneUnits = 50
	aloneBytes = 64 << 10
	// No more than these wait in a lane.
	queuedJobs  = 10_000
	queuedBytes = 64 << 20
)

// joiner joins what concurrent callers want of a collection: while a lane has enough requests under way, what comes waits, in its
// order, and goes out together. In is a unit of a request, such as the lines of one document of a _bulk, and Out what becomes of
// it. Each collection has a lane of its own, so that none waits for another that is flooded or cannot be written.
type joiner[In, Out any] struct {
	client *client
	// flights is how many requests of a lane are under way at once.
	flights int
	size    func(In) int
	// send makes one request, and gives as much as it gets.
	send func(ctx context.Context, to target, in []In) ([]Out, error)

	waiting atomic.Int64 // jobs in all lanes
	running sync.WaitGroup
	mu      sync.Mutex
	lanes   map[target]*lane[In, Out] // those that have something to do
}

// target is what the units of one request have in common.
type target struct {
	storage.Collection
	refresh bool
}

// lane is what waits for one target. It is guarded by joiner.mu.
type lane[In, Out any] struct {
	queue  []*job[In, Out]
	bytes  int
	flying int
}

// job is what one caller wants.
type job[In, Out any] struct {
	in    []In
	bytes int
	// left and taken are guarded by joiner.mu: the caller does not wait any more, and it is too late for that to count.
	left, taken bool

	done chan struct{} // closed once there are out and err
	out  []Out
	err  error
}

// do gives what becomes of each unit. When ctx ends before the request has begun nothing is done; later, it is unknown.
func (j *joiner[In, Out]) do(ctx context.Context, to target, in []In) ([]Out, error) {
	mine := &job[In, Out]{in: in, done: make(chan struct{})}
	for _, unit := range in {
		mine.bytes += j.size(unit)
	}
	if len(in) > aloneUnits || mine.bytes > aloneBytes {
		return j.send(ctx, to, in)
	}
	if err := j.add(ctx, to, mine); err != nil {
		j.client.count(outcomeShed)
		return nil, err
	}
	patience := time.NewTimer(j.client.timeout)
	defer patience.Stop()
	select {
	case <-mine.done:
		return mine.out, mine.err
	case <-patience.C:
		if j.leave(to, mine) {
			j.client.count(outcomeShed)
			return nil, tooMany()
		}
	case <-ctx.Done():
		j.leave(to, mine)
		return nil, ctx.Err()
	}
	select {
	case <-mine.done:
		return mine.out, mine.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// add lets a job wait, and begins a request when there may be one more.
func (j *joiner[In, Out]) add(ctx context.Context, to target, mine *job[In, Out]) error {
	if err := j.client.breaker.refusal(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.lanes[to]
	if l == nil {
		l = new(lane[In, Out])
		if j.lanes == nil {
			j.lanes = map[target]*lane[In, Out]{}
		}
		j.lanes[to] = l
	}
	if len(l.queue) >= queuedJobs || l.bytes+mine.bytes > queuedBytes {
		return tooMany()
	}
	l.queue = append(l.queue, mine)
	l.bytes += mine.bytes
	j.waiting.Add(1)
	if l.flying < j.flights {
		l.flying++
		within := context.WithoutCancel(ctx) // it is for others too
		j.running.Go(func() { j.fly(within, to, l) })
	}
	return nil
}

// leave reports whether a job that nobody waits for any more was still waiting.
func (j *joiner[In, Out]) leave(to target, mine *job[In, Out]) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if mine.taken {
		return false
	}
	mine.left = true
	j.lanes[to].bytes -= mine.bytes
	j.waiting.Add(-1)
	return true
}

// fly makes requests as long as there are jobs.
func (j *joiner[In, Out]) fly(ctx context.Context, to target, l *lane[In, Out]) {
	for {
		batch := j.take(to, l)
		if len(batch) == 0 {
			return
		}
		j.serve(ctx, to, batch)
	}
}

// take takes the jobs of the next request. When there are none the flight is over.
func (j *joiner[In, Out]) take(to target, l *lane[In, Out]) (batch []*job[In, Out]) {
	j.mu.Lock()
	defer j.mu.Unlock()
	units, bytes, n := 0, 0, 0
	for ; n < len(l.queue) && (len(batch) == 0 || units+len(l.queue[n].in) <= joinedUnits && bytes+l.queue[n].bytes <= joinedBytes); n++ {
		next := l.queue[n]
		if next.left {
			continue
		}
		next.taken = true
		batch, units, bytes = append(batch, next), units+len(next.in), bytes+next.bytes
	}
	clear(l.queue[:n]) // they are not held any longer than they are needed
	l.queue = l.queue[n:]
	l.bytes -= bytes
	j.waiting.Add(-int64(len(batch)))
	if len(batch) == 0 {
		if l.flying--; l.flying == 0 {
			delete(j.lanes, to)
		}
	}
	return batch
}

// serve makes one request for a batch. When it is refused as a whole because of something in it, nothing was done, and each half
// is tried by itself: who is not to blame does not suffer.
func (j *joiner[In, Out]) serve(ctx context.Context, to target, batch []*job[In, Out]) {
	in := batch[0].in
	if len(batch) > 1 {
		in = nil
		for _, b := range batch {
			in = append(in, b.in...)
		}
	}
	out, err := j.send(ctx, to, in)
	if len(batch) > 1 && spoilt(err) {
		half := len(batch) / 2
		j.serve(ctx, to, batch[:half])
		j.serve(ctx, to, batch[half:])
		return
	}
	for _, b := range batch {
		if err == nil {
			b.out, out = out[:len(b.in):len(b.in)], out[len(b.in):]
		}
		b.err = err
		close(b.done)
	}
}

// spoilt reports whether a request was refused for what it holds.
func spoilt(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && (f.status == http.StatusBadRequest || f.status == http.StatusRequestEntityTooLarge)
}

// wait waits for the requests under way. No job may come any more.
func (j *joiner[In, Out]) wait() { j.running.Wait() }

func tooMany() error { return kerror.ServicesStorageTooManyOperations.New("requests to Elasticsearch") }
