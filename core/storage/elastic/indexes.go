package elastic

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// place is a collection and the physical index behind its alias.
type place struct {
	storage.Collection
	physical string
}

// places gives the collections of an index, of the scope when index is empty, with those that keep indexes in being, ordered
// by index and name.
func (e *Engine) places(ctx context.Context, s storage.Scope, index string) ([]place, error) {
	var found map[string]struct {
		Aliases map[string]struct{} `json:"aliases"`
	}
	err := e.client.do(ctx, request{method: http.MethodGet, path: []string{"_alias", aliases(s, index)}}, &found)
	if isNoIndex(err) {
		return nil, nil
	}
	if err != nil {
		return nil, public(err)
	}
	var list []place
	for name, f := range found {
		for a := range f.Aliases {
			if c, ok := collectionOf(a); ok && c.Scope == s && alias(c) == a && (index == "" || c.Index == index) {
				list = append(list, place{c, name})
			}
		}
	}
	slices.SortFunc(list, func(a, b place) int {
		if n := strings.Compare(a.Index, b.Index); n != 0 {
			return n
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

// missing gives the error for a collection that does not exist: its index may not exist either. It is nil when the
// collection does exist.
func (e *Engine) missing(ctx context.Context, c storage.Collection) error {
	if !storage.ValidName(c.Index) {
		return kerror.ServicesStorageUnknownIndex.New(c.Index)
	}
	list, err := e.places(ctx, c.Scope, c.Index)
	switch {
	case err != nil:
		return err
	case len(list) == 0:
		return kerror.ServicesStorageUnknownIndex.New(c.Index)
	case c.Name == keep || !slices.ContainsFunc(list, func(p place) bool { return p.Collection == c }):
		return unknownCollection(c)
	}
	return nil
}

// check is missing for an address that may not even be one, before it is used.
func (e *Engine) check(ctx context.Context, c storage.Collection) error {
	if storage.ValidName(c.Index) && storage.ValidName(c.Name) && c.Name != keep {
		return nil
	}
	return e.missing(ctx, c)
}

// CreateIndex makes an empty index. Two that do so at the same time may both succeed.
func (e *Engine) CreateIndex(ctx context.Context, s storage.Scope, name string) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if !storage.ValidName(name) {
		return kerror.ServicesStorageInvalidIndexName.New(name)
	}
	list, err := e.places(ctx, s, name)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return kerror.ServicesStorageIndexAlreadyExists.New(s.String(), name)
	}
	return e.keepIndex(ctx, s, name)
}

// keepIndex makes the collection that keeps an index in being.
func (e *Engine) keepIndex(ctx context.Context, s storage.Scope, name string) error {
	c := storage.Collection{Scope: s, Index: name, Name: keep}
	return e.make(ctx, c, layout{mapping: members{"dynamic": jsontext.Value(`"false"`)}})
}

// Indexes gives the indexes of a scope.
func (e *Engine) Indexes(ctx context.Context, s storage.Scope) ([]string, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	list, err := e.places(ctx, s, "")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Index)
	}
	return slices.Compact(names), nil
}

// DropIndex removes an index with its collections, all at once.
func (e *Engine) DropIndex(ctx context.Context, s storage.Scope, name string) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if !storage.ValidName(name) {
		return kerror.ServicesStorageUnknownIndex.New(name)
	}
	list, err := e.places(ctx, s, name)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return kerror.ServicesStorageUnknownIndex.New(name)
	}
	return e.remove(ctx, list)
}

// remove removes physical indexes, all at once and together with more. Only with more can it find that one is gone already.
func (e *Engine) remove(ctx context.Context, list []place, more ...object) error {
	actions := more
	for _, p := range list {
		actions = append(actions, object{"remove_index": object{"index": p.physical}})
		defer e.schemas.forget(p.Collection)
	}
	err := e.client.do(ctx, request{method: http.MethodPost, path: []string{"_aliases"}, body: encode(object{"actions": actions})}, nil)
	if isNoIndex(err) && len(more) == 0 { // somebody else was faster with one of them
		return e.removeOneByOne(ctx, list)
	}
	if isNoIndex(err) {
		return err
	}
	return public(err)
}

func (e *Engine) removeOneByOne(ctx context.Context, list []place) error {
	for _, p := range list {
		if err := e.client.do(ctx, request{method: http.MethodDelete, path: []string{p.physical}}, nil); err != nil && !isNoIndex(err) {
			return public(err)
		}
	}
	return nil
}

var _ storage.Indexes = (*Engine)(nil)
