package document

import (
	"context"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// scroll answers the next page of a search: {hits, scrollId, remaining, total}.
//
// A scroll is no way around rights: one whose hits the caller may not search is as good as none.
func (c controller) scroll(ctx context.Context, req *protocol.Request) (any, error) {
	id, keep, err := c.Paging.Scroll(req)
	if err != nil {
		return nil, err
	}
	found, err := c.Engine.NextHits(ctx, target.Scope(req), id, keep)
	if err != nil {
		return nil, err
	}
	allowed, err := c.maySearch(ctx, req)
	if err != nil {
		return nil, err
	}
	var last storage.Collection
	for _, h := range found.Hits {
		if h.Collection != last && !allowed(h.Collection) {
			return nil, kerror.ServicesStorageUnknownScrollID.New()
		}
		last = h.Collection
	}
	return c.page(ctx, req, found)
}

// maySearch gives the decision on single collections: the one that document:search would get. A call from inside the node
// that asks for no decision gets none here either.
func (c controller) maySearch(ctx context.Context, req *protocol.Request) (func(storage.Collection) bool, error) {
	if target.Scope(req) == storage.Internal {
		return func(place storage.Collection) bool { return place.Index == req.Internal.Storage }, nil
	}
	if req.Internal != nil && !req.Internal.CheckRights {
		return func(storage.Collection) bool { return true }, nil
	}
	kuid := protocol.AnonymousID
	if req.User != nil {
		kuid = req.User.ID
	}
	user, err := c.Users.User(ctx, kuid)
	if err != nil {
		return nil, err
	}
	grants := c.Announcer.Snapshot().Grants()
	return func(place storage.Collection) bool {
		ask := protocol.Request{Controller: "document", Action: "search", Index: place.Index, Collection: place.Name}
		return c.Users.Allowed(user, &ask, grants)
	}, nil
}
