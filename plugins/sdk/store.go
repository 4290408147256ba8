package sdk

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"
)

// Store reads and writes one of the plugin's own collections (Plugin.Collections), by the actions of the controller
// document. It needs nothing in Plugin.Calls. Errors are those of the actions: services.storage.not_found,
// document_already_exists, too_many_changes.
//
// A write that returned without error is durable.
type Store struct {
	host              *Host
	index, collection string
}

// Store gives access to a collection of the plugin's own, in the index named like the plugin.
func (h *Host) Store(collection string) Store { return Store{h, h.plugin, collection} }

// StoreIn is Store for a collection in another index of Plugin.Collections.
func (h *Host) StoreIn(index, collection string) Store { return Store{h, index, collection} }

// Document is a stored document.
type Document struct {
	ID      string         `json:"_id"`
	Version int64          `json:"_version"`
	Source  jsontext.Value `json:"_source"`
	// Created says, after Put, that there was none before.
	Created bool `json:"created"`
}

// WriteOption refines a write.
type WriteOption func(args map[string]any)

// IfVersion makes a write fail with services.storage.too_many_changes unless the document has that version: the Version of
// the Document that was read.
func IfVersion(version int64) WriteOption {
	return func(args map[string]any) { args["ifVersion"] = version }
}

// WaitForSearch returns only when searches see the write.
func WaitForSearch() WriteOption {
	return func(args map[string]any) { args["refresh"] = "wait_for" }
}

// Get reads a document; services.storage.not_found when there is none.
func (s Store) Get(ctx context.Context, id string) (Document, error) {
	return s.one(ctx, "get", id, nil, nil)
}

// Create writes a new document; services.storage.document_already_exists when there is one. Without id one is made.
func (s Store) Create(ctx context.Context, id string, document any, o ...WriteOption) (Document, error) {
	return s.one(ctx, "create", id, document, o)
}

// Put writes a document, whether or not there is one.
func (s Store) Put(ctx context.Context, id string, document any, o ...WriteOption) (Document, error) {
	return s.one(ctx, "createOrReplace", id, document, o)
}

// Replace writes over a document; services.storage.not_found when there is none.
func (s Store) Replace(ctx context.Context, id string, document any, o ...WriteOption) (Document, error) {
	return s.one(ctx, "replace", id, document, o)
}

// Update merges partial into a document; services.storage.not_found when there is none. The answer holds what was merged.
func (s Store) Update(ctx context.Context, id string, partial any, o ...WriteOption) (Document, error) {
	return s.one(ctx, "update", id, partial, o)
}

// Delete removes a document; services.storage.not_found when there is none.
func (s Store) Delete(ctx context.Context, id string, o ...WriteOption) error {
	_, err := s.one(ctx, "delete", id, nil, o)
	return err
}

// Call runs another action on the collection: "search", "mGet", "count", "deleteByQuery".
func (s Store) Call(ctx context.Context, action string, body any, args map[string]any) (Result, error) {
	return s.host.Call(ctx, s.call(action, "", body, args))
}

func (s Store) one(ctx context.Context, action, id string, body any, o []WriteOption) (Document, error) {
	args := make(map[string]any, len(o))
	for _, option := range o {
		option(args)
	}
	result, err := s.host.Call(ctx, s.call(action, id, body, args))
	if err != nil {
		return Document{}, err
	}
	var d Document
	return d, result.Decode(&d)
}

func (s Store) call(action, id string, body any, args map[string]any) Call {
	c := Call{Controller: "document", Action: action, Index: s.index, Collection: s.collection, ID: id, Body: body}
	if len(args) > 0 {
		c.Args = args
	}
	return c
}
