package collection

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// reserved is the collection that keeps an empty index alive where the engine has no empty indexes.
const reserved = "_kuzzle_keep"

// create makes a collection, and its index, or brings one that exists up to date.
func (c controller) create(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.NewCollection(req)
	if err != nil {
		return nil, err
	}
	if where.Name == reserved {
		return nil, kerror.ServicesStorageCollectionReserved.New(reserved)
	}
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	spec, err := specOf(body, req.Body)
	if err != nil {
		return nil, err
	}
	if err := c.Engine.Ensure(ctx, where, spec); err != nil {
		return nil, err
	}
	if err := c.Announcer.Collection(ctx, announce.CollectionCreated, where); err != nil {
		return nil, err
	}
	return acknowledged{true}, nil
}

// update changes mapping and settings of a collection that exists, and answers null. When reindexCollection asks for it, or
// when dynamic was false and is no more, the documents that are there are indexed anew in the background.
func (c controller) update(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	body, err := req.OptBodyFields()
	if err != nil {
		return nil, err
	}
	reindex, err := body.Bool("reindexCollection")
	if err != nil {
		return nil, err
	}
	spec, err := namedSpec(body)
	if err != nil {
		return nil, err
	}
	before, err := c.Engine.Describe(ctx, where)
	if err != nil { // Ensure would make it
		return nil, err
	}
	if err := c.Engine.Ensure(ctx, where, spec); err != nil {
		return nil, err
	}
	after, err := c.Engine.Describe(ctx, where)
	if err != nil {
		return nil, err
	}
	if reindex || !isDynamic(before.Mapping) && isDynamic(after.Mapping) {
		c.Reindexer.Reindex(where)
	}
	return nil, nil
}

// isDynamic reports whether fields that a mapping does not have are anything but ignored.
func isDynamic(mapping jsontext.Value) bool {
	shown, err := show(mapping, true)
	return err == nil && shown.Dynamic != notDynamic
}

// specOf reads {mappings?, settings?} or, as clients before API version 2.1 send it, a mapping alone.
func specOf(body protocol.Args, raw jsontext.Value) (storage.Spec, error) {
	if len(body.All()) == 0 || body.Has("mappings") || body.Has("settings") {
		return namedSpec(body)
	}
	mapping, err := withMetadata(raw)
	return storage.Spec{Mapping: mapping}, err
}

func namedSpec(body protocol.Args) (storage.Spec, error) {
	var spec storage.Spec
	mapping, err := body.OptObject("mappings")
	if err != nil {
		return spec, err
	}
	if spec.Settings, err = body.OptObject("settings"); err != nil {
		return spec, err
	}
	spec.Mapping, err = withMetadata(mapping)
	return spec, err
}
