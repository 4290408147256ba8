package elastic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxChange bounds how long Ensure and Truncate look again at a collection that others make, change and drop at the same time.
const maxChange = 30 * time.Second

// noMapping is the mapping of a collection that was given none.
const noMapping = `{"dynamic":"false","properties":{}}`

// Ensure makes the collection or adds to it. It ends when the collection is seen to have what was asked for, so that two nodes
// that add different things at the same time both get theirs.
func (e *Engine) Ensure(ctx context.Context, c storage.Collection, spec storage.Spec) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	switch {
	case !storage.ValidName(c.Index):
		return kerror.ServicesStorageInvalidIndexName.New(c.Index)
	case !storage.ValidName(c.Name):
		return kerror.ServicesStorageInvalidCollectionName.New(c.Name)
	case c.Name == keep:
		return kerror.ServicesStorageCollectionReserved.New(c.Name)
	case spec.Settings != nil && !isObject(spec.Settings):
		return kerror.ServicesStorageInvalidArgument.New("settings", "a JSON object")
	}
	defer e.schemas.forget(c)
	for begin := time.Now(); time.Since(begin) < maxChange; {
		done, err := e.ensureOnce(ctx, c, spec)
		if done || err != nil {
			return err
		}
	}
	return kerror.ServicesStorageUnexpectedError.New(fmt.Sprintf("the collection %q is being changed by others all the time", c.Name))
}

// ensureOnce does the next step; done says that there is nothing left to do.
func (e *Engine) ensureOnce(ctx context.Context, c storage.Collection, spec storage.Spec) (done bool, err error) {
	l, err := e.read(ctx, c)
	if isNoIndex(err) {
		return e.ensureNew(ctx, c, spec)
	}
	if err != nil {
		return false, public(err)
	}
	next, err := l.with(c, spec)
	if err != nil || next.extra == nil && next.same(&l) {
		return true, err
	}
	if spec.Settings != nil {
		if err := e.changeSettings(ctx, c, &l, spec.Settings); err != nil {
			return false, err
		}
	}
	body, err := next.body()
	if err != nil {
		return false, err
	}
	err = e.client.do(ctx, request{method: http.MethodPut, path: []string{alias(c), "_mapping"}, body: encode(body)}, nil)
	if isNoIndex(err) {
		return false, nil
	}
	if err == nil && string(next.mapping["dynamic"]) != string(l.mapping["dynamic"]) {
		err = e.settle(ctx)
	}
	return next.extra != nil, public(err)
}

// settleTime is how long a document may take, until its new fields wait to be added, that was read by the old mapping.
const settleTime = 500 * time.Millisecond

// settle waits for such documents and then for the fields that wait: Elasticsearch sets dynamic back when it adds them.
func (e *Engine) settle(ctx context.Context) error {
	if !wait(ctx, settleTime) {
		return ctx.Err()
	}
	waited := url.Values{"wait_for_events": {"languid"}, "timeout": {"5s"}}
	return e.client.do(ctx, request{method: http.MethodGet, path: []string{"_cluster", "health"}, query: waited}, nil)
}

func (e *Engine) ensureNew(ctx context.Context, c storage.Collection, spec storage.Spec) (done bool, err error) {
	if spec.Mapping == nil {
		spec.Mapping = jsontext.Value(noMapping)
	}
	set, err := parseSet(spec.Settings)
	if err != nil {
		return false, err
	}
	m, err := mapping.ParseWith(spec.Mapping, set)
	if err == nil {
		m, err = m.Merge(m) // which checks what fields say about each other
	}
	if err != nil {
		return false, err
	}
	l := layout{record: record{Settings: spec.Settings}, settings: newSettings(spec.Settings)}
	if err := l.setFields(m); err != nil {
		return false, err
	}
	l.addKeywords(spec.Keywords, nil)
	return false, e.make(ctx, c, l)
}

// with gives the layout with what is new in spec.
func (l *layout) with(c storage.Collection, spec storage.Spec) (layout, error) {
	next := *l
	if spec.Settings != nil && !sameJSON(spec.Settings, l.record.Settings) {
		set, err := parseSet(spec.Settings)
		if err != nil {
			return next, err
		}
		if had, err := l.fields(c); err == nil { // or else it is not for this engine to judge
			if _, err := had.With(set); err != nil {
				return next, err
			}
		}
		next.record.Settings = spec.Settings
	}
	if spec.Mapping != nil {
		if err := next.merge(c, spec.Mapping); err != nil {
			return next, err
		}
	}
	next.addKeywords(spec.Keywords, l)
	next.made = l.made || len(spec.Keywords) > 0
	return next, nil
}

// merge adds a mapping. What core/storage/mapping cannot read is left to Elasticsearch to merge.
func (l *layout) merge(c storage.Collection, more jsontext.Value) error {
	set, _ := parseSet(l.record.Settings) // checked before, or from before that was done
	added, err := mapping.ParseWith(more, set)
	if err != nil {
		return err
	}
	had, err := l.fields(c)
	if err != nil {
		return decode(more, &l.extra)
	}
	merged, err := had.Merge(added.For(c.Index, c.Name))
	if err != nil {
		return err
	}
	if string(merged.JSON(true)) == string(had.JSON(true)) {
		return nil
	}
	return l.setFields(merged)
}

// maxNames bounds how many physical names are tried for a new collection.
const maxNames = 5

// make makes a collection that does not exist. When somebody else makes it at the same time it does nothing.
func (e *Engine) make(ctx context.Context, c storage.Collection, l layout) error {
	name := physical(c)
	for range maxNames {
		err := e.makeIndex(ctx, name, l, c)
		f, refused := errors.AsType[*failure](err)
		if !refused || f.Type != "resource_already_exists_exception" && f.Type != "invalid_index_name_exception" {
			return public(err)
		}
		if f.Type == "invalid_index_name_exception" && len(name) > maxIndexName {
			return kerror.ServicesStorageInvalidCollectionName.Wrap(f, c.Name)
		}
		list, err := e.places(ctx, c.Scope, c.Index)
		if err != nil || slices.ContainsFunc(list, func(p place) bool { return p.Collection == c }) {
			return err
		}
		name = numbered(c)
	}
	return unexpected("make the collection", fmt.Errorf("the physical names of %s are taken", physical(c)))
}

// maxIndexName is Elasticsearch's.
const maxIndexName = 255

// numbered is another physical name.
func numbered(c storage.Collection) string {
	return fmt.Sprintf("%s.%d", physical(c), rand.Uint32()) //nolint:gosec // it need not be secret
}

// makeIndex makes the physical index; c gets its alias unless it is the zero value.
func (e *Engine) makeIndex(ctx context.Context, name string, l layout, c storage.Collection) error {
	mappings, err := l.body()
	if err != nil {
		return err
	}
	body := object{"mappings": mappings, "settings": l.settings}
	if c.Name != "" {
		body["aliases"] = object{alias(c): object{}}
	}
	return e.client.do(ctx, request{method: http.MethodPut, path: []string{name}, body: encode(body)}, nil)
}

// Describe gives the collection as it is now.
func (e *Engine) Describe(ctx context.Context, c storage.Collection) (storage.Spec, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return storage.Spec{}, err
	}
	defer e.gate.Leave()
	l, err := e.describe(ctx, c)
	if err != nil {
		return storage.Spec{}, err
	}
	return l.spec(c), nil
}

// Truncate makes an empty index like the one there is, and puts it in its place in one step. A write that runs at the same time
// goes to the old one and is gone, or to the new one.
func (e *Engine) Truncate(ctx context.Context, c storage.Collection) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	for begin := time.Now(); time.Since(begin) < maxChange; {
		l, err := e.describe(ctx, c)
		if err != nil {
			return err
		}
		name := numbered(c)
		if err := e.makeIndex(ctx, name, l, storage.Collection{}); err != nil {
			return public(err)
		}
		add := object{"add": object{"index": name, "alias": alias(c)}}
		err = e.remove(ctx, []place{{c, l.physical}}, add)
		if err == nil {
			return nil
		}
		// The new index stands for nothing. Somebody else truncated or dropped the collection, or something is wrong.
		_ = e.client.do(context.WithoutCancel(ctx), request{method: http.MethodDelete, path: []string{name}}, nil)
		if !isNoIndex(err) {
			return err
		}
	}
	return tooManyChanges(c.Name)
}

// Drop removes the collection.
func (e *Engine) Drop(ctx context.Context, c storage.Collection) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	if !storage.ValidName(c.Index) || c.Name == keep {
		return unknownCollection(c)
	}
	list, err := e.places(ctx, c.Scope, c.Index)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(p place) bool { return p.Collection == c })
	if i < 0 {
		return unknownCollection(c)
	}
	// Not only when it is the last one: another node may be dropping the others.
	if !slices.ContainsFunc(list, func(p place) bool { return p.Name == keep }) {
		if err := e.keepIndex(ctx, c.Scope, c.Index); err != nil {
			return err
		}
	}
	return e.remove(ctx, list[i:i+1])
}

// List gives the collections of a scope.
func (e *Engine) List(ctx context.Context, s storage.Scope) ([]storage.Collection, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	list, err := e.places(ctx, s, "")
	if err != nil {
		return nil, err
	}
	var collections []storage.Collection
	for _, p := range list {
		if p.Name != keep {
			collections = append(collections, p.Collection)
		}
	}
	return collections, nil
}

var _ storage.Collections = (*Engine)(nil)
