package realtime

import (
	"context"
	"time"

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
	// After is the id of the last message that the client got, nil to begin now. It needs Options.Resumable. An id that the room
	// does not know, such as "", begins now too, and the client is told.
	After *string
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

// Join puts the connection of req into a room that is there; core.realtime.room_not_found. One that nobody is in is there for
// who can resume.
func (s *Service) Join(ctx context.Context, req *protocol.Request, roomID string, o Options, after *string) (*Subscribed, error) {
	s.mu.RLock()
	r := s.rooms[roomID]
	found := r != nil && (r.vacant.IsZero() || o.Resumable)
	s.mu.RUnlock()
	if !found {
		return nil, kerror.CoreRealtimeRoomNotFound.New(roomID)
	}
	return s.enter(ctx, req, r, o, after)
}

// RoomOf gives index and collection of a room, which nobody may be in for the moment.
func (s *Service) RoomOf(roomID string) (index, collection string, found bool) {
	r := s.room(roomID)
	if r == nil {
		return "", "", false
	}
	return r.at.index, r.at.collection, true
}

// entry is what entering a room gave.
type entry struct {
	room   *room
	member *member
	seat   *seat
	// fresh says that the seat is new, joined that the connection was not in the room before, created that the room was not
	// there.
	fresh, joined, created bool
	count                  int
	answer                 Subscribed
}

func (s *Service) enter(ctx context.Context, req *protocol.Request, r *room, o Options, after *string) (*Subscribed, error) {
	o.Resumable = o.Resumable && s.o.History.Window > 0
	id := req.Connection.ID
	out := s.o.Outbox(id)
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
	s.answerFirst(ctx, req, e)
	s.tellEntered(ctx, req, e)
	if s.o.Outbox(id) == nil { // closed meanwhile: Leave may have come too early
		s.leave(ctx, id, r.id, nil)
		return nil, nil
	}
	if err := s.confirm(ctx, req, e.room); err != nil {
		return nil, err
	}
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
			s.withdraw(ctx, connection, e)
			return
		}
		e.room.mu.Lock()
		defer e.room.mu.Unlock()
		e.seat.asked--
		e.seat.beginLocked()
	}
}

// sit puts a connection on a channel of the room, which is made when it is not there.
func (s *Service) sit(req *protocol.Request, r *room, out Outbox, o Options, after *string) (entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	there := s.rooms[r.id]
	created := there == nil
	if !created {
		r = there
	}
	if err := s.admitLocked(req.Connection.ID, r, created); err != nil {
		return entry{}, err
	}
	if created {
		s.openLocked(r)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := entry{room: r, created: created}
	e.member, e.joined = s.memberLocked(req, r)
	e.count = len(r.members)
	e.seat, e.fresh = r.sitLocked(e.member, out, o)
	e.answer = Subscribed{RoomID: r.id, Channel: e.seat.channel.name}
	if o.Resumable {
		s.standingLocked(&e, after)
	}
	if e.seat.asked++; e.fresh {
		e.seat.mayHold = len(e.seat.held) + maxHeld
	}
	return e, nil
}

// admitLocked refuses rooms that have ended, and what would pass the bounds.
func (s *Service) admitLocked(connection string, r *room, created bool) error {
	who := s.subscribers[connection]
	switch {
	case s.closed:
		return kerror.APIProcessShuttingDown.New()
	case r.closed: // somebody joins a room that has just ended
		return kerror.CoreRealtimeRoomNotFound.New(r.id)
	case who != nil && who.rooms[r.id] != nil:
		return nil
	case who != nil && s.o.MaxSubscriptions > 0 && len(who.rooms) >= s.o.MaxSubscriptions:
		return tooMany("This connection is in as many rooms as it may be in. Unsubscribe from rooms no longer needed, or raise " +
			"limits.subscriptionsPerConnection.")
	case s.o.MaxRooms > 0 && (created || !r.vacant.IsZero()) && len(s.rooms)-s.lingering >= s.o.MaxRooms:
		return kerror.CoreRealtimeTooManyRooms.New()
	}
	return s.admitBytesLocked(who, r, created)
}

// admitBytesLocked refuses filters that all together, or those of one connection, would need too much memory.
func (s *Service) admitBytesLocked(who *subscriber, r *room, created bool) error {
	limit := s.o.MaxFilterBytes
	switch {
	case limit <= 0:
		return nil
	case who != nil && who.bytes+r.bytes > limit/4, r.bytes > limit/4:
		return tooMany("The filters of this connection need too much memory. Unsubscribe from rooms no longer needed, or raise " +
			"limits.subscriptionBytes: a connection may have a quarter of it.")
	case created && s.filterBytes+r.bytes > limit:
		return tooMany("The filters of all subscriptions need too much memory. Raise limits.subscriptionBytes.")
	}
	return nil
}

// tooMany says which limit was reached, where the catalogue names that of the rooms of the node.
func tooMany(message string) error {
	e := kerror.CoreRealtimeTooManyRooms.New()
	e.Message = message
	return e
}

// memberLocked gives the member that a connection is in the room; joined says that it was not there before.
func (s *Service) memberLocked(req *protocol.Request, r *room) (m *member, joined bool) {
	id := req.Connection.ID
	if m := r.members[id]; m != nil {
		return m, false
	}
	who := s.subscribers[id]
	if who == nil {
		who = &subscriber{rooms: map[string]*room{}}
		s.subscribers[id] = who
	}
	who.rooms[r.id] = r
	who.bytes += r.bytes
	if !r.vacant.IsZero() {
		s.lingering--
		r.vacant = time.Time{}
	}
	m = &member{connection: req.Connection, kuid: req.User.KUID(), volatile: req.Volatile}
	r.members[id] = m
	return m, true
}

// standingLocked adds to the answer where a channel that can be resumed stands.
func (s *Service) standingLocked(e *entry, after *string) {
	r := e.room
	s.rememberRoomLocked(r)
	h := r.history
	e.answer.LastMessageID = h.id(h.last)
	if e.fresh {
		e.seat.from = h.last
	}
	if after != nil {
		resumed := s.resumeLocked(r, e.seat, e.fresh, *after)
		e.answer.Resumed = &resumed
	}
	h.channels[e.seat.channel.options.suffix()] = e.seat.channel.options
	h.unused = time.Time{}
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
	s.filterBytes += r.bytes
}

// closeLocked forgets a room that nobody is in.
func (s *Service) closeLocked(r *room) {
	b := s.boards[r.at]
	b.matcher.Remove(r.id)
	if b.rooms--; b.rooms == 0 {
		delete(s.boards, r.at)
	}
	delete(s.rooms, r.id)
	s.filterBytes -= r.bytes
	r.closed = true
	s.forgetAllLocked(r)
}
