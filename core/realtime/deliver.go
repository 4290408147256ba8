package realtime

import (
	"github.com/sluicehq/sluice/protocol"
)

// encoded is a notification before it is known on which channels it goes out.
type encoded struct {
	// head is the envelope without what differs from channel to channel, see protocol.Notification.AppendHead.
	head []byte
	// documents and users say who hears it: one is the side that the notification is about, the other None.
	documents, users Scope
}

func encode(n *protocol.Notification, documents, users Scope) encoded {
	return encoded{n.AppendHead(nil), documents, users}
}

// heardOn reports whether the options of a channel admit it.
func (e encoded) heardOn(o Options) bool {
	return e.documents != None && o.Documents.admits(e.documents) || e.users != None && o.Users.admits(e.users)
}

// message finishes it for one channel.
func (e encoded) message(channel, id string) *Message {
	return &Message{Channel: channel, ID: id, JSON: protocol.Tail(e.head, id, channel)}
}

// deliver gives a notification to everybody in the room who wants to hear it.
func (s *Service) deliver(r *room, e encoded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := ""
	if r.history != nil {
		id = s.rememberLocked(r, e)
	}
	delivered := 0
	for _, c := range r.channels {
		if !e.heardOn(c.options) {
			continue
		}
		named := ""
		if c.options.Resumable {
			named = id
		}
		m := e.message(c.name, named)
		for _, seat := range c.seats {
			seat.hearLocked(m)
		}
		delivered += len(c.seats)
	}
	s.metrics.delivered.Add(float64(delivered))
}
