package embedded

import (
	"context"
	"time"
)

// worker does one kind of work on the search indexes in the background, one collection at a time, in the order in which it was
// asked. Work that fails is tried again.
type worker struct {
	// do does a part of the work on a collection; more says that there is more of it.
	do func(ctx context.Context, c *collection) (more bool, err error)
	// rest says how long to pause after a part that took so long.
	rest func(took time.Duration) time.Duration

	asked chan struct{} // has room for one
	queue pending
	stop  context.CancelFunc
	done  chan struct{}
}

func newWorker(do func(context.Context, *collection) (bool, error), rest func(time.Duration) time.Duration) *worker {
	return &worker{do: do, rest: rest, asked: make(chan struct{}, 1), done: make(chan struct{})}
}

func (w *worker) start() {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go w.run(ctx)
}

// end stops the worker and waits for it. It may not have been started.
func (w *worker) end() {
	if w.stop != nil {
		w.stop()
		<-w.done
	}
}

// ask puts a collection in the queue, once. It does not block.
func (w *worker) ask(c *collection) {
	w.queue.add(c)
	select {
	case w.asked <- struct{}{}:
	default:
	}
}

func (w *worker) run(ctx context.Context) {
	defer close(w.done)
	for {
		c := w.queue.next()
		if c == nil {
			select {
			case <-w.asked:
				continue
			case <-ctx.Done():
				return
			}
		}
		start := time.Now()
		more, err := w.do(ctx, c)
		pause := w.rest(time.Since(start))
		if err != nil {
			pause = retryBrake
		}
		if more || err != nil {
			w.queue.add(c)
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// sleep is false when ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
