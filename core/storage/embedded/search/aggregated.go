package search

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/aggregation"
	"github.com/sluicehq/sluice/core/storage/query"
)

// compileFilters compiles the queries of the aggregations, which are asked of documents or of nested objects.
func (e *execution) compileFilters(p *part, c compiler) error {
	if e.plan == nil {
		return nil
	}
	p.filters = map[query.Query]clause{}
	return query.EachFilter(e.body.Aggregations, c.space, func(q query.Query, path string) (err error) {
		inside := c
		inside.space = path
		p.filters[q], err = inside.compile(q)
		return err
	})
}

// aggregate gives the aggregations documents of a view.
func (e *execution) aggregate(p *part, v *view, docs *roaring.Bitmap) error {
	match := func(q query.Query) (*roaring.Bitmap, error) {
		found, err := p.filters[q].matches(v)
		if err != nil {
			return nil, err
		}
		return found.bitmap(), v.stop(0)
	}
	hits := func(of *query.TopHits) (aggregation.Hits, error) { return e.openTopHits(of, p, v) }
	if err := e.plan.Collect(v.ctx, aggregation.Part{Mapping: p.Mapping, View: v.View, Match: match, Hits: hits}, docs); err != nil {
		return err
	}
	return e.mergeTopHits(v)
}
