package network

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// UncountedBytes is how much of a message comes without asking Unfinished: nearly all messages are smaller.
const UncountedBytes = 16 << 10

// ErrUnfinished says that a message found no room in time.
var ErrUnfinished = errors.New("too many large messages are unfinished")

// Unfinished bounds the memory of all messages that have begun to arrive and are not complete, over all connections of a node.
// It counts bytes as they are announced; what grows in memory takes up to twice as much. Who comes first gets room first. A
// message passes however large when nothing else is unfinished.
//
// It may be used by many goroutines at once. Make it with NewUnfinished.
type Unfinished struct {
	max int64

	mu      sync.Mutex
	bytes   int64
	waiting list.List // of *waiter
}

// waiter is a message without room.
type waiter struct {
	bytes int64
	room  chan struct{} // closed when it has room
}

// NewUnfinished gives room for so many bytes.
func NewUnfinished(maxBytes int64) *Unfinished { return &Unfinished{max: maxBytes} }

// take waits for room until ctx ends.
func (u *Unfinished) take(ctx context.Context, bytes int64) error {
	u.mu.Lock()
	if u.waiting.Len() == 0 && u.fitsLocked(bytes) {
		u.bytes += bytes
		u.mu.Unlock()
		return nil
	}
	w := &waiter{bytes, make(chan struct{})}
	place := u.waiting.PushBack(w)
	u.mu.Unlock()
	select {
	case <-w.room:
		return nil
	case <-ctx.Done():
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	select {
	case <-w.room: // in between
		return nil
	default:
	}
	u.waiting.Remove(place)
	u.admitLocked()
	return ErrUnfinished
}

// giveBack makes room for others.
func (u *Unfinished) giveBack(bytes int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes -= bytes
	u.admitLocked()
}

func (u *Unfinished) fitsLocked(bytes int64) bool { return u.bytes == 0 || u.bytes+bytes <= u.max }

func (u *Unfinished) admitLocked() {
	for first := u.waiting.Front(); first != nil; first = u.waiting.Front() {
		w := first.Value.(*waiter)
		if !u.fitsLocked(w.bytes) {
			return
		}
		u.waiting.Remove(first)
		u.bytes += w.bytes
		close(w.room)
	}
}

// Arrival is the part of Unfinished that one connection has: that of the message that it reads. Take and Done are for the
// goroutine that reads, GiveUp for any.
type Arrival struct {
	of      *Unfinished
	bytes   int64
	over    atomic.Bool
	waiting atomic.Pointer[context.CancelFunc]
}

// NewArrival makes an Arrival that has nothing.
func NewArrival(of *Unfinished) *Arrival { return &Arrival{of: of} }

// Take waits for room for a message; ErrUnfinished says that there was none in time, or that GiveUp was called.
func (a *Arrival) Take(ctx context.Context, bytes int64, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a.waiting.Store(&cancel)
	defer a.waiting.Store(nil)
	if a.over.Load() {
		return ErrUnfinished
	}
	if err := a.of.take(ctx, bytes); err != nil {
		return err
	}
	a.bytes = bytes
	return nil
}

// Done gives back what was taken, if anything.
func (a *Arrival) Done() {
	if a.bytes > 0 {
		a.of.giveBack(a.bytes)
		a.bytes = 0
	}
}

// GiveUp ends a Take that waits, and refuses those that come.
func (a *Arrival) GiveUp() {
	a.over.Store(true)
	if cancel := a.waiting.Load(); cancel != nil {
		(*cancel)()
	}
}
