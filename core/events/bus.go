package events

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
)

// Bus runs hooks in the background, on a bounded queue. An event that finds the queue full is dropped and counted: what
// must not be lost is a stored row, not a hook. Hooks of one event run in the table's order; two events may overlap.
//
// Life: NewBus starts its workers, Close stops accepting, runs what is queued until ctx ends, and waits.
type Bus struct {
	logger  *slog.Logger
	queue   chan job
	cancel  context.CancelFunc
	workers sync.WaitGroup
	dropped atomic.Int64

	mu     sync.RWMutex
	closed bool
}

type job struct {
	event   string
	payload *Payload
	hooks   []Hook
}

const hookWorkers = 4

// NewBus starts a bus whose queue holds size events.
func NewBus(size int, logger *slog.Logger) *Bus {
	ctx, cancel := context.WithCancel(context.Background())
	b := &Bus{logger: logger, queue: make(chan job, size), cancel: cancel}
	for range hookWorkers {
		b.workers.Go(func() { b.work(ctx) })
	}
	return b
}

// Emit tells the hooks that t holds for the event. It never waits. payload must not change afterwards.
func (b *Bus) Emit(t *Table, event string, payload *Payload) {
	hooks := t.hooksOf(event)
	if len(hooks) == 0 {
		return
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		b.dropped.Add(1)
		return
	}
	select {
	case b.queue <- job{event, payload, hooks}:
	default:
		b.dropped.Add(1)
		b.logger.Warn("hook dropped: the queue is full; see plugins.hookQueueSize", "event", event)
	}
}

// Dropped counts the events that found the queue full or the bus closed.
func (b *Bus) Dropped() int64 { return b.dropped.Load() }

// Close stops the bus. Hooks still running when ctx ends see their context end.
func (b *Bus) Close(ctx context.Context) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	b.closed = true
	close(b.queue)
	b.mu.Unlock()
	stop := context.AfterFunc(ctx, b.cancel)
	defer stop()
	b.workers.Wait()
	b.cancel()
}

func (b *Bus) work(ctx context.Context) {
	for j := range b.queue {
		for _, hook := range j.hooks {
			b.run(ctx, hook, j)
		}
	}
}

func (b *Bus) run(ctx context.Context, hook Hook, j job) {
	if ctx.Err() != nil {
		b.dropped.Add(1)
		return
	}
	defer func() {
		if r := recover(); r != nil {
			b.logger.Error("hook panicked", "event", j.event, "panic", fmt.Sprint(r))
		}
	}()
	hook.Hook(ctx, j.event, j.payload)
}
