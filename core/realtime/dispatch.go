package realtime

import (
	"context"
	"strings"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// send announces a notification and gives it to the rooms. documents and users say who in them hears it, as in encoded. A
// failure stops this notification only, and is logged: what it is about has happened. A request waits while clients have
// too much waiting; what nobody asked for, such as the end of a connection, does not.
func (s *Service) send(ctx context.Context, req *protocol.Request, kind kindEvents, n *protocol.Notification, rooms []*room, documents, users Scope) {
	if req != nil && s.o.Pace != nil {
		s.o.Pace(ctx)
	}
	told, err := s.announce(ctx, req, kind, n, rooms)
	if err == nil {
		err = s.dispatch(ctx, req, told, rooms, documents, users)
	}
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "subscribers were not told", "index", n.Index, "collection", n.Collection, "type", n.Type,
			"action", n.Action, "error", err)
	}
}

func (s *Service) dispatch(ctx context.Context, req *protocol.Request, n *protocol.Notification, rooms []*room, documents, users Scope) error {
	table := s.o.Events()
	if !table.Heard(dispatchBefore) {
		e := encode(n, documents, users)
		for _, r := range rooms {
			s.deliver(r, e)
		}
		return nil
	}
	d := &Dispatch{Notification: n}
	for _, r := range rooms {
		d.Channels = r.appendChannels(d.Channels, encoded{documents: documents, users: users})
	}
	d, err := pipe(ctx, s, table, req, dispatchBefore, d)
	if err != nil {
		return err
	}
	return s.direct(d)
}

// appendChannels names the channels on which a notification is heard, those that somebody may come back to included.
func (r *room) appendChannels(dst []string, e encoded) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.channels {
		if e.heardOn(c.options) {
			dst = append(dst, c.name)
		}
	}
	if r.history == nil {
		return dst
	}
	for suffix, o := range r.history.channels {
		if r.channels[suffix] == nil && e.heardOn(o) {
			dst = append(dst, r.id+suffix)
		}
	}
	return dst
}

// direct does what pipes made of a dispatch. Channels that are not there hear nothing.
func (s *Service) direct(d *Dispatch) error {
	if d.Notification == nil {
		return kerror.PluginRuntimeUnexpectedError.New("a pipe on " + dispatchBefore + " answered without a notification")
	}
	e := encode(d.Notification, None, None)
	if d.ConnectionID != "" {
		s.deliverTo(d.ConnectionID, e, d.Channels)
		return nil
	}
	chosen := map[string]map[string]bool{}
	for _, name := range d.Channels {
		i := strings.LastIndexByte(name, '-')
		if i < 0 {
			continue
		}
		id, suffix := name[:i], name[i:]
		if chosen[id] == nil {
			chosen[id] = map[string]bool{}
		}
		chosen[id][suffix] = true
	}
	for id, only := range chosen {
		if r := s.room(id); r != nil {
			e.only = only
			s.deliver(r, e)
		}
	}
	return nil
}

// deliverTo gives a notification to one connection, on each of the channels; false when it is gone or too slow.
func (s *Service) deliverTo(connection string, e encoded, channels []string) bool {
	out := s.o.Outbox(connection)
	if out == nil {
		return false
	}
	taken := true
	for _, channel := range channels {
		taken = out.Deliver(e.message(channel, "")) && taken
	}
	return taken
}

// Notify sends a notice of the node to one connection, on the channel n.Room. It reports whether the notice is on its way; a
// pipe may have stopped it.
func (s *Service) Notify(ctx context.Context, connection string, n *protocol.Notification) bool {
	room := n.Room
	n, err := s.announce(ctx, nil, serverEvents, n, nil)
	d := &Dispatch{Channels: []string{room}, ConnectionID: connection, Notification: n}
	if table := s.o.Events(); err == nil && table.Heard(dispatchBefore) {
		d, err = pipe(ctx, s, table, nil, dispatchBefore, d)
	}
	if err == nil && d.Notification != nil {
		return s.deliverTo(d.ConnectionID, encode(d.Notification, None, None), d.Channels)
	}
	s.o.Logger.ErrorContext(ctx, "a connection was not told", "connection", connection, "error", err)
	return false
}
