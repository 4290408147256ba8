package realtime

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Subscription is what a client asks for.
type Subscription struct {
	Index, Collection string
	// Filter is in the language of core/koncorde; nothing matches every document.
	Filter  jsontext.Value
	Options Options
	// After is the id of the last message that the client got, "" to begin now. It needs Options.Resumable.
	After string
}

// Subscribed is the answer to a subscription.
type Subscribed struct {
	RoomID  string `json:"roomId"`
	Channel string `json:"channel"`
	// LastMessageID is where the channel stands, and Resumed whether the client gets all that it missed: of channels that can
	// be resumed.
	LastMessageID string `json:"lastMessageId,omitzero"`
	Resumed       *bool  `json:"resumed,omitzero"`
}

// subscriber is a connection that is in a room.
type subscriber struct {
	outbox Outbox
	rooms  map[string]*room
}

// Subscribe puts the connection of req into the room of a filter. Messages wait until the network says, through
// req.Reply.Answered, that the answer is on its way; when the answer is an error after all, the subscription is taken back.
//
// Errors: api.assert.koncorde_dsl_error, core.realtime.too_many_rooms. The result is nil when the connection is gone; over a
// protocol without an outbox, such as HTTP, the subscription ends with the request.
func (s *Service) Subscribe(ctx context.Context, req *protocol.Request, sub Subscription) (*Subscribed, error) {
	filter, err := s.o.Parser.Parse(sub.Filter)
	if err != nil {
		return nil, kerror.APIAssertKoncordeDSLError.New(err.Error())
	}
	normal, err := filter.Normalise(s.o.MaxConditions)
	if err != nil {
		return nil, kerror.APIAssertKoncordeDSLError.New(err.Error())
	}
	at := place{sub.Index, sub.Collection}
	fresh := newRoom(koncorde.RoomID(sub.Index, sub.Collection, normal), at, normal)
	return s.enter(ctx, req, fresh, sub.Options, sub.After)
}

// Join puts the connection of req into a room that is there; core.realtime.room_not_found.
func (s *Service) Join(ctx context.Context, req *protocol.Request, roomID string, o Options, after string) (*Subscribed, error) {
	s.mu.RLock()
	r := s.rooms[roomID]
	s.mu.RUnlock()
	if r == nil || r.empty() {
		return nil, kerror.CoreRealtimeRoomNotFound.New(roomID)
	}
	return s.enter(ctx, req, r, o, after)
}

// RoomOf gives index and collection of a room that somebody is in.
func (s *Service) RoomOf(roomID string) (index, collection string, found bool) {
	s.mu.RLock()
	r := s.rooms[roomID]
	s.mu.RUnlock()
	if r == nil || r.empty() {
		return "", "", false
	}
	return r.at.index, r.at.collection, true
}

func (r *room) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.members) == 0
}

// entry is what entering a room gave.
type entry struct {
	room *room
	seat *seat // nil when the connection was on the channel already
	// joined says that it was not in the room before, created that the room was not there.
	joined, created bool
	count           int
	answer          Subscribed
}

func (s *Service) enter(ctx context.Context, req *protocol.Request, r *room, o Options, after string) (*Subscribed, error) {
	o.Resumable = o.Resumable && s.o.History.Window > 0
	out := s.o.Outbox(req.Connection.ID)
	if out == nil {
		if req.Connection.Protocol != "http" {
			return nil, nil
		}
		return &Subscribed{RoomID: r.id, Channel: r.id + o.suffix()}, nil
	}
	e, err := s.sit(req, r, out, o, after)
	if err != nil {
		return nil, err
	}
	if e.seat != nil {
		s.answerFirst(ctx, req, e)
	}
	s.tellEntered(ctx, req, e)
	return &e.answer, nil
}

// answerFirst begins to deliver once the answer to req is queued.
func (s *Service) answerFirst(ctx context.Context, req *protocol.Request, e entry) {
	ctx = context.WithoutCancel(ctx)
	connection := req.Connection.ID
	before := req.Reply.Answered
	req.Reply.Answered = func(ok bool) {
		if before != nil {
			before(ok)
		}
		if !ok {
			s.leave(ctx, connection, e.room.id, nil)
			return
		}
		e.room.mu.Lock()
		defer e.room.mu.Unlock()
		e.seat.beginLocked()
	}
}

// sit puts a connection on a channel of the room, which is made when it is not there.
func (s *Service) sit(req *protocol.Request, r *room, out Outbox, o Options, after string) (entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	created := s.rooms[r.id] == nil
	who := s.subscribers[req.Connection.ID]
	if err := s.roomForLocked(who, r, created); err != nil {
		return entry{}, err
	}
	switch {
	case !created:
		r = s.rooms[r.id]
	case r.closed: // somebody joins a room that has just ended
		return entry{}, kerror.CoreRealtimeRoomNotFound.New(r.id)
	default:
		s.openLocked(r)
	}
	if who == nil {
		who = &subscriber{outbox: out, rooms: map[string]*room{}}
		s.subscribers[req.Connection.ID] = who
	}
	who.rooms[r.id] = r

	r.mu.Lock()
	defer r.mu.Unlock()
	e := entry{room: r, created: created}
	m := r.members[req.Connection.ID]
	if m == nil {
		m = &member{connection: req.Connection, kuid: req.User.KUID(), volatile: req.Volatile}
		r.members[req.Connection.ID] = m
		e.joined = true
		if r.linger != nil {
			s.lingering--
			r.stopLingeringLocked()
		}
	}
	e.count = len(r.members)
	e.seat = r.sitLocked(m, out, o)
	e.answer = Subscribed{RoomID: r.id, Channel: r.id + o.suffix()}
	if o.Resumable {
		e.resumeLocked(o, after)
	}
	return e, nil
}

// roomForLocked refuses what would pass the bounds.
func (s *Service) roomForLocked(who *subscriber, r *room, created bool) error {
	tooMany := s.closed || created && s.o.MaxRooms > 0 && len(s.rooms) >= s.o.MaxRooms
	if who != nil && who.rooms[r.id] == nil && s.o.MaxSubscriptions > 0 && len(who.rooms) >= s.o.MaxSubscriptions {
		tooMany = true
	}
	if tooMany {
		return kerror.CoreRealtimeTooManyRooms.New()
	}
	return nil
}

// openLocked makes a room known.
func (s *Service) openLocked(r *room) {
	b := s.boards[r.at]
	if b == nil {
		b = &board{matcher: koncorde.NewMatcher()}
		s.boards[r.at] = b
	}
	b.matcher.Add(r.id, r.filter)
	b.rooms++
	s.rooms[r.id] = r
}

// closeLocked forgets a room.
func (s *Service) closeLocked(r *room) {
	b := s.boards[r.at]
	b.matcher.Remove(r.id)
	if b.rooms--; b.rooms == 0 {
		delete(s.boards, r.at)
	}
	delete(s.rooms, r.id)
	r.closed = true
	if r.history != nil {
		s.forgetLocked(r.history, len(r.history.entries))
	}
}

// resumeLocked lets the seat begin with what came after a message, if the room remembers.
func (e *entry) resumeLocked(o Options, after string) {
	r := e.room
	if r.history == nil {
		r.history = newHistory()
	}
	e.answer.LastMessageID = r.history.id(r.history.last)
	if after == "" {
		return
	}
	missed, number, known := r.history.sinceLocked(after)
	e.answer.Resumed = &known
	if e.seat == nil {
		return
	}
	for i, m := range missed {
		if m.heardOn(o) {
			e.seat.hearLocked(m.message(e.seat.channel.name, r.history.id(number+uint64(i))))
		}
	}
}
