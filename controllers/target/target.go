// Package target reads from a request where it wants to work: the index, the collection, the document, and when searches
// must see what it writes. It touches no storage. The controllers of stored documents import it.
package target

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Index gives the argument index: the name of one index, whether or not there is one.
func Index(req *protocol.Request) (string, error) {
	if err := given("index", req.Index); err != nil {
		return "", err
	}
	_, index := place(req)
	return index, single(index)
}

// Scope gives the scope of the index that the request names: public, but for what a plugin stores for itself.
func Scope(req *protocol.Request) storage.Scope {
	scope, _ := place(req)
	return scope
}

func place(req *protocol.Request) (storage.Scope, string) {
	if req.OwnStorage() && req.Index == protocol.StorageMark+req.Internal.Storage {
		return storage.Internal, req.Internal.Storage
	}
	return storage.Public, req.Index
}

// Collection gives the collection that the arguments index and collection name: a public one, or one that a plugin has for
// itself.
func Collection(req *protocol.Request) (storage.Collection, error) {
	c, err := NewCollection(req)
	if err != nil {
		return c, err
	}
	if err := single(c.Index); err != nil {
		return c, err
	}
	return c, single(c.Name)
}

// Public is Collection for what concerns public collections only.
func Public(req *protocol.Request) (storage.Collection, error) {
	c, err := Collection(req)
	if err == nil && c.Scope != storage.Public {
		err = kerror.ServicesStorageUnknownCollection.New(c.Index, c.Name)
	}
	return c, err
}

// PublicBody is Public, with the body of the request, which must be an object.
func PublicBody(req *protocol.Request) (storage.Collection, jsontext.Value, error) {
	c, err := Public(req)
	if err != nil {
		return c, nil, err
	}
	body, err := req.BodyObject()
	return c, body, err
}

// NewCollection is Collection for a collection that is to be made: what its name may be is the engine's to say.
func NewCollection(req *protocol.Request) (storage.Collection, error) {
	scope, index := place(req)
	c := storage.Collection{Scope: scope, Index: index, Name: req.Collection}
	if err := given("index", c.Index); err != nil {
		return c, err
	}
	return c, given("collection", c.Name)
}

// Document gives a collection and the id of a document in it, the argument _id.
func Document(req *protocol.Request) (storage.Collection, string, error) {
	c, err := Collection(req)
	if err != nil {
		return c, "", err
	}
	return c, req.ID, given("_id", req.ID)
}

func given(name, value string) error {
	if value == "" {
		return kerror.APIAssertMissingArgument.New(name)
	}
	return nil
}

// single refuses what means more than one index or collection: search has the argument targets for that.
func single(name string) error {
	if strings.ContainsAny(name, ",*") || name == "_all" {
		return kerror.ServicesStorageInvalidMultiIndexCollectionUsage.New()
	}
	return nil
}
