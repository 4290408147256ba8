// Package document is the controller `document`: public documents, one at a time or many. core/node contributes it to the
// registry.
//
// Every action does the same in the same order: it reads its arguments, fires the event of documents that comes before,
// makes the metadata, lets the engine work, fires the event that comes after, tells subscribers of what is stored now, and
// answers with what the pipes left.
package document

import (
	"context"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/validation"
)

// Engine is what the controller works on.
type Engine interface {
	storage.Bulk
	storage.Searcher
	// Get is that of storage.Documents.
	Get(ctx context.Context, c storage.Collection, id string) (storage.Document, error)
	// Describe is that of storage.Collections.
	Describe(ctx context.Context, c storage.Collection) (storage.Spec, error)
}

// Options are what the controller works with.
type Options struct {
	Engine    Engine
	Announcer announce.Announcer
	// Subscribers are told of every document that is written.
	Subscribers *announce.Subscribers
	Metadata    metadata.Writer
	Paging      target.Paging
	// Validator holds what create, createOrReplace, replace and update write to the specifications of the collection.
	Validator *validation.Validator
	// Users decide which hits document:scroll may show.
	Users *security.Service
	// MaxWrite is how many documents one request may write.
	MaxWrite int
	// MaxBytes is how large the documents of an action by query may be that answers with them; 0 means storage.MaxAnswerBytes.
	MaxBytes int
}

type controller struct {
	Options
	scrolls *scrolls
}

// Actions gives the actions of the controller.
func Actions(o Options) []router.Action {
	if o.MaxBytes == 0 {
		o.MaxBytes = storage.MaxAnswerBytes
	}
	c := controller{Options: o, scrolls: new(scrolls)}
	route := func(verb, path string) router.Route { return router.Route{Verb: verb, Path: path} }
	deprecated := func(since, verb, path string) router.Route {
		return router.Route{Verb: verb, Path: path, Deprecated: since}
	}
	action := func(name string, h router.Handler, routes ...router.Route) router.Action {
		return router.Action{Controller: "document", Name: name, Handler: h, Routes: routes}
	}
	return []router.Action{
		action("export", c.export, route("GET", "/:index/:collection/_export"), route("POST", "/:index/:collection/_export")),
		action("search", c.search, route("GET", "/:index/:collection/_search"), route("POST", "/:index/:collection/_search")),
		action("get", c.get, route("GET", "/:index/:collection/:_id")),
		action("mGet", c.mGet, route("GET", "/:index/:collection/_mGet"), route("POST", "/:index/:collection/_mGet")),
		action("exists", c.exists, route("GET", "/:index/:collection/:_id/_exists")),
		action("mExists", c.mExists, route("POST", "/:index/:collection/_mExists")),
		action("scroll", c.scroll, route("GET", "/_scroll/:scrollId")),
		action("count", c.count, route("POST", "/:index/:collection/_count")),
		action("create", c.create,
			route("POST", "/:index/:collection/_create"), route("POST", "/:index/:collection/:_id/_create")),
		action("mCreate", c.mCreate, route("POST", "/:index/:collection/_mCreate")),
		action("validate", c.validate, route("POST", "/:index/:collection/_validate")),
		action("mUpsert", c.mUpsert, route("POST", "/:index/:collection/_mUpsert")),
		action("upsert", c.upsert,
			route("POST", "/:index/:collection/:_id/_upsert"), deprecated("2.11.0", "PUT", "/:index/:collection/:_id/_upsert")),
		action("delete", c.delete, route("DELETE", "/:index/:collection/:_id")),
		action("deleteByQuery", c.deleteByQuery, route("DELETE", "/:index/:collection/_query")),
		action("deleteFields", c.deleteFields, route("DELETE", "/:index/:collection/:_id/_fields")),
		action("mDelete", c.mDelete, route("DELETE", "/:index/:collection/_mDelete")),
		action("createOrReplace", c.createOrReplace, route("PUT", "/:index/:collection/:_id")),
		action("mCreateOrReplace", c.mCreateOrReplace, route("PUT", "/:index/:collection/_mCreateOrReplace")),
		action("replace", c.replace, route("PUT", "/:index/:collection/:_id/_replace")),
		action("mReplace", c.mReplace, route("PUT", "/:index/:collection/_mReplace")),
		action("mUpdate", c.mUpdate,
			deprecated("2.11.0", "PUT", "/:index/:collection/_mUpdate"), route("PATCH", "/:index/:collection/_mUpdate")),
		action("updateByQuery", c.updateByQuery, route("PUT", "/:index/:collection/_query")),
		action("update", c.update,
			deprecated("2.11.0", "PUT", "/:index/:collection/:_id/_update"), route("PATCH", "/:index/:collection/:_id/_update")),
	}
}
