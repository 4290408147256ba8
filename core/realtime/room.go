package realtime

import (
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/protocol"
)

// room is a filter on a collection, and who is in it. Whoever lets somebody in or out holds Service.mu too.
type room struct {
	id     string
	at     place
	filter *koncorde.Normal
	// bytes is about what the filter needs.
	bytes int64

	mu sync.Mutex
	// members are the connections in the room, by id.
	members map[string]*member
	// channels by the suffix of their name; none is empty.
	channels map[string]*channel
	// history is nil until somebody asks for a channel that can be resumed.
	history *history
	// vacant is since when nobody is in a room that is kept all the same; zero while somebody is.
	vacant time.Time
	// closed says that the room has ended: one with the same id is another.
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
	// place is where it stands in channel.seats, -1 once the member has left.
	place int
	// from is the number of the last message, of a room with history, that was before its time.
	from uint64
	// asked counts the subscriptions to the seat that are not answered yet. waiting holds back messages until the first answer
	// is on its way; deaf says that there were too many.
	asked         int
	waiting, deaf bool
	held          []*Message
	// mayHold is how many messages held has room for, and heldBytes what those have that came after what was missed.
	mayHold   int
	heldBytes int
}

// maxHeld and maxHeldBytes bound the messages that wait for an answer. With one more the client would miss some without
// knowing: its connection is closed, as that of any client that is too slow.
const (
	maxHeld      = 4096
	maxHeldBytes = 4 << 20
)

// closeTooSlow is the WebSocket close code after which official clients come back and subscribe again.
const closeTooSlow = 1011

// Memory of a filter, measured: bytesPerByte for each byte of its canonical form, and bytesPerFilter.
const (
	bytesPerByte   = 3
	bytesPerFilter = 512
)

func newRoom(id string, at place, filter *koncorde.Normal) *room {
	bytes := int64(bytesPerFilter + bytesPerByte*len(filter.AppendCanonical(nil)))
	return &room{id: id, at: at, filter: filter, bytes: bytes, members: map[string]*member{}, channels: map[string]*channel{}}
}

// sitLocked puts a member on a channel; fresh is false when it is there already.
func (r *room) sitLocked(m *member, out Outbox, o Options) (s *seat, fresh bool) {
	suffix := o.suffix()
	for _, s := range m.seats {
		if s.channel.options == o {
			return s, false
		}
	}
	c := r.channels[suffix]
	if c == nil {
		c = &channel{name: r.id + suffix, options: o}
		r.channels[suffix] = c
	}
	s = &seat{outbox: out, channel: c, place: len(c.seats), waiting: true}
	c.seats = append(c.seats, s)
	m.seats = append(m.seats, s)
	return s, true
}

// riseLocked takes a seat off its channel.
func (r *room) riseLocked(s *seat) {
	c := s.channel
	last := len(c.seats) - 1
	c.seats[s.place] = c.seats[last]
	c.seats[s.place].place = s.place
	c.seats[last] = nil
	if c.seats = c.seats[:last]; last == 0 {
		delete(r.channels, c.options.suffix())
	}
	s.place, s.held = -1, nil
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
	case s.deaf:
	case !s.waiting:
		s.outbox.Deliver(m)
	case len(s.held) < s.mayHold && s.heldBytes < maxHeldBytes:
		s.held = append(s.held, m)
		s.heldBytes += len(m.JSON)
	default:
		s.deaf, s.held = true, nil
		s.outbox.Close(closeTooSlow, "too slow: messages came before a subscription was answered")
	}
}
