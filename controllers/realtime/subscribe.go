package realtime

import (
	"context"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// subscribe answers {roomId, channel}, or null when the connection is gone. With the argument resumable it also answers
// lastMessageId, and with lastMessageId whether the messages since then follow.
func (c controller) subscribe(ctx context.Context, req *protocol.Request) (any, error) {
	if err := fromClient(req); err != nil {
		return nil, err
	}
	where, err := target.Public(req)
	if err != nil {
		return nil, err
	}
	options, after, err := optionsOf(req)
	if err != nil {
		return nil, err
	}
	filter, err := req.BodyObject()
	if err != nil {
		return nil, err
	}
	return answer(c.Realtime.Subscribe(ctx, req, realtime.Subscription{
		Index: where.Index, Collection: where.Name, Filter: filter, Options: options, After: after,
	}))
}

// join answers as subscribe does, for a room that is there. It takes the right to subscribe to the collection of the room.
func (c controller) join(ctx context.Context, req *protocol.Request) (any, error) {
	if err := fromClient(req); err != nil {
		return nil, err
	}
	room, err := roomID(req)
	if err != nil {
		return nil, err
	}
	options, after, err := optionsOf(req)
	if err != nil {
		return nil, err
	}
	if err := c.mayJoin(ctx, req, room); err != nil {
		return nil, err
	}
	return answer(c.Realtime.Join(ctx, req, room, options, after))
}

// mayJoin lets nobody into a room by its id whom subscribe would not let in. The room of others is not found.
func (c controller) mayJoin(ctx context.Context, req *protocol.Request, room string) error {
	allowed, err := c.subscribable(ctx, req)
	if err != nil {
		return err
	}
	index, collection, found := c.Realtime.RoomOf(room)
	if !found || !allowed(index, collection) {
		return kerror.CoreRealtimeRoomNotFound.New(room)
	}
	return nil
}

// subscribable tells to which collections the caller may subscribe.
func (c controller) subscribable(ctx context.Context, req *protocol.Request) (func(index, collection string) bool, error) {
	allowed, err := c.Users.Further(ctx, req, c.Announcer.Snapshot().Grants())
	if err != nil {
		return nil, err
	}
	return func(index, collection string) bool {
		return allowed(&protocol.Request{Controller: "realtime", Action: "subscribe", Index: index, Collection: collection})
	}, nil
}

// unsubscribe answers {roomId}.
func (c controller) unsubscribe(ctx context.Context, req *protocol.Request) (any, error) {
	if err := fromClient(req); err != nil {
		return nil, err
	}
	room, err := roomID(req)
	if err != nil {
		return nil, err
	}
	if err := c.Realtime.Unsubscribe(ctx, req, room); err != nil {
		return nil, err
	}
	return struct {
		RoomID string `json:"roomId"`
	}{room}, nil
}

// fromClient refuses calls from inside the node: nobody would hear.
func fromClient(req *protocol.Request) error {
	if req.Internal != nil {
		return kerror.PluginContextUnavailableRealtime.New(req.Action)
	}
	return nil
}

func roomID(req *protocol.Request) (string, error) {
	body, err := req.BodyFields()
	if err != nil {
		return "", err
	}
	return body.String("roomId")
}

// optionsOf reads what of a room the caller wants to hear, and after which message: an empty lastMessageId is one that no room
// knows, and asks to be told so.
func optionsOf(req *protocol.Request) (o realtime.Options, after *string, err error) {
	text := func(name, absent string) string {
		if err != nil {
			return ""
		}
		var value string
		value, err = req.Args.OptString(name, absent)
		return value
	}
	scope, users, last := text("scope", "all"), text("users", "none"), text("lastMessageId", "")
	if err != nil {
		return o, nil, err
	}
	if o.Documents, err = realtime.ParseScope(scope); err != nil {
		return o, nil, err
	}
	if o.Users, err = realtime.ParseUsers(users); err != nil {
		return o, nil, err
	}
	if req.Args.Raw("propagate") != nil {
		propagate, err := req.Args.Bool("propagate")
		if err != nil {
			return o, nil, err
		}
		o.Local = !propagate
	}
	if req.Args.Raw("lastMessageId") != nil {
		after = &last
	}
	o.Resumable, err = req.Args.Bool("resumable")
	o.Resumable = o.Resumable || after != nil
	return o, after, err
}

// answer is null when there is nothing to answer with.
func answer(s *realtime.Subscribed, err error) (any, error) {
	if s == nil {
		return nil, err
	}
	return s, err
}
