package realtime

import (
	"crypto/hmac"
	cryptorand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
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
	// Replay is how many bytes a client that comes back gets at once; who missed more is told that it cannot have it. It must
	// fit into an outbox, or the client would be closed as one that is too slow, again and again.
	Replay int64
	// Rooms is how many rooms are kept that nobody is in.
	Rooms int
}

// history is the last messages of a room, oldest first. Its messages are numbered without a gap.
type history struct {
	// epoch tells this run of numbers from those of the same room at other times. key seals ids: a client can name only
	// messages that it was told of, and so begin no earlier than it came.
	epoch string
	key   [sha256.Size]byte
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
	// finished are the messages that were made of it, by channel.
	finished map[string]*Message
}

func (m *remembered) bytes() int64 {
	total := len(m.head)
	for _, done := range m.finished {
		total += len(done.JSON)
	}
	return int64(total)
}

func newHistory() *history {
	h := &history{epoch: strconv.FormatUint(rand.Uint64(), 36), channels: map[string]Options{}} //nolint:gosec // unique, not secret
	_, _ = cryptorand.Read(h.key[:])                                                            // it never fails
	return h
}

// sealBytes is how much of the seal an id holds: enough that nobody guesses one.
const sealBytes = 8

// id names the message with the given number.
func (h *history) id(number uint64) string {
	name := h.epoch + "-" + strconv.FormatUint(number, 10)
	mac := hmac.New(sha256.New, h.key[:])
	mac.Write([]byte(name))
	return name + "-" + hex.EncodeToString(mac.Sum(nil)[:sealBytes])
}

// number reads an id; false when it is none of this history.
func (h *history) number(id string) (uint64, bool) {
	_, rest, _ := strings.Cut(id, "-")
	text, _, _ := strings.Cut(rest, "-")
	number, err := strconv.ParseUint(text, 10, 64)
	return number, err == nil && number <= h.last && hmac.Equal([]byte(id), []byte(h.id(number)))
}

// rememberLocked keeps a message and gives its id.
func (s *Service) rememberLocked(h *history, e encoded) string {
	h.last++
	now := time.Now()
	h.entries = append(h.entries, remembered{encoded: e, at: now})
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
		s.historyBytes.Add(-h.entries[i].bytes())
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

// finishLocked gives what is remembered under a number as a message for a channel, made once for all who come back to it.
func (s *Service) finishLocked(h *history, m *remembered, number uint64, channel string) *Message {
	if done := m.finished[channel]; done != nil {
		return done
	}
	done := m.message(channel, h.id(number))
	s.keepLocked(m, done)
	return done
}

// keepLocked keeps a message that was made of what is remembered.
func (s *Service) keepLocked(m *remembered, done *Message) {
	if m.finished == nil {
		m.finished = map[string]*Message{}
	}
	m.finished[done.Channel] = done
	s.historyBytes.Add(int64(len(done.JSON)))
}

// resumeLocked lets a seat begin with what came after a message, if the room remembers all of it and it is not too much. fresh
// says that the seat is new; one that was there has heard everything since it began, and what was before can no longer come
// in order.
func (s *Service) resumeLocked(r *room, to *seat, fresh bool, after string) (resumed bool) {
	h, o := r.history, to.channel.options
	_, known := h.channels[o.suffix()]
	number, named := h.number(after)
	if !known || !named {
		return false
	}
	if !fresh {
		return number >= to.from
	}
	missed, remembered := h.sinceLocked(number)
	if !remembered {
		return false
	}
	var replay []*Message
	total := int64(0)
	for i := range missed {
		if !missed[i].heardOn(o) {
			continue
		}
		if total += int64(len(missed[i].head)); s.o.History.Replay > 0 && total > s.o.History.Replay {
			return false
		}
		replay = append(replay, s.finishLocked(h, &missed[i], number+1+uint64(i), to.channel.name))
	}
	to.from, to.held = number, replay
	return true
}
