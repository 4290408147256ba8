// Package collection is the controller `collection`: public collections, their mappings, settings and specifications.
// core/node contributes it to the registry.
package collection

import (
	"context"
	"errors"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	realtimeservice "github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/validation"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Engine is what the controller works on.
type Engine interface {
	storage.Collections
	storage.Indexes
	storage.Searcher
	Info(ctx context.Context) (storage.Info, error)
}

// Realtime knows which collections have subscribers; core/realtime.Service does.
type Realtime interface {
	List(show func(index, collection string) bool) realtimeservice.Presence
}

// Options are what the controller works with.
type Options struct {
	Engine         Engine
	Realtime       Realtime
	Announcer      announce.Announcer
	Specifications *validation.Validator
	Reindexer      *Reindexer
	Paging         target.Paging
}

type controller struct{ Options }

// Actions gives the actions of the controller.
func Actions(o Options) []router.Action {
	c := controller{o}
	action := func(name string, h router.Handler, verb, path string) router.Action {
		return router.Action{Controller: "collection", Name: name, Handler: h, Routes: []router.Route{{Verb: verb, Path: path}}}
	}
	updateMapping := action("updateMapping", c.updateMapping, "PUT", "/:index/:collection/_mapping")
	updateMapping.Routes[0].Deprecated = "2.1.0"
	return []router.Action{
		action("exists", c.exists, "GET", "/:index/:collection/_exists"),
		action("getMapping", c.getMapping, "GET", "/:index/:collection/_mapping"),
		action("getSettings", c.getSettings, "GET", "/:index/:collection/_settings"),
		action("getSpecifications", c.getSpecifications, "GET", "/:index/:collection/_specifications"),
		action("scrollSpecifications", c.scrollSpecifications, "GET", "/validations/_scroll/:scrollId"),
		action("list", c.list, "GET", "/:index/_list"),
		action("validateSpecifications", c.validateSpecifications, "POST", "/:index/:collection/_validateSpecifications"),
		action("searchSpecifications", c.searchSpecifications, "POST", "/validations/_search"),
		action("refresh", c.refresh, "POST", "/:index/:collection/_refresh"),
		action("deleteSpecifications", c.deleteSpecifications, "DELETE", "/:index/:collection/_specifications"),
		action("truncate", c.truncate, "DELETE", "/:index/:collection/_truncate"),
		action("delete", c.delete, "DELETE", "/:index/:collection"),
		action("create", c.create, "PUT", "/:index/:collection"),
		action("update", c.update, "POST", "/:index/:collection"),
		updateMapping,
		action("updateSpecifications", c.updateSpecifications, "PUT", "/:index/:collection/_specifications"),
	}
}

// acknowledged is the answer of actions that have nothing to say but that it is done.
type acknowledged struct {
	Acknowledged bool `json:"acknowledged"`
}

// exists answers whether there is such a collection; without its index there is none.
func (c controller) exists(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	_, err = c.Engine.Describe(ctx, where)
	switch {
	case errors.Is(err, kerror.ServicesStorageUnknownIndex), errors.Is(err, kerror.ServicesStorageUnknownCollection):
		return false, nil
	case err != nil:
		return nil, err
	}
	return true, nil
}

// delete removes a collection and answers null. Its index stays.
func (c controller) delete(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	if _, err := c.Engine.Describe(ctx, where); err != nil { // tells an unknown index from an unknown collection
		return nil, err
	}
	if err := c.Engine.Drop(ctx, where); err != nil {
		return nil, err
	}
	return nil, c.Announcer.Collection(ctx, announce.CollectionDeleted, where)
}

// truncate removes all documents; mapping and settings stay.
func (c controller) truncate(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	if err := c.Engine.Truncate(ctx, where); err != nil {
		return nil, err
	}
	return acknowledged{true}, nil
}

// refresh answers null once searches see all that was written before.
func (c controller) refresh(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	if _, err := c.Engine.Describe(ctx, where); err != nil {
		return nil, err
	}
	return nil, c.Engine.Refresh(ctx, where)
}
