package realtime

import (
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/protocol"
)

// room is a filter on a collection, and who is in it.
type room struct {
	id     string
	at     place
	filter *koncorde.Normal

	mu sync.Mutex
	// members are the connections in the room, by id.
	members map[string]*member
	// channels by the suffix of their name.
	channels map[string]*channel
	// history is nil until somebody asks for a channel that can be resumed.
	history *history
	// linger ends the room when nobody comes back; nil while somebody is in it.
	linger *time.Timer
	// closed says that the room has ended; Service.mu guards it.
	closed bool
}

// member is a connection in a room.
type member struct {
	connection *protocol.Connection
	kuid       string
	// volatile is that of the first subscription, repeated when the member leaves.
	volatile jsontext.Value
	seats    []*seat
}

// channel is what those hear who chose the same options.
type channel struct {
	name    string
	options Options
	seats   []*seat
}

// seat is a member on a channel.
type seat struct {
	outbox  Outbox
	channel *channel
	// place is where it stands in channel.seats.
	place int
	// waiting holds back messages until the answer to the subscription is on its way.
	waiting bool
	held    []*Message
}

// maxHeld bounds the messages of a seat whose answer takes too long: it hears nothing more and is told by the gap.
const maxHeld = 4096

func newRoom(id string, at place, filter *koncorde.Normal) *room {
	return &room{id: id, at: at, filter: filter, members: map[string]*member{}, channels: map[string]*channel{}}
}

// sitLocked puts a member on a channel; nil when it is there already.
func (r *room) sitLocked(m *member, out Outbox, o Options) *seat {
	suffix := o.suffix()
	c := r.channels[suffix]
	if c == nil {
		c = &channel{name: r.id + suffix, options: o}
		r.channels[suffix] = c
	}
	for _, old := range m.seats {
		if old.channel == c {
			return nil
		}
	}
	s := &seat{outbox: out, channel: c, place: len(c.seats), waiting: true}
	c.seats = append(c.seats, s)
	m.seats = append(m.seats, s)
	return s
}

// standLocked takes a member off all its channels.
func (r *room) standLocked(m *member) {
	for _, s := range m.seats {
		c := s.channel
		last := len(c.seats) - 1
		c.seats[s.place] = c.seats[last]
		c.seats[s.place].place = s.place
		c.seats[last] = nil
		if c.seats = c.seats[:last]; last == 0 {
			delete(r.channels, c.options.suffix())
		}
	}
	m.seats = nil
}

// beginLocked lets a seat hear what was held back, and everything from now on.
func (s *seat) beginLocked() {
	s.waiting = false
	for _, m := range s.held {
		s.outbox.Deliver(m)
	}
	s.held = nil
}

// hearLocked gives a message to a seat, now or later.
func (s *seat) hearLocked(m *Message) {
	switch {
	case !s.waiting:
		s.outbox.Deliver(m)
	case len(s.held) < maxHeld:
		s.held = append(s.held, m)
	}
}
