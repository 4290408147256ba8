package collection

import (
	"cmp"
	"context"
	"slices"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The kinds of collections: those that hold documents, and those that only live subscriptions name.
const (
	all      = "all"
	stored   = "stored"
	realtime = "realtime"
)

type listed struct {
	Type        string  `json:"type"`
	Collections []entry `json:"collections"`
	From        int64   `json:"from,omitzero"`
	Size        int64   `json:"size,omitzero"`
}

type entry struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// list answers the collections of an index by name, size of them beginning at from. One that holds documents and has
// subscribers is there twice. The index need not exist for those that only have subscribers.
func (c controller) list(ctx context.Context, req *protocol.Request) (any, error) {
	index, err := target.Index(req)
	if err != nil {
		return nil, err
	}
	answer, err := page(req)
	if err != nil {
		return nil, err
	}
	if answer.Type != realtime {
		if answer.Collections, err = c.stored(ctx, target.Scope(req), index); err != nil {
			return nil, err
		}
	}
	if answer.Type != stored && target.Scope(req) == storage.Public {
		answer.Collections = append(answer.Collections, c.watched(index)...)
	}
	slices.SortStableFunc(answer.Collections, func(a, b entry) int { return cmp.Compare(a.Name, b.Name) })
	answer.cut()
	return answer, nil
}

func (c controller) stored(ctx context.Context, scope storage.Scope, index string) ([]entry, error) {
	indexes, err := c.Engine.Indexes(ctx, scope)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(indexes, index) {
		return nil, kerror.ServicesStorageUnknownIndex.New(index)
	}
	collections, err := c.Engine.List(ctx, scope)
	list := []entry{}
	for _, one := range collections {
		if one.Index == index {
			list = append(list, entry{one.Name, stored})
		}
	}
	return list, err
}

// watched are the collections of an index that have subscribers.
func (c controller) watched(index string) []entry {
	var list []entry
	for name := range c.Realtime.List(func(of, _ string) bool { return of == index })[index] {
		list = append(list, entry{name, realtime})
	}
	return list
}

// page reads which part of the list is wanted.
func page(req *protocol.Request) (l *listed, err error) {
	l = &listed{Collections: []entry{}}
	if l.From, err = req.Args.OptInt("from", 0); err != nil {
		return nil, err
	}
	if l.Size, err = req.Args.OptInt("size", 0); err != nil {
		return nil, err
	}
	if l.Type, err = req.Args.OptString("type", all); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{all, stored, realtime}, l.Type) {
		return nil, kerror.APIAssertInvalidArgument.New("type", all+", "+stored+", "+realtime)
	}
	return l, nil
}

// cut keeps the part that was asked for; size 0 is no limit.
func (l *listed) cut() {
	total := int64(len(l.Collections))
	from := min(max(l.From, 0), total)
	to := total
	if l.Size > 0 {
		to = min(from+l.Size, total)
	}
	l.Collections = l.Collections[from:to]
}
