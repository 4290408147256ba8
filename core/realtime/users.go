package realtime

import (
	"context"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

// tellEntered tells a room that somebody came, and hooks what happened.
func (s *Service) tellEntered(ctx context.Context, req *protocol.Request, e entry) {
	if e.created {
		s.fire(ctx, nil, roomCreated, roomEvent{ID: e.room.id, Index: e.room.at.index, Collection: e.room.at.collection, Filter: e.room.filter.AppendCanonical(nil)})
	}
	if !e.joined {
		return
	}
	s.fire(ctx, nil, userSubscribed, subscriptionEvent{
		Index: e.room.at.index, Collection: e.room.at.collection, Filters: e.room.filter.AppendCanonical(nil),
		RoomID: e.room.id, ConnectionID: req.Connection.ID, KUID: req.User.KUID(),
	})
	n := s.userNotification(e.room, "in", e.count, req.Volatile)
	n.Action, n.Protocol = req.Action, req.Connection.Protocol
	s.tellUsers(ctx, req, &n, In, e.room)
}

// tellLeft tells a room that somebody went.
func (s *Service) tellLeft(ctx context.Context, left departure, count int, req *protocol.Request) {
	r := left.room
	s.fire(ctx, nil, userUnsubscribed, subscriptionEvent{
		Index: r.at.index, Collection: r.at.collection, Filters: r.filter.AppendCanonical(nil),
		RoomID: r.id, ConnectionID: left.member.connection.ID, KUID: left.member.kuid,
	})
	if left.closed {
		s.fire(ctx, nil, roomRemoved, r.id)
	}
	n := s.userNotification(r, "out", count, left.member.volatile)
	n.Action = "unsubscribe"
	s.tellUsers(ctx, req, &n, Out, r)
}

func (s *Service) userNotification(r *room, user string, count int, volatile jsontext.Value) protocol.Notification {
	return protocol.Notification{
		Type: "user", Status: 200, User: user, Timestamp: now(), Volatile: volatile,
		Index: r.at.index, Collection: r.at.collection, Controller: "realtime", Node: s.o.NodeID,
		Result: append(strconv.AppendInt([]byte(`{"count":`), int64(count), 10), '}'),
	}
}

func (s *Service) tellUsers(ctx context.Context, req *protocol.Request, n *protocol.Notification, side Scope, r *room) {
	if !r.heardBy(side) {
		return
	}
	told, err := s.announce(ctx, req, userEvents, n, []*room{r})
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "subscribers were not told of a user", "room", r.id, "error", err)
		return
	}
	s.deliver(r, encode(told, None, side))
}

// heardBy reports whether anybody in the room wants to hear of users who come or go.
func (r *room) heardBy(side Scope) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.history != nil {
		return true
	}
	for _, c := range r.channels {
		if c.options.Users.admits(side) {
			return true
		}
	}
	return false
}
