package realtime

import (
	"context"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

// tellEntered tells a room that somebody came, and hooks what happened.
func (s *Service) tellEntered(ctx context.Context, req *protocol.Request, e entry) {
	r := e.room
	if e.created {
		s.fire(ctx, func() any {
			return roomEvent{ID: r.id, Index: r.at.index, Collection: r.at.collection, Filter: r.filter.AppendCanonical(nil)}
		}, roomCreated)
		s.fire(ctx, func() any { return newRoomEvent{r.at.index, r.at.collection, r.id} }, roomNew)
	}
	if !e.joined {
		return
	}
	s.fire(ctx, func() any { return r.id }, subscribed)
	s.fire(ctx, func() any { return r.subscription(e.member) }, userSubscribed, subscriptionNew)
	n := s.userNotification(r, "in", e.count, req.Volatile)
	n.Action, n.Protocol = req.Action, req.Connection.Protocol
	s.tellUsers(ctx, req, n, In, r)
}

// tellLeft tells those who stay in a room that somebody went.
func (s *Service) tellLeft(ctx context.Context, left departure, req *protocol.Request) {
	r, conn := left.room, left.member.connection
	s.fire(ctx, func() any { return r.id }, unsubscribed)
	s.fire(ctx, func() any {
		return departureEvent{
			RequestContext: requestContext{connectionEvent{conn.ID, conn.Protocol, conn.IPs}, userEvent{left.member.kuid}},
			Room:           leftRoom{r.id, r.at.index, r.at.collection},
			Subscription:   r.subscription(left.member),
		}
	}, userUnsubscribed, subscriptionGone)
	if left.closed {
		s.tellRemoved(ctx, r)
	}
	if left.count == 0 {
		return // nobody is there to hear it, and who comes back shall not hear of himself
	}
	n := s.userNotification(r, "out", left.count, left.member.volatile)
	n.Action = "unsubscribe"
	s.tellUsers(ctx, req, n, Out, r)
}

// tellRemoved tells hooks that a room has ended.
func (s *Service) tellRemoved(ctx context.Context, r *room) {
	s.fire(ctx, func() any { return r.id }, roomRemoved, roomRemove)
}

func (r *room) subscription(m *member) subscriptionEvent {
	return subscriptionEvent{
		Index: r.at.index, Collection: r.at.collection, Filters: r.filter.AppendCanonical(nil),
		RoomID: r.id, ConnectionID: m.connection.ID, KUID: m.kuid,
	}
}

func (s *Service) userNotification(r *room, user string, count int, volatile jsontext.Value) *protocol.Notification {
	return &protocol.Notification{
		Type: "user", Status: 200, User: user, Timestamp: now(), Volatile: volatile,
		Index: r.at.index, Collection: r.at.collection, Controller: "realtime", Node: s.o.NodeID,
		Result: append(strconv.AppendInt([]byte(`{"count":`), int64(count), 10), '}'),
	}
}

func (s *Service) tellUsers(ctx context.Context, req *protocol.Request, n *protocol.Notification, side Scope, r *room) {
	if r.heardBy(side) {
		s.send(ctx, req, userEvents, n, []*room{r}, None, side)
	}
}

// heardBy reports whether anybody in the room, or who may come back to it, wants to hear of users who come or go.
func (r *room) heardBy(side Scope) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.channels {
		if c.options.Users.admits(side) {
			return true
		}
	}
	if r.history == nil {
		return false
	}
	for _, o := range r.history.channels {
		if o.Users.admits(side) {
			return true
		}
	}
	return false
}
