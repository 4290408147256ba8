package realtime

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The events of rooms and of those in them, each under the name that older plugins know it by too. Nobody can prevent what
// they tell of: a pipe that fails is logged.
const (
	roomCreated = "core:realtime:room:create:after" // roomEvent
	roomRemoved = "core:realtime:room:remove:before"
	roomNew     = "room:new" // newRoomEvent
	roomRemove  = "room:remove"

	subscribed       = "core:realtime:subscribe:after"
	unsubscribed     = "core:realtime:unsubscribe:after"
	userSubscribed   = "core:realtime:user:subscribe:after" // subscriptionEvent
	userUnsubscribed = "core:realtime:user:unsubscribe:after"
	subscriptionNew  = "core:hotelClerk:addSubscription"       // subscriptionEvent
	subscriptionGone = "core:hotelClerk:removeRoomForCustomer" // as userUnsubscribed: departureEvent
)

type roomEvent struct {
	ID         string         `json:"id"`
	Index      string         `json:"index"`
	Collection string         `json:"collection"`
	Filter     jsontext.Value `json:"filter"`
}

type newRoomEvent struct {
	Index      string `json:"index"`
	Collection string `json:"collection"`
	RoomID     string `json:"roomId"`
}

type subscriptionEvent struct {
	Index        string         `json:"index"`
	Collection   string         `json:"collection"`
	Filters      jsontext.Value `json:"filters"`
	RoomID       string         `json:"roomId"`
	ConnectionID string         `json:"connectionId"`
	KUID         string         `json:"kuid"`
}

type departureEvent struct {
	RequestContext requestContext    `json:"requestContext"`
	Room           leftRoom          `json:"room"`
	Subscription   subscriptionEvent `json:"subscription"`
}

// requestContext says who left: a request asked for it only at times.
type requestContext struct {
	Connection connectionEvent `json:"connection"`
	User       userEvent       `json:"user"`
}

type connectionEvent struct {
	ID       string   `json:"id"`
	Protocol string   `json:"protocol"`
	IPs      []string `json:"ips"`
}

type userEvent struct {
	ID string `json:"_id"`
}

type leftRoom struct {
	ID         string `json:"id"`
	Index      string `json:"index"`
	Collection string `json:"collection"`
}

// fire tells of something under each of its names. payload is made only when somebody listens.
func (s *Service) fire(ctx context.Context, payload func() any, names ...string) {
	table := s.o.Events()
	for _, event := range names {
		if !table.Heard(event) {
			continue
		}
		if err := s.o.Bus.Fire(ctx, table, event, &events.Payload{Data: payload()}); err != nil {
			s.o.Logger.WarnContext(ctx, "event failed", "event", event, "error", err)
		}
	}
}

// kindEvents are the events of one type of notification: a hook, unless "", and then a pipe.
type kindEvents struct{ hook, pipe string }

var (
	documentEvents = kindEvents{"core:notify:document", "notify:document"}
	userEvents     = kindEvents{"core:notify:user", "notify:user"}
	serverEvents   = kindEvents{"", "notify:server"}
)

// The pipes that see every notification. The first gets the notification, as those of its type do; the second a *Dispatch.
const (
	dispatched     = "notify:dispatch"
	dispatchBefore = "core:realtime:notification:dispatch:before"
)

// Dispatch is a notification that is about to go out: what a pipe leaves here is what happens.
type Dispatch struct {
	Channels []string `json:"channels"`
	// ConnectionID is the one connection that it is for; "" for everybody on the channels.
	ConnectionID string                 `json:"connectionId,omitzero"`
	Notification *protocol.Notification `json:"notification"`
}

// toldOfDocument and toldOfUser are what hooks learn of a notification.
type toldOfDocument struct {
	Rooms        []string               `json:"rooms"`
	Notification *protocol.Notification `json:"notification"`
}

type toldOfUser struct {
	Room         string                 `json:"room"`
	Notification *protocol.Notification `json:"notification"`
}

// announce tells hooks of a notification and lets pipes change it. An error of a pipe stops it.
func (s *Service) announce(ctx context.Context, req *protocol.Request, kind kindEvents, n *protocol.Notification, rooms []*room) (*protocol.Notification, error) {
	table := s.o.Events()
	if kind.hook != "" {
		s.fire(ctx, func() any { return toldOf(kind, *n, rooms) }, kind.hook)
	}
	for _, event := range [...]string{kind.pipe, dispatched} {
		if !table.Heard(event) {
			continue
		}
		changed, err := pipe(ctx, s, table, req, event, n)
		if err != nil {
			return nil, err
		}
		n = changed
	}
	return n, nil
}

// toldOf gets a notification of its own, which pipes do not change.
func toldOf(kind kindEvents, n protocol.Notification, rooms []*room) any {
	if kind == userEvents {
		return toldOfUser{rooms[0].id, &n}
	}
	ids := make([]string, len(rooms))
	for i, r := range rooms {
		ids[i] = r.id
	}
	return toldOfDocument{ids, &n}
}

// pipe fires an event and gives what its pipes made of data.
func pipe[T any](ctx context.Context, s *Service, table *events.Table, req *protocol.Request, event string, data *T) (*T, error) {
	payload := events.Payload{Request: req, Data: data}
	if err := s.o.Bus.Fire(ctx, table, event, &payload); err != nil {
		return nil, err
	}
	switch changed := payload.Data.(type) {
	case *T:
		if changed != nil {
			return changed, nil
		}
	case jsontext.Value: // out of a plugin
		read := new(T)
		if err := json.Unmarshal(changed, read); err != nil {
			return nil, kerror.PluginRuntimeUnexpectedError.Wrap(err, "a pipe on "+event+" answered without a notification")
		}
		return read, nil
	}
	return nil, kerror.PluginRuntimeUnexpectedError.New("a pipe on " + event + " answered without a notification")
}
