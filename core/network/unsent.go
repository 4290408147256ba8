package network

import (
	"container/list"
	"errors"
	"sync"
	"time"
)

// ErrUnsent says that an answer found no room.
var ErrUnsent = errors.New("too many large answers wait for their clients")

// unsentGrace is how long a client has for an answer also when others need the room.
const unsentGrace = time.Second

// Unsent bounds the memory of all answers above UncountedBytes that wait for their clients to take them, over all connections of a
// node. Those that wait longest, and longer than unsentGrace, give way to new ones: who never reads keeps nobody else from reading.
// An answer passes however large when there is no other.
//
// It may be used by many goroutines at once. Make it with NewUnsent.
type Unsent struct {
	max int64

	mu      sync.Mutex
	bytes   int64     // of those in waiting
	waiting list.List // of *Departure, who came first stands first
}

// Departure is an answer on its way.
type Departure struct {
	of    *Unsent
	place *list.Element // nil once it was told to give way; guarded by of.mu
	bytes int64
	since time.Time

	mu     sync.Mutex
	cutOff func() // nil once the answer has ended
}

// NewUnsent gives room for so many bytes.
func NewUnsent(maxBytes int64) *Unsent { return &Unsent{max: maxBytes} }

// Add takes room for an answer, or says ErrUnsent. End gives it back. When the answer must give way cutOff is called, once and never
// after End; it ends what waits for the client and must not wait itself.
func (u *Unsent) Add(bytes int64, cutOff func()) (*Departure, error) {
	d := &Departure{of: u, bytes: bytes, since: time.Now(), cutOff: cutOff}
	late, fits := u.add(d)
	for _, other := range late {
		other.giveWay()
	}
	if !fits {
		return nil, ErrUnsent
	}
	return d, nil
}

// add gives the answers that must give way. They end at once, so that their room is free already.
func (u *Unsent) add(d *Departure) (late []*Departure, fits bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.bytes > 0 && u.bytes+d.bytes > u.max {
		first := u.waiting.Front().Value.(*Departure)
		if d.since.Sub(first.since) < unsentGrace {
			return late, false
		}
		u.removeLocked(first)
		late = append(late, first)
	}
	d.place = u.waiting.PushBack(d)
	u.bytes += d.bytes
	return late, true
}

func (u *Unsent) removeLocked(d *Departure) {
	if d.place == nil {
		return
	}
	u.waiting.Remove(d.place)
	d.place = nil
	u.bytes -= d.bytes
}

func (d *Departure) giveWay() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cutOff != nil {
		d.cutOff()
		d.cutOff = nil
	}
}

// End gives back what was taken.
func (d *Departure) End() {
	d.mu.Lock()
	d.cutOff = nil
	d.mu.Unlock()
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	d.of.removeLocked(d)
}
