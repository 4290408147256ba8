package realtime

import (
	"context"
	"slices"
	"time"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Unsubscribe takes the connection of req out of a room, with all its channels; core.realtime.not_subscribed. It hears
// nothing of the room any more once this has returned.
func (s *Service) Unsubscribe(ctx context.Context, req *protocol.Request, roomID string) error {
	if !s.leave(ctx, req.Connection.ID, roomID, req) {
		return kerror.CoreRealtimeNotSubscribed.New(req.Connection.ID, roomID)
	}
	return nil
}

// Leave takes a connection that was closed out of all its rooms, and reports whether it was in any. The network must know
// nothing of it any more.
func (s *Service) Leave(ctx context.Context, connection string) bool {
	return s.LeaveOf(ctx, connection, func(string) bool { return true })
}

// LeaveOf takes a connection out of the rooms that it entered in the name of users that of admits, and reports whether there
// were any. It is in a room once, in the name of who subscribed first. of must not call the service.
func (s *Service) LeaveOf(ctx context.Context, connection string, of func(kuid string) bool) bool {
	s.mu.RLock()
	var ids []string
	if who := s.subscribers[connection]; who != nil {
		for id, r := range who.rooms {
			if of(r.members[connection].kuid) { // nobody goes in or out without Service.mu
				ids = append(ids, id)
			}
		}
	}
	s.mu.RUnlock()
	for _, id := range ids {
		s.leave(ctx, connection, id, nil)
	}
	return len(ids) > 0
}

// leave takes a connection out of a room and tells the others; it reports whether it was in it. req is the request that
// asked for it, nil when nobody did.
func (s *Service) leave(ctx context.Context, connection, roomID string, req *protocol.Request) bool {
	left, ok := s.stand(connection, roomID)
	if ok {
		s.tellLeft(ctx, left, req)
	}
	return ok
}

// departure is a member that left a room.
type departure struct {
	room   *room
	member *member
	closed bool // the room went with it
	// count is how many stay.
	count int
}

func (s *Service) stand(connection, roomID string) (left departure, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.subscribers[connection]
	if who == nil || who.rooms[roomID] == nil {
		return departure{}, false
	}
	r := who.rooms[roomID]
	r.mu.Lock()
	defer r.mu.Unlock()
	return s.departLocked(connection, r), true
}

// withdraw takes back what entering a room gave, unless another subscription to the same channel was answered or still may
// be: the seat, and the room with it when it was the only one.
func (s *Service) withdraw(ctx context.Context, connection string, e entry) {
	if left, ok := s.rise(connection, e); ok {
		s.tellLeft(ctx, left, nil)
	}
}

// rise takes a seat away; it reports whether the connection left the room with it.
func (s *Service) rise(connection string, e entry) (left departure, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.room.mu.Lock()
	defer e.room.mu.Unlock()
	e.seat.asked--
	// A seat without a place is of a member that has left, and may have come back.
	if e.seat.place < 0 || e.seat.asked > 0 || !e.seat.waiting {
		return departure{}, false
	}
	e.room.riseLocked(e.seat)
	e.member.seats = slices.DeleteFunc(e.member.seats, func(other *seat) bool { return other == e.seat })
	if len(e.member.seats) > 0 {
		return departure{}, false
	}
	return s.departLocked(connection, e.room), true
}

// departLocked takes a member out of a room, which ends when it was the last one and nobody may come back.
func (s *Service) departLocked(connection string, r *room) departure {
	who := s.subscribers[connection]
	who.bytes -= r.bytes
	if delete(who.rooms, r.id); len(who.rooms) == 0 {
		delete(s.subscribers, connection)
	}
	m := r.members[connection]
	delete(r.members, connection)
	for _, seat := range m.seats {
		r.riseLocked(seat)
	}
	left := departure{room: r, member: m, count: len(r.members)}
	if left.count > 0 {
		return left
	}
	if r.history != nil && !s.closed && s.lingering < s.o.History.Rooms {
		s.lingering++
		r.vacant = time.Now()
		return left
	}
	s.closeLocked(r)
	left.closed = true
	return left
}
