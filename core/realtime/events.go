package realtime

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The events that hooks are told of.
const (
	roomCreated      = "core:realtime:room:create:after"
	roomRemoved      = "core:realtime:room:remove:before"
	userSubscribed   = "core:realtime:user:subscribe:after"
	userUnsubscribed = "core:realtime:user:unsubscribe:after"
)

// kindEvents are the events of one type of notification: a pipe of its own, and a hook.
type kindEvents struct{ pipe, hook string }

var (
	documentEvents = kindEvents{"notify:document", "core:notify:document"}
	userEvents     = kindEvents{"notify:user", "core:notify:user"}
)

// dispatched is the pipe that sees every notification.
const dispatched = "notify:dispatch"

type roomEvent struct {
	ID         string         `json:"id"`
	Index      string         `json:"index"`
	Collection string         `json:"collection"`
	Filter     jsontext.Value `json:"filter"`
}

type subscriptionEvent struct {
	Index        string         `json:"index"`
	Collection   string         `json:"collection"`
	Filters      jsontext.Value `json:"filters"`
	RoomID       string         `json:"roomId"`
	ConnectionID string         `json:"connectionId"`
	KUID         string         `json:"kuid"`
}

// notified is what hooks learn of a notification.
type notified struct {
	Rooms        []string               `json:"rooms"`
	Notification *protocol.Notification `json:"notification"`
}

// announce lets pipes change a notification and tells hooks of it. An error of a pipe stops it.
func (s *Service) announce(ctx context.Context, req *protocol.Request, kind kindEvents, n *protocol.Notification, rooms []*room) (*protocol.Notification, error) {
	table := s.o.Events()
	if table.Heard(kind.hook) {
		ids := make([]string, len(rooms))
		for i, r := range rooms {
			ids[i] = r.id
		}
		s.fire(ctx, req, kind.hook, notified{ids, n})
	}
	for _, event := range [...]string{kind.pipe, dispatched} {
		payload := events.Payload{Request: req, Data: n}
		if err := s.o.Bus.Fire(ctx, table, event, &payload); err != nil {
			return nil, err
		}
		switch data := payload.Data.(type) {
		case *protocol.Notification:
			n = data
		case jsontext.Value: // out of a plugin
			changed := new(protocol.Notification)
			if err := json.Unmarshal(data, changed); err != nil {
				return nil, kerror.PluginRuntimeUnexpectedError.Wrap(err, "a pipe on "+event+" answered without a notification")
			}
			n = changed
		}
	}
	return n, nil
}

// fire tells hooks what happened.
func (s *Service) fire(ctx context.Context, req *protocol.Request, event string, data any) {
	if err := s.o.Bus.Fire(ctx, s.o.Events(), event, &events.Payload{Request: req, Data: data}); err != nil {
		s.o.Logger.WarnContext(ctx, "event failed", "event", event, "error", err)
	}
}
