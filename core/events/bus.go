package events

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
)

// Bus fires events: pipes at once, hooks in the background, on a bounded queue. An event that finds the queue full is dropped and counted: what
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

// Fire runs the pipes that t holds for the event, one after the other, until one fails; then it tells the hooks, without
// waiting for them. payload is the caller's again when Fire returns: hooks get a copy of it and of its request.
//
// A pipe that panics fails with plugin.runtime.unexpected_error: a security decision behind a pipe fails closed.
func (b *Bus) Fire(ctx context.Context, t *Table, event string, payload *Payload) error {
	l := t.hear(event)
	if l == nil {
		return nil
	}
	for _, pipe := range l.pipes {
		if err := runPipe(ctx, pipe, event, payload); err != nil {
			return err
		}
	}
	if len(l.hooks) > 0 {
		b.emit(event, payload, l.hooks)
	}
	return nil
}

func (b *Bus) emit(event string, payload *Payload, hooks []Hook) {
	told := *payload
	if told.Request != nil {
		request := *told.Request
		told.Request = &request
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		b.dropped.Add(1)
		return
	}
	select {
	case b.queue <- job{event, &told, hooks}:
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
