package embedded

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/source"
)

// hitBytes is about what an inner hit needs beside its document.
const hitBytes = 256

// collapsed completes a hit of a search that collapses: with the value it stands for, and the inner hits that share it. Each of
// these is a search of its own, in the same state of the collections.
func (p *page) collapsed(ctx context.Context, r search.Request, group jsontext.Value, hit *storage.Hit, a *answer) error {
	c := r.Search.Collapse
	if group != nil {
		name, err := jsontext.AppendQuote(nil, c.Field)
		if err != nil {
			return err // not reached: the name was read from JSON
		}
		hit.Fields = append(append(append(append([]byte{'{'}, name...), ":["...), group...), "]}"...)
	}
	for _, h := range c.InnerHits {
		inner, err := p.inside(ctx, search.Request{Search: r.Search.Within(h, group), From: h.From, Size: h.Size, Now: r.Now}, a)
		if err != nil {
			return err
		}
		if hit.InnerHits == nil {
			hit.InnerHits = make(map[string][]storage.Hit, len(c.InnerHits))
		}
		hit.InnerHits[h.Name] = inner
	}
	return nil
}

// inside gives the hits of a search within another.
func (p *page) inside(ctx context.Context, r search.Request, a *answer) ([]storage.Hit, error) {
	inner := page{engine: p.engine, from: p.from, pinned: p.pinned, filter: source.NewFilter(r.Search.Source)}
	result, err := inner.run(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := a.add(ctx, hitBytes*len(result.Hits)); err != nil {
		return nil, err
	}
	return inner.show(ctx, r, result.Hits, a)
}

// top gives what reads the hits of the top_hits of a search, which has a slot then.
func (p *page) top(q query.Query) func(context.Context, search.Hit, *query.Shown) (storage.Hit, bool, error) {
	pages := map[*query.Shown]*page{}
	return func(ctx context.Context, h search.Hit, shown *query.Shown) (storage.Hit, bool, error) {
		inner := pages[shown]
		if inner == nil {
			inner = &page{engine: p.engine, from: p.from, pinned: p.pinned, filter: source.NewFilter(shown.Source), hasSlot: true}
			if err := inner.setHighlight(ctx, &query.Search{Query: q, Highlight: shown.Highlight}); err != nil {
				return storage.Hit{}, false, err
			}
			pages[shown] = inner
		}
		return inner.read(ctx, &h, !shown.Source.None)
	}
}
