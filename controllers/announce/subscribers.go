package announce

import (
	"context"
	"time"

	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// Realtime reaches the subscribers of collections; core/realtime.Service does.
type Realtime interface {
	// Watched reports whether anybody may want to hear of documents of a collection.
	Watched(index, collection string) bool
	// Changed tells subscribers what a request did to a document. It fails for nobody but them.
	Changed(ctx context.Context, req *protocol.Request, index, collection string, c realtime.Change)
}

// Subscribers are told of documents that are written. All controllers that write documents share them, since all who write to
// one document stand in one line:
//
//   - Of writes to one document subscribers hear in the order in which they were done, so that the last they hear is what is
//     stored. A write that waits for its own pipes holds up word of those after it, not those writes themselves: their word
//     may come after their answers, which it otherwise never does.
//   - There is no order between documents, but for the ops of one request that nobody else meets: they are told in their order.
//   - Two more exceptions: writes that are under way while the first subscriber of the collection comes, and those that find
//     more than maxLine others waiting for longer than maxWait, are told when they are done.
type Subscribers struct {
	realtime Realtime
	turns    turns
}

// NewSubscribers makes the line.
func NewSubscribers(r Realtime) *Subscribers {
	return &Subscribers{realtime: r, turns: turns{lines: map[document]*line{}}}
}

// Writer is the engine, as far as Subscribers need it: see storage.Bulk.
type Writer interface {
	Write(ctx context.Context, c storage.Collection, ops []storage.Op, o storage.BulkOptions) ([]storage.OpResult, error)
}

// Write lets the engine do the ops of a request. When it gives no error, subscribers hear of what was written once News.Tell
// is called, which must be, whatever becomes of the request.
//
// silent keeps it from them, and so does a request on what a plugin stores for itself. Who writes what nobody watches pays
// two look-ups: one decides whether the engine is asked for what was there, and one after the write finds those who came
// meanwhile, for whom nothing but the news tells that what they have read since is old.
func (s *Subscribers) Write(ctx context.Context, engine Writer, req *protocol.Request, where storage.Collection, ops []storage.Op, o storage.BulkOptions, silent bool) ([]storage.OpResult, News, error) {
	if silent || where.Scope != storage.Public {
		results, err := engine.Write(ctx, where, ops, o)
		return results, News{}, err
	}
	n := News{to: s, req: req, where: where, ops: ops}
	var err error
	if s.realtime.Watched(where.Index, where.Name) {
		o.Previous = true
		n.turns = s.turns.take(ctx, where, ops)
		defer func() { s.turns.made(n.turns, ops, n.results) }()
	}
	n.results, err = engine.Write(ctx, where, ops, o)
	return n.results, n, err
}

// maxTelling bounds how long pipes on notifications, and clients that are slow to take them, may hold up word of one write.
const maxTelling = 30 * time.Second

// News is what subscribers are to hear of a request. The zero value is nothing.
type News struct {
	to    *Subscribers
	req   *protocol.Request
	where storage.Collection
	ops   []storage.Op
	// results are those of ops.
	results []storage.OpResult
	// turns are the places of the ops in the line, nil when nobody was watching.
	turns []*turn
	// Removed are the paths of the fields that a replacement took away: it was made to be an update.
	Removed []string
}

// Tell tells subscribers of the ops that held, with the sources as they are stored. It belongs behind the events of documents,
// deferred: a pipe that refuses does not undo the write.
func (n News) Tell(ctx context.Context) {
	if n.to == nil || n.turns == nil && !n.to.realtime.Watched(n.where.Index, n.where.Name) {
		return
	}
	ctx = context.WithoutCancel(ctx) // the documents are written, whoever has gone
	req := *n.req                    // the word may go out after the answer
	for i, r := range n.results {
		if r.Err != nil {
			continue
		}
		change := n.change(n.ops[i], r)
		tell := func() {
			ctx, cancel := context.WithTimeout(ctx, maxTelling)
			defer cancel()
			n.to.realtime.Changed(ctx, &req, n.where.Index, n.where.Name, change)
		}
		if n.turns == nil || n.turns[i] == nil {
			tell()
		} else {
			n.to.turns.end(n.turns[i], tell)
		}
	}
}

// change is what an op did.
func (n News) change(op storage.Op, r storage.OpResult) realtime.Change {
	c := realtime.Change{Action: "replace", ID: r.Document.ID, Before: r.Previous, After: r.Document.Source}
	switch {
	case op.Kind == storage.OpDelete:
		c.Action, c.After = "delete", nil
	case r.Created:
		c.Action = "create"
	case n.Removed != nil:
		c.Action, c.Updated = "update", n.Removed
	case op.Kind == storage.OpUpdate || op.Kind == storage.OpUpsert:
		c.Action, c.Updated = "update", paths(op.Source)
	}
	return c
}

var _ Realtime = (*realtime.Service)(nil)
