package node

import (
	"context"
	"errors"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// sessions joins tokens and rights with subscriptions: these end with what they rest on.
type sessions struct{ node *Node }

// Open implements auth.Connections.
func (s sessions) Open(id string) bool { return s.node.connections.Get(id) != nil }

// TokenEnded implements auth.Connections. Of a connection the subscriptions of every user end who has no token on it any more;
// anonymous never had one. It is told of the end once they are gone: the user may come back with another token right away.
func (s sessions) TokenEnded(ctx context.Context, ids []string, expired bool) {
	ctx = context.WithoutCancel(ctx) // half of it would be worse than none
	for _, id := range ids {
		s.node.realtime.LeaveOf(ctx, id, func(kuid string) bool {
			return kuid != protocol.AnonymousID && !s.node.tokens.Linked(id, kuid)
		})
		if expired {
			s.node.realtime.Notify(ctx, id, protocol.TokenExpired(s.node.id))
		}
		s.endStream(id)
	}
}

// endStream ends a stream of events, which was nothing but its subscription.
func (s sessions) endStream(id string) {
	if c := s.node.connections.Get(id); c != nil && c.Info().Protocol == "sse" {
		c.Close(websocket.ClosePolicyViolation, "the token has ended")
	}
}

// UserEnded implements auth.Connections.
func (s sessions) UserEnded(ctx context.Context, kuid string, spared func(connection string) bool) {
	s.node.realtime.LeaveAll(context.WithoutCancel(ctx), kuid, spared)
}

// maySubscribe implements realtime.Allowed.
func (s sessions) maySubscribe(ctx context.Context, kuid, index, collection string) (bool, error) {
	user, err := s.node.users.User(ctx, kuid)
	if errors.Is(err, kerror.SecurityUserNotFound) {
		return false, nil
	}
	return err == nil && s.allowed(user, index, collection), err
}

func (s sessions) allowed(user *security.User, index, collection string) bool {
	wanted := &protocol.Request{Controller: "realtime", Action: "subscribe", Index: index, Collection: collection}
	return s.node.users.Allowed(user, wanted, s.node.registry.Current().Grants())
}

// confirm asks again what was asked before the subscription was made; see realtime.Config.
func (s sessions) confirm(ctx context.Context, req *protocol.Request, index, collection string) error {
	if req.Token != "" {
		if err := s.node.tokens.Confirm(ctx, req.Connection, req.Token); err != nil {
			return err
		}
	}
	user, err := s.node.users.User(ctx, req.User.KUID())
	if err == nil && !s.allowed(user, index, collection) {
		err = s.node.users.Denied(user, req)
	}
	return err
}

// recheckSubscriptions has subscriptions looked at whenever rights change.
func (n *Node) recheckSubscriptions() {
	recheck := realtime.NewRechecker(n.realtime, sessions{n}.maySubscribe, n.options.Logger)
	n.onStop(func(context.Context) error { recheck.Close(); return nil })
	n.users.Watch(recheck.Changed)
}

var _ auth.Connections = sessions{}
