// Package index is the controller `index`: the indexes that hold public collections. core/node contributes it to the
// registry.
package index

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Engine is what the controller works on.
type Engine interface {
	storage.Indexes
	// List is that of storage.Collections, Size that of storage.Searcher.
	List(ctx context.Context, s storage.Scope) ([]storage.Collection, error)
	Size(ctx context.Context, c storage.Collection) (storage.Size, error)
}

// Options are what the controller works with.
type Options struct {
	Engine    Engine
	Announcer announce.Announcer
	// Users decide what index:mDelete may delete.
	Users *security.Service
}

type controller struct{ Options }

// Actions gives the actions of the controller.
func Actions(o Options) []router.Action {
	c := controller{o}
	action := func(name string, h router.Handler, routes ...router.Route) router.Action {
		return router.Action{Controller: "index", Name: name, Handler: h, Routes: routes}
	}
	return []router.Action{
		action("exists", c.exists, router.Route{Verb: "GET", Path: "/:index/_exists"}),
		action("list", c.list, router.Route{Verb: "GET", Path: "/_list"}),
		action("stats", c.stats, router.Route{Verb: "GET", Path: "/_storageStats"}),
		action("create", c.create, router.Route{Verb: "POST", Path: "/:index/_create"}),
		action("delete", c.delete, router.Route{Verb: "DELETE", Path: "/:index"}),
		action("mDelete", c.mDelete,
			router.Route{Verb: "DELETE", Path: "/_mDelete"},
			router.Route{Verb: "DELETE", Path: "/_mdelete", Deprecated: "2.4.0"}),
	}
}

// create makes an empty index and answers nothing. The name must be free in both scopes: an operator who reads it in a log
// then knows which index is meant.
func (c controller) create(ctx context.Context, req *protocol.Request) (any, error) {
	if req.Index == "" {
		return nil, kerror.APIAssertMissingArgument.New("index")
	}
	taken, err := c.isThere(ctx, storage.Internal, req.Index)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, kerror.ServicesStorageIndexAlreadyExists.New(storage.Internal.String(), req.Index)
	}
	if err := c.Engine.CreateIndex(ctx, storage.Public, req.Index); err != nil {
		return nil, err
	}
	return protocol.Absent, c.Announcer.Index(ctx, announce.IndexCreated, req.Index)
}

// exists answers whether there is such an index.
func (c controller) exists(ctx context.Context, req *protocol.Request) (any, error) {
	index, err := target.Index(req)
	if err != nil {
		return nil, err
	}
	there, err := c.isThere(ctx, target.Scope(req), index)
	if err != nil {
		return nil, err
	}
	return there, nil
}

func (c controller) isThere(ctx context.Context, s storage.Scope, index string) (bool, error) {
	indexes, err := c.Engine.Indexes(ctx, s)
	return slices.Contains(indexes, index), err
}

// list answers {indexes: [name], collections?: {name: count}}, whatever the rights of the caller.
func (c controller) list(ctx context.Context, req *protocol.Request) (any, error) {
	count, err := countsCollections(req)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Indexes     []string       `json:"indexes"`
		Collections map[string]int `json:"collections,omitzero"`
	}
	if answer.Indexes, err = c.Engine.Indexes(ctx, storage.Public); err != nil {
		return nil, err
	}
	if !count {
		return answer, nil
	}
	answer.Collections = make(map[string]int, len(answer.Indexes))
	for _, index := range answer.Indexes {
		answer.Collections[index] = 0
	}
	collections, err := c.Engine.List(ctx, storage.Public)
	if err != nil {
		return nil, err
	}
	for _, one := range collections {
		answer.Collections[one.Index]++
	}
	return answer, nil
}

// countsCollections reads a flag that clients spell in two ways.
func countsCollections(req *protocol.Request) (bool, error) {
	one, err := req.Args.Bool("countCollection")
	if err != nil || one {
		return one, err
	}
	return req.Args.Bool("countCollections")
}
