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

// Changed tells subscribers of a collection what a request did to one of its documents. A failure to tell is logged: the
// document is written.
func (s *Service) Changed(ctx context.Context, req *protocol.Request, index, collection string, c Change) {
	if !s.Watched(index, collection) {
		return
	}
	if err := s.changed(ctx, req, place{index, collection}, &c); err != nil {
		s.o.Logger.ErrorContext(ctx, "subscribers were not told of a document", "index", index, "collection", collection,
			"id", c.ID, "error", err)
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
	event, last := "write", c.After
	if c.After == nil {
		event, last = "delete", c.Before
	}
	s.tellDocument(ctx, req, at, told{c.Action, event, "in", c.result(last)}, after)
	s.tellDocument(ctx, req, at, told{c.Action, event, "out", c.result(last)}, leaving(before, after))
	return nil
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

// resultBytes is about what a result takes beside source and id.
const resultBytes = 64

// result is how a document stands in a notification.
func (c *Change) result(source jsontext.Value) func() jsontext.Value {
	return func() jsontext.Value {
		dst := append(make([]byte, 0, len(source)+len(c.ID)+resultBytes), `{"_id":`...)
		dst = append(appendText(dst, c.ID), `,"_source":`...)
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

// Publish tells subscribers of a message that is not stored. id may be "". The error says that source is no document; a
// failure to tell is logged.
func (s *Service) Publish(ctx context.Context, req *protocol.Request, index, collection, id string, source jsontext.Value) error {
	at := place{index, collection}
	if !s.Watched(index, collection) {
		return nil
	}
	rooms, err := s.roomsOf(at, id, source)
	if err != nil {
		return err
	}
	s.tellDocument(ctx, req, at, told{"publish", "publish", "in", func() jsontext.Value {
		dst := append(make([]byte, 0, len(source)+len(id)+resultBytes), '{')
		if id != "" {
			dst = append(appendText(append(dst, `"_id":`...), id), ',')
		}
		return append(append(append(dst, `"_source":`...), source...), '}')
	}}, rooms)
	return nil
}

// told is what rooms are told of a document.
type told struct {
	action, event, scope string
	result               func() jsontext.Value
}

// tellDocument sends a notification to rooms, if there are any.
func (s *Service) tellDocument(ctx context.Context, req *protocol.Request, at place, t told, rooms []*room) {
	if len(rooms) == 0 {
		return
	}
	n := &protocol.Notification{
		Type: "document", Status: 200, RequestID: req.RequestID, Timestamp: now(), Volatile: req.Volatile,
		Index: at.index, Collection: at.collection, Controller: req.Controller, Action: t.action,
		Event: t.event, Scope: t.scope, Protocol: req.Connection.Protocol, Node: s.o.NodeID, Result: t.result(),
	}
	side := In
	if t.scope == "out" {
		side = Out
	}
	s.send(ctx, req, documentEvents, n, rooms, side, None)
}
