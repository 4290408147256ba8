package realtime

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/protocol"
)

// Change is what a request did to one document.
type Change struct {
	// Action is what it amounts to, whatever the request: create, update, replace or delete.
	Action string
	ID     string
	// Before and After are the sources, nil where there was or is no document.
	Before, After jsontext.Value
	// Updated are the dotted paths that an update changed.
	Updated []string
}

// Changed tells subscribers of a collection what a request did to its documents, in the order given. A failure to tell is
// logged: the documents are written.
func (s *Service) Changed(ctx context.Context, req *protocol.Request, index, collection string, changes []Change) {
	at := place{index, collection}
	for i := range changes {
		if !s.Watched(index, collection) {
			return
		}
		if err := s.changed(ctx, req, at, &changes[i]); err != nil {
			s.o.Logger.ErrorContext(ctx, "subscribers were not told of a document", "index", index, "collection", collection,
				"id", changes[i].ID, "error", err)
		}
	}
}

func (s *Service) changed(ctx context.Context, req *protocol.Request, at place, c *Change) error {
	after, err := s.roomsOf(at, c.ID, c.After)
	if err != nil {
		return err
	}
	before, err := s.roomsOf(at, c.ID, c.Before)
	if err != nil {
		return err
	}
	n := s.notification(req, at, c.Action)
	n.Event, n.Scope = "write", "in"
	if c.After == nil {
		n.Event = "delete"
	}
	if err := s.tellDocument(ctx, req, n, c.result(c.After), In, after); err != nil {
		return err
	}
	last := c.After
	if last == nil {
		last = c.Before
	}
	n.Scope = "out"
	return s.tellDocument(ctx, req, n, c.result(last), Out, leaving(before, after))
}

// roomsOf gives the rooms that a state of a document falls into.
func (s *Service) roomsOf(at place, id string, source jsontext.Value) ([]*room, error) {
	if source == nil {
		return nil, nil
	}
	doc, err := koncorde.NewDocument(id, source)
	if err != nil {
		return nil, err
	}
	return s.matching(at, doc), nil
}

// leaving gives those of before that are not in after.
func leaving(before, after []*room) []*room {
	if len(before) == 0 || len(after) == 0 {
		return before
	}
	stays := make(map[*room]bool, len(after))
	for _, r := range after {
		stays[r] = true
	}
	left := before[:0]
	for _, r := range before {
		if !stays[r] {
			left = append(left, r)
		}
	}
	return left
}

// result is how a document stands in a notification.
func (c *Change) result(source jsontext.Value) func() jsontext.Value {
	return func() jsontext.Value {
		dst := append(appendText([]byte(`{"_id":`), c.ID), `,"_source":`...)
		dst = append(dst, source...)
		if c.Action == "update" {
			dst = append(dst, `,"_updatedFields":[`...)
			for i, path := range c.Updated {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = appendText(dst, path)
			}
			dst = append(dst, ']')
		}
		return append(dst, '}')
	}
}

func appendText(dst []byte, text string) []byte {
	dst, _ = jsontext.AppendQuote(dst, text) // invalid UTF-8 is replaced, the rest is written all the same
	return dst
}

// Publish tells subscribers of a message that is not stored. id may be "".
func (s *Service) Publish(ctx context.Context, req *protocol.Request, index, collection, id string, source jsontext.Value) error {
	at := place{index, collection}
	if !s.Watched(index, collection) {
		return nil
	}
	rooms, err := s.roomsOf(at, id, source)
	if err != nil {
		return err
	}
	n := s.notification(req, at, "publish")
	n.Event, n.Scope = "publish", "in"
	return s.tellDocument(ctx, req, n, func() jsontext.Value {
		dst := []byte{'{'}
		if id != "" {
			dst = append(appendText(append(dst, `"_id":`...), id), ',')
		}
		return append(append(append(dst, `"_source":`...), source...), '}')
	}, In, rooms)
}

// notification is what all about documents have in common.
func (s *Service) notification(req *protocol.Request, at place, action string) protocol.Notification {
	return protocol.Notification{
		Type: "document", Status: 200, RequestID: req.RequestID, Timestamp: now(), Volatile: req.Volatile,
		Index: at.index, Collection: at.collection, Controller: req.Controller, Action: action,
		Protocol: req.Connection.Protocol, Node: s.o.NodeID,
	}
}

// tellDocument sends a notification to rooms, if there are any.
func (s *Service) tellDocument(ctx context.Context, req *protocol.Request, n protocol.Notification, result func() jsontext.Value, side Scope, rooms []*room) error {
	if len(rooms) == 0 {
		return nil
	}
	n.Result = result()
	told, err := s.announce(ctx, req, documentEvents, &n, rooms)
	if err != nil {
		return err
	}
	e := encode(told, side, None)
	for _, r := range rooms {
		s.deliver(r, e)
	}
	return nil
}
