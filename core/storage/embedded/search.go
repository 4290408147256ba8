package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/highlight"
	"github.com/sluicehq/sluice/core/storage/embedded/search"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/source"
)

// Search finds documents. It sees every write that was acknowledged before it began.
func (e *Engine) Search(ctx context.Context, s storage.Search) (storage.Found, error) {
	if err := e.begin(ctx); err != nil {
		return storage.Found{}, err
	}
	defer e.gate.Leave()
	body, err := query.Read(s)
	if err != nil {
		return storage.Found{}, err
	}
	if s.Scroll > 0 {
		return e.openScroll(ctx, s, body)
	}
	all, err := e.pinAll(s.Targets)
	if err != nil {
		return storage.Found{}, err
	}
	defer letGo(all)
	p := page{engine: e, from: e.db, pinned: all, filter: source.NewFilter(body.Source)}
	found, _, err := p.find(ctx, search.Request{Search: body, From: s.From, Size: s.Size, Now: time.Now()})
	return found, err
}

// page finds hits and reads their documents.
type page struct {
	engine *Engine
	from   pebble.Reader // of the documents
	pinned []*pinned
	filter *source.Filter
	// highlight has one for each target, and is nil when nothing is highlighted.
	highlight []*highlight.Highlighter
	// hasSlot says that documents are read while a slot is held for the search.
	hasSlot bool
}

// find gives what a request finds, and where the next page begins.
func (p *page) find(ctx context.Context, r search.Request) (found storage.Found, next *search.Cursor, err error) {
	result, err := p.run(ctx, r)
	if err != nil {
		return storage.Found{}, nil, err
	}
	answer := p.engine.answers.begin()
	defer answer.end()
	found = storage.Found{Total: result.Total, Aggregations: result.Aggregations}
	if found.Hits, err = p.show(ctx, r, result.Hits, answer); err != nil {
		return storage.Found{}, nil, err
	}
	found.Suggest, err = p.suggestions(ctx, result.Suggestions, !r.Search.Source.None, answer)
	return found, result.Next, err
}

// run searches the index.
func (p *page) run(ctx context.Context, r search.Request) (result search.Result, err error) {
	r.Read = p.top(r.Search.Query)
	err = p.engine.compute(ctx, p.pinned, func() (err error) {
		result, err = search.Run(ctx, targets(p.pinned), r)
		return err
	})
	return result, err
}

// show reads the documents of hits.
func (p *page) show(ctx context.Context, r search.Request, hits []search.Hit, a *answer) ([]storage.Hit, error) {
	if err := p.setHighlight(ctx, r.Search); err != nil {
		return nil, err
	}
	defer func() { p.highlight = nil }() // a scroll may wait for long
	shown := make([]storage.Hit, 0, len(hits))
	for i := range hits {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hit, there, err := p.read(ctx, &hits[i], !r.Search.Source.None)
		if err != nil {
			return nil, err
		}
		if err := a.add(ctx, len(hit.Source)+len(hit.Highlight)+len(hit.Explanation)); err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		if r.Search.Collapse != nil {
			if err := p.collapsed(ctx, r, hits[i].Group, &hit, a); err != nil {
				return nil, err
			}
		}
		shown = append(shown, hit)
	}
	return shown, nil
}

// read completes a hit. A document that has changed since it was found is given as it is now; one that is gone is left out.
func (p *page) read(ctx context.Context, h *search.Hit, withSource bool) (hit storage.Hit, there bool, err error) {
	c := p.pinned[h.Target].coll
	hit = storage.Hit{Collection: c.address, ID: h.ID, Sort: h.Sort, Explanation: h.Explanation}
	if h.Scored {
		hit.Score = &h.Score
	}
	if !withSource && p.highlight == nil {
		return hit, true, nil
	}
	r, err := loadRecord(p.from, c.number, h.ID)
	if errors.Is(err, pebble.ErrNotFound) {
		return hit, false, nil
	}
	if err != nil {
		return hit, false, err
	}
	if p.highlight != nil {
		if hit.Highlight, err = p.highlighted(ctx, h.Target, r.source); err != nil {
			return hit, false, err
		}
	}
	if withSource {
		hit.Source, err = p.filtered(ctx, r.source)
	}
	return hit, err == nil, err
}

// setHighlight makes the highlighters of a search that asks for them. It takes a slot like highlighted.
func (p *page) setHighlight(ctx context.Context, s *query.Search) error {
	if s.Highlight == nil {
		return nil
	}
	return p.compute(ctx, func() error {
		bounds := search.NewBounds(ctx)
		all := make([]*highlight.Highlighter, 0, len(p.pinned))
		for _, pinned := range p.pinned {
			h, err := highlight.New(bounds, pinned.target.Mapping, s.Highlight, s.Query)
			if err != nil {
				return err
			}
			all = append(all, h)
		}
		p.highlight = all
		return nil
	})
}

// highlighted shows what was found in a document. It takes a slot like filtered.
func (p *page) highlighted(ctx context.Context, target int, source jsontext.Value) (shown jsontext.Value, err error) {
	err = p.compute(ctx, func() (err error) {
		shown, err = p.highlight[target].Apply(ctx, source)
		return err
	})
	return shown, err
}

// filtered leaves out what was not asked for. That is as much work as searching, and takes a slot like it.
func (p *page) filtered(ctx context.Context, source jsontext.Value) (filtered jsontext.Value, err error) {
	if p.filter == nil {
		return source, nil
	}
	err = p.compute(ctx, func() (err error) {
		filtered, err = p.filter.Apply(ctx, source)
		return err
	})
	return filtered, err
}

// compute does what takes a slot, unless there is one already.
func (p *page) compute(ctx context.Context, do func() error) error {
	if p.hasSlot {
		return do()
	}
	return p.engine.compute(ctx, p.pinned, do)
}

// Count counts the documents that match.
func (e *Engine) Count(ctx context.Context, addresses []storage.Collection, raw jsontext.Value) (n int, err error) {
	if err := e.begin(ctx); err != nil {
		return 0, err
	}
	defer e.gate.Leave()
	if err := query.CheckTargets(addresses); err != nil {
		return 0, err
	}
	q, err := query.Parse(raw)
	if err != nil {
		return 0, err
	}
	all, err := e.pinAll(addresses)
	if err != nil {
		return 0, err
	}
	defer letGo(all)
	err = e.compute(ctx, all, func() (err error) {
		n, err = search.Count(ctx, targets(all), q, time.Now())
		return err
	})
	return n, err
}

// Refresh has nothing to do but to look whether the collection exists: searches see every acknowledged write.
func (e *Engine) Refresh(ctx context.Context, c storage.Collection) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	_, err := e.catalogue.find(c)
	return err
}

// Size gives the number of documents, and about the bytes of documents and index on disk; what is not written to files yet
// counts as the memory that it needs.
func (e *Engine) Size(ctx context.Context, address storage.Collection) (storage.Size, error) {
	if err := e.begin(ctx); err != nil {
		return storage.Size{}, err
	}
	defer e.gate.Leave()
	p, err := e.pin(address)
	if err != nil {
		return storage.Size{}, err
	}
	defer p.letGo()
	data := appendDataPrefix(nil, p.coll.number)
	bytes, err := e.db.EstimateDiskUsage(data, after(data))
	if err != nil {
		return storage.Size{}, readError(err)
	}
	size := storage.Size{Bytes: int64(bytes)} //nolint:gosec // no disk is that large
	for i, part := range p.parts {
		size.Documents += p.target.Views[i].Live.Count()
		if part.file != nil {
			size.Bytes += part.file.Bytes()
		} else {
			size.Bytes += part.memory.Bytes()
		}
	}
	return size, nil
}

var _ storage.Searcher = (*Engine)(nil)
