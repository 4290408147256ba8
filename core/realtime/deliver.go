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
	// only holds the suffixes of the channels that a pipe chose; nil leaves it to the options of the channels.
	only map[string]bool
}

// envelopeBytes is about what an envelope takes beside its result and volatile.
const envelopeBytes = 512

func encode(n *protocol.Notification, documents, users Scope) encoded {
	head := make([]byte, 0, len(n.Result)+len(n.Volatile)+envelopeBytes)
	return encoded{head: n.AppendHead(head), documents: documents, users: users}
}

// heardOn reports whether it goes out on the channel with these options.
func (e encoded) heardOn(o Options) bool {
	if e.only != nil {
		return e.only[o.suffix()]
	}
	return e.documents != None && o.Documents.admits(e.documents) || e.users != None && o.Users.admits(e.users)
}

// message finishes it for one channel.
func (e encoded) message(channel, id string) *Message {
	return &Message{Channel: channel, ID: id, JSON: protocol.Tail(e.head, id, channel)}
}

// deliver gives a notification to everybody in the room who hears it. A room that has ended has nobody in it: who came back
// since is in another one, and came after what the notification is about.
func (s *Service) deliver(r *room, e encoded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	id := ""
	if r.history != nil {
		id = s.rememberLocked(r.history, e)
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
		if named != "" && len(r.history.entries) > 0 {
			s.keepLocked(&r.history.entries[len(r.history.entries)-1], m)
		}
		for _, seat := range c.seats {
			seat.hearLocked(m)
		}
		delivered += len(c.seats)
	}
	s.metrics.delivered.Add(float64(delivered))
}
