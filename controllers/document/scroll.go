package document

import (
	"context"
	"errors"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// scroll answers the next page of a search: {hits, scrollId, remaining, total}.
//
// A scroll is no way around rights: one over a collection that the caller may not search is as good as none, and stays as it
// was.
func (c controller) scroll(ctx context.Context, req *protocol.Request) (any, error) {
	id, keep, err := c.Paging.Scroll(req)
	if err != nil {
		return nil, err
	}
	sc := c.scrolls.take(id)
	if sc == nil {
		return nil, kerror.ServicesStorageUnknownScrollID.New()
	}
	defer c.scrolls.put(sc)
	allowed, err := c.maySearch(ctx, req)
	if err != nil {
		return nil, err
	}
	for _, place := range sc.targets {
		if !allowed(place) {
			return nil, kerror.ServicesStorageUnknownScrollID.New()
		}
	}
	found, err := c.Engine.NextHits(ctx, sc.targets[0].Scope, id, keep)
	if errors.Is(err, kerror.ServicesStorageUnknownScrollID) || err == nil && found.Remaining == 0 {
		c.scrolls.remove(id)
	} else {
		c.scrolls.extend(sc, keep)
	}
	if err != nil {
		return nil, err
	}
	return c.page(ctx, req, found)
}

// maySearch gives the decision on single collections: the one that document:search would get.
func (c controller) maySearch(ctx context.Context, req *protocol.Request) (func(storage.Collection) bool, error) {
	if scope := target.Scope(req); scope == storage.Internal {
		return func(place storage.Collection) bool {
			return place.Scope == scope && place.Index == req.Internal.Storage
		}, nil
	}
	allowed, err := c.Users.Further(ctx, req, c.Announcer.Snapshot().Grants())
	if err != nil {
		return nil, err
	}
	return func(place storage.Collection) bool {
		ask := protocol.Request{Controller: "document", Action: "search", Index: place.Index, Collection: place.Name}
		return place.Scope == storage.Public && allowed(&ask)
	}, nil
}
