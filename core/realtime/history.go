package realtime

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// HistoryLimits bound what rooms remember for clients that come back.
type HistoryLimits struct {
	// Window is how long a message is remembered, and a room that nobody is in; 0 remembers nothing. What is over goes with
	// the next sweep, at most half as long after.
	Window time.Duration
	// Messages is how many of them a room remembers.
	Messages int
	// Bytes is what all rooms remember together.
	Bytes int64
	// Rooms is how many rooms are kept that nobody is in.
	Rooms int
}

// history is the last messages of a room, oldest first. Its messages are numbered without a gap.
type history struct {
	// epoch tells this run of numbers from those of the same room at other times.
	epoch string
	// last is the number of the newest message, 0 before the first.
	last    uint64
	entries []remembered
	// channels are those that somebody may come back to, by suffix.
	channels map[string]Options
	// unused is since when nobody is on any of them, as far as sweeps saw; zero while somebody is.
	unused time.Time
}

type remembered struct {
	encoded
	at time.Time
}

func newHistory() *history {
	epoch := strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // unique, not secret
	return &history{epoch: epoch, channels: map[string]Options{}}
}

// id names the message with the given number.
func (h *history) id(number uint64) string { return h.epoch + "-" + strconv.FormatUint(number, 10) }

// number reads an id; false when it is none of this history.
func (h *history) number(id string) (uint64, bool) {
	epoch, text, _ := strings.Cut(id, "-")
	number, err := strconv.ParseUint(text, 10, 64)
	return number, err == nil && epoch == h.epoch && number <= h.last
}

// rememberLocked keeps a message and gives its id.
func (s *Service) rememberLocked(h *history, e encoded) string {
	h.last++
	now := time.Now()
	h.entries = append(h.entries, remembered{e, now})
	s.historyBytes.Add(int64(len(e.head)))
	s.forgetLocked(h, max(0, len(h.entries)-s.o.History.Messages))
	s.forgetOldLocked(h, now)
	if s.historyBytes.Load() > s.o.History.Bytes {
		s.forgetLocked(h, len(h.entries))
		s.metrics.forgotten.Inc()
	}
	return h.id(h.last)
}

// forgetOldLocked drops the messages that are older than the window.
func (s *Service) forgetOldLocked(h *history, now time.Time) {
	n := 0
	for n < len(h.entries) && now.Sub(h.entries[n].at) > s.o.History.Window {
		n++
	}
	s.forgetLocked(h, n)
}

// forgetLocked drops the n oldest messages.
func (s *Service) forgetLocked(h *history, n int) {
	for i := range n {
		s.historyBytes.Add(-int64(len(h.entries[i].head)))
		h.entries[i] = remembered{}
	}
	if h.entries = h.entries[n:]; len(h.entries) == 0 {
		h.entries = nil
	}
}

// sinceLocked gives what came after a message; false when not all of that is known any more.
func (h *history) sinceLocked(number uint64) ([]remembered, bool) {
	missed := h.last - number
	if missed > uint64(len(h.entries)) {
		return nil, false
	}
	return h.entries[uint64(len(h.entries))-missed:], true
}

// resumeLocked lets a seat begin with what came after a message, if the room remembers all of it. fresh says that the seat is
// new; one that was there has heard everything since it began, and what was before can no longer come in order.
func (r *room) resumeLocked(s *seat, fresh bool, after string) (resumed bool) {
	h, o := r.history, s.channel.options
	_, known := h.channels[o.suffix()]
	number, named := h.number(after)
	if !known || !named {
		return false
	}
	if !fresh {
		return number >= s.from
	}
	missed, remembered := h.sinceLocked(number)
	if !remembered {
		return false
	}
	s.from = number
	for i, m := range missed {
		if m.heardOn(o) {
			s.held = append(s.held, m.message(s.channel.name, h.id(number+1+uint64(i))))
		}
	}
	return true
}
