package realtime

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// HistoryLimits bound what rooms remember for clients that come back.
type HistoryLimits struct {
	// Window is how long a message is remembered, and a room that nobody is in; 0 remembers nothing.
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
}

type remembered struct {
	encoded
	at time.Time
}

func newHistory() *history {
	return &history{epoch: strconv.FormatUint(rand.Uint64(), 36)} //nolint:gosec // unique, not secret
}

// id names the message with the given number.
func (h *history) id(number uint64) string { return h.epoch + "-" + strconv.FormatUint(number, 10) }

// rememberLocked keeps a message and gives its id.
func (s *Service) rememberLocked(r *room, e encoded) string {
	h := r.history
	h.last++
	h.entries = append(h.entries, remembered{e, time.Now()})
	s.historyBytes.Add(int64(len(e.head)))
	excess := max(0, len(h.entries)-s.o.History.Messages)
	for excess < len(h.entries) && time.Since(h.entries[excess].at) > s.o.History.Window {
		excess++
	}
	s.forgetLocked(h, excess)
	if s.historyBytes.Load() > s.o.History.Bytes {
		s.forgetLocked(h, len(h.entries))
		s.metrics.forgotten.Inc()
	}
	return h.id(h.last)
}

// forgetLocked drops the n oldest messages.
func (s *Service) forgetLocked(h *history, n int) {
	for i := range n {
		s.historyBytes.Add(-int64(len(h.entries[i].head)))
		h.entries[i] = remembered{}
	}
	h.entries = h.entries[n:]
}

// sinceLocked gives what came after the message that a client names; false when that is not known any more.
func (h *history) sinceLocked(id string) ([]remembered, uint64, bool) {
	epoch, text, _ := strings.Cut(id, "-")
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil || epoch != h.epoch || number > h.last {
		return nil, 0, false
	}
	missed := h.last - number
	if missed > uint64(len(h.entries)) {
		return nil, 0, false
	}
	return h.entries[uint64(len(h.entries))-missed:], number + 1, true
}
