package realtime

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Rooms that remember are swept twice in each window: messages that are too old go, histories that nobody asks for any more,
// and rooms that nobody came back to.

// sweepSoonLocked sees to it that there is a sweep while anything is remembered.
func (s *Service) sweepSoonLocked() {
	if s.sweeper != nil || s.closed || len(s.remembering) == 0 {
		return
	}
	s.sweeps.Add(1)
	s.sweeper = time.AfterFunc(max(s.o.History.Window/2, time.Millisecond), s.sweep)
}

func (s *Service) sweep() {
	defer s.sweeps.Done()
	s.mu.RLock()
	rooms := slices.Collect(maps.Keys(s.remembering))
	s.mu.RUnlock()
	for _, r := range rooms {
		if s.sweepRoom(r, time.Now()) {
			s.tellRemoved(context.Background(), r)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweeper = nil
	s.sweepSoonLocked()
}

// stopSweepingLocked ends what sweepSoonLocked began; s.sweeps tells when it has ended.
func (s *Service) stopSweepingLocked() {
	if s.sweeper != nil && s.sweeper.Stop() {
		s.sweeps.Done()
	}
	s.sweeper = nil
}

// sweepRoom reports whether it ended the room.
func (s *Service) sweepRoom(r *room, now time.Time) (ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.history == nil || s.closed {
		return false
	}
	h, window := r.history, s.o.History.Window
	s.forgetOldLocked(h, now)
	switch {
	case len(r.members) == 0:
		if now.Sub(r.vacant) < window {
			return false
		}
		s.lingering--
		s.closeLocked(r)
		return true
	case r.isResumableLocked():
		h.unused = time.Time{}
	case h.unused.IsZero():
		h.unused = now
	case now.Sub(h.unused) >= window:
		s.forgetAllLocked(r)
	}
	return false
}

// isResumableLocked reports whether anybody is on a channel that can be resumed.
func (r *room) isResumableLocked() bool {
	for _, c := range r.channels {
		if c.options.Resumable {
			return true
		}
	}
	return false
}

// rememberRoomLocked begins a history.
func (s *Service) rememberRoomLocked(r *room) {
	if r.history == nil {
		r.history = newHistory()
		s.remembering[r] = struct{}{}
		s.sweepSoonLocked()
	}
}

// forgetAllLocked ends a history.
func (s *Service) forgetAllLocked(r *room) {
	if r.history != nil {
		s.forgetLocked(r.history, len(r.history.entries))
		r.history = nil
		delete(s.remembering, r)
	}
}
