package realtime

import (
	"context"
	"time"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Unsubscribe takes the connection of req out of a room, with all its channels; core.realtime.not_subscribed.
func (s *Service) Unsubscribe(ctx context.Context, req *protocol.Request, roomID string) error {
	if !s.leave(ctx, req.Connection.ID, roomID, req) {
		return kerror.CoreRealtimeNotSubscribed.New(req.Connection.ID, roomID)
	}
	return nil
}

// Leave takes a connection out of all its rooms: it was closed, or its token has ended. It reports whether it was in any.
func (s *Service) Leave(ctx context.Context, connection string) bool {
	s.mu.RLock()
	var ids []string
	if who := s.subscribers[connection]; who != nil {
		for id := range who.rooms {
			ids = append(ids, id)
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
	left, count, ok := s.stand(connection, roomID)
	if !ok {
		return false
	}
	s.tellLeft(ctx, left, count, req)
	return true
}

// departure is a member that left a room.
type departure struct {
	room   *room
	member *member
	closed bool // the room went with it
}

func (s *Service) stand(connection, roomID string) (left departure, count int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.subscribers[connection]
	if who == nil || who.rooms[roomID] == nil {
		return departure{}, 0, false
	}
	r := who.rooms[roomID]
	delete(who.rooms, roomID)
	if len(who.rooms) == 0 {
		delete(s.subscribers, connection)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	left = departure{room: r, member: r.members[connection]}
	r.standLocked(left.member)
	delete(r.members, connection)
	if len(r.members) == 0 && !s.lingerLocked(r) {
		s.closeLocked(r)
		left.closed = true
	}
	return left, len(r.members), true
}

// lingerLocked keeps a room that nobody is in for those who may come back.
func (s *Service) lingerLocked(r *room) bool {
	if r.history == nil || s.closed || s.lingering >= s.o.History.Rooms {
		return false
	}
	s.lingering++
	r.linger = time.AfterFunc(s.o.History.Window, func() { s.expire(r) })
	return true
}

// expire ends a room that nobody came back to.
func (s *Service) expire(r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.linger == nil || len(r.members) > 0 || s.rooms[r.id] != r {
		return
	}
	r.linger = nil
	s.lingering--
	s.closeLocked(r)
}

func (r *room) stopLingering() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopLingeringLocked()
}

func (r *room) stopLingeringLocked() {
	if r.linger != nil {
		r.linger.Stop()
		r.linger = nil
	}
}
