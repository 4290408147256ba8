package collection

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/spelling"
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
	spec, err := specOf(body)
	if err != nil {
		return nil, err
	}
	if spec, err = c.onTopOf(ctx, where, spec); err != nil {
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
	reindex, err := body.Bool(reindexCollection)
	if err != nil {
		return nil, err
	}
	body.Remove(reindexCollection)
	spec, err := specOf(body, reindexCollection)
	if err != nil {
		return nil, err
	}
	before, err := c.Engine.Describe(ctx, where)
	if err != nil { // Ensure would make it
		return nil, err
	}
	if spec.Settings, err = changed(where, before.Settings, spec.Settings); err != nil {
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

// onTopOf gives the spec with the settings that the collection has already, when there is one, all under names with dots.
func (c controller) onTopOf(ctx context.Context, where storage.Collection, spec storage.Spec) (storage.Spec, error) {
	if spec.Settings == nil {
		return spec, nil
	}
	before, err := c.Engine.Describe(ctx, where)
	switch {
	case errors.Is(err, kerror.ServicesStorageUnknownIndex), errors.Is(err, kerror.ServicesStorageUnknownCollection):
		given, err := flatten(spec.Settings)
		spec.Settings = merged(nil, given)
		return spec, err
	case err != nil:
		return spec, err
	}
	spec.Settings, err = changed(where, before.Settings, spec.Settings)
	return spec, err
}

// The members of a body: those of now, and those of a mapping alone, as clients before API version 2.1 send it.
var (
	namedMembers = []string{"mappings", "settings"}
	bareMembers  = []string{"properties", "dynamic", "_meta"}
)

// reindexCollection asks update to index the documents anew.
const reindexCollection = "reindexCollection"

// specOf reads {mappings?, settings?} or a mapping alone. What is neither is refused, and not taken for nothing; more are
// members that the caller has taken out of the body.
func specOf(body protocol.Args, more ...string) (storage.Spec, error) {
	named := len(body.All()) == 0 || body.Has("mappings") || body.Has("settings")
	known := bareMembers
	if named {
		known = namedMembers
	}
	for _, m := range body.All() {
		if !slices.Contains(known, m.Name) {
			return storage.Spec{}, unknownMember(m.Name, more)
		}
	}
	if named {
		return namedSpec(body)
	}
	mapping, err := withMetadata(body.JSON())
	return storage.Spec{Mapping: mapping}, err
}

func unknownMember(name string, more []string) error {
	known := slices.Concat(namedMembers, more, bareMembers)
	hint := spelling.Hint(name, known)
	switch {
	case slices.Contains(known, name):
		hint = "It belongs into mappings."
	case hint == "":
		hint = "The body can hold " + strings.Join(slices.Concat(namedMembers, more), ", ") + "."
	}
	return kerror.ServicesStorageInvalidMapping.New(name, hint)
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
	if err = checkSettings(spec.Settings); err != nil {
		return spec, err
	}
	spec.Mapping, err = withMetadata(mapping)
	return spec, err
}
