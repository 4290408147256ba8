package search

import (
	"context"
	"errors"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// ErrHeld is the error of Run, Count and Match when they would keep the Lock of a view for long: a memory was held too long. Those
// who write to the memory wait for it, and all other searches behind them. The caller makes the memory immutable, so that its
// view has no Lock, and asks again.
var ErrHeld = errors.New("search: a memory was held too long")

// maxHold is how long a Lock is kept.
const maxHold = 200 * time.Millisecond

// Target is a collection to search: the views are in the order of the positions of their documents.
type Target struct {
	Mapping *mapping.Mapping
	Views   []segment.View
	// Find gives the position of the document with an id as it is now, false when there is none; it makes the search for ids
	// fast. nil when the views are not the latest state of the collection. No view is locked when it is called.
	Find func(id string) (position uint64, ok bool)
}

// Request is one search, or the next page of one.
type Request struct {
	Search     *query.Search
	From, Size int
	Now        time.Time
	// After continues where the page before ended; From is then 0. The targets must be the same and have the same views. Nothing
	// is counted and aggregated, as the first page did that.
	After *Cursor
	// Read gives the document of a hit of a top_hits, false when it is gone. It must be set when the search has such. No view is
	// locked when it is called.
	Read func(ctx context.Context, h Hit, shown *query.Shown) (hit storage.Hit, there bool, err error)
}

// Cursor is where a page ended. It is immutable.
type Cursor struct {
	target, view int
	doc          uint32
	values       []value
}

// Hit is a document that was found.
type Hit struct {
	// Target is its index among the targets.
	Target   int
	ID       string
	Position uint64
	Score    float32
	// Scored says that Score means something: it does not when the search is sorted by something else.
	Scored bool
	// Sort has what the document was sorted by, nil when the search does not say how to sort.
	Sort []jsontext.Value
	// Explanation is how the score came about, nil when the search does not ask for it.
	Explanation jsontext.Value
	// Group is the value by which the search collapses, nil when the document has none and when the search does not.
	Group jsontext.Value
}

// Result is what a search found.
type Result struct {
	Hits []Hit
	// Total is how many documents match, at most as many as track_total_hits asked to count.
	Total int
	// Aggregations is the object that Elasticsearch answers, nil when the search has none.
	Aggregations jsontext.Value
	// Suggestions are in the order of the search, nil when it asks for none.
	Suggestions []Suggested
	// Next is where the next page begins, nil when this one is not full.
	Next *Cursor
}

// Run searches the targets. Fails with services.storage.unexpected_bad_request when the search does not suit a mapping, or takes
// longer than its search_timeout; with the error of ctx when that ends; with ErrHeld; and with segment.ErrDamaged.
func Run(ctx context.Context, targets []Target, r Request) (Result, error) {
	if r.Search.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.Search.Timeout, errTimeout)
		defer cancel()
	}
	result, err := run(ctx, targets, r)
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) && errors.Is(err, context.DeadlineExceeded) {
		return Result{}, refuse("the search took longer than its search_timeout of %v", r.Search.Timeout)
	}
	return result, err
}

var errTimeout = errors.New("search_timeout")

func run(ctx context.Context, targets []Target, r Request) (Result, error) {
	e, err := newExecution(ctx, targets, r)
	if err != nil {
		return Result{}, err
	}
	for _, t := range e.parts {
		if err := t.gather(ctx); err != nil {
			return Result{}, err
		}
	}
	for i, t := range e.parts {
		if err := e.checkPlan(ctx, t); err != nil {
			return Result{}, err
		}
		number := 0
		err := t.each(ctx, func(v *view) error {
			number++
			return e.search(v, i, number-1)
		})
		if err != nil {
			return Result{}, err
		}
	}
	result, err := e.result(ctx)
	if err == nil && len(r.Search.Suggestions) > 0 && r.After == nil {
		result.Suggestions, err = suggest(ctx, targets, r.Search.Suggestions)
	}
	return result, err
}

// Count is how many live documents of the targets match a query. Its errors are those of Run.
func Count(ctx context.Context, targets []Target, q query.Query, now time.Time) (int, error) {
	sum, shared := 0, newSession(ctx)
	for _, t := range targets {
		err := eachMatch(shared, t, q, now, func(v *view, s set) error {
			n, err := countAll(v, s)
			sum += n
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// Match gives the live documents that match a query, for each view. Its errors are those of Run.
func Match(ctx context.Context, t Target, q query.Query, now time.Time) ([]*roaring.Bitmap, error) {
	list := make([]*roaring.Bitmap, 0, len(t.Views))
	err := eachMatch(newSession(ctx), t, q, now, func(_ *view, s set) error {
		list = append(list, s.bitmap().Clone())
		return nil
	})
	return list, err
}

// eachMatch calls visit for each view with the live documents that match.
func eachMatch(s *session, t Target, q query.Query, now time.Time, visit func(*view, set) error) error {
	part := &target{Target: t, session: s, now: now}
	c, err := compiler{target: part, boost: 1}.compile(q)
	if err != nil {
		return err
	}
	if err := part.gather(s.ctx); err != nil {
		return err
	}
	return part.each(s.ctx, func(v *view) error {
		s, err := c.matches(v)
		if err != nil {
			return err
		}
		return visit(v, and(v, v.n, s, v.live()))
	})
}

// countAll counts a set.
func countAll(v *view, s set) (int, error) {
	if n, ok := count(s); ok {
		return n, nil
	}
	n := 0
	err := s.each(func(batch []uint32) error {
		n += len(batch)
		return v.ctx.Err()
	})
	return n, err
}
