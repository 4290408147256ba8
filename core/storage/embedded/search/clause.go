package search

import (
	"context"
	"math"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
)

// noDoc is behind every document.
const noDoc = math.MaxUint32

// clause is a query that was compiled for one target. It gives the documents of the space it was compiled for.
type clause interface {
	// matches gives the documents of a view that match.
	matches(v *view) (set, error)
}

// fixed is a clause that gives every document the same score.
type fixed interface {
	clause
	score() float32
}

// ranker is a clause that scores each document by itself.
type ranker interface {
	clause
	// rank gives the documents that match with their scores, nil when there are none.
	rank(v *view) (scorer, error)
}

// scorer goes through documents in the order of their numbers. It stands before the first one at the beginning.
type scorer interface {
	// next goes to the next document and gives it, noDoc behind the last.
	next() uint32
	// seek goes to the first document that is not before doc, which may be the one it stands on.
	seek(doc uint32) uint32
	doc() uint32
	// score is that of the document it stands on.
	score() float32
	// cost is about how many documents there are.
	cost() int
}

// target is a collection while one search runs over it.
type target struct {
	Target
	*session
	now time.Time
	statistics
}

// view is a part of a target that is being read: its lock is held.
type view struct {
	segment.View
	target *target
	ctx    context.Context //nolint:containedctx // it lives as long as one view is read, and ends every loop over its documents
	n      uint32
	// done is the work since ctx was looked at; see ended.
	done    int
	stopped bool
	// failed is why the view cannot be searched, nil when it can.
	failed error
}

// fail stops the search as ended does, with an error that was found at a document.
func (v *view) fail(err error) {
	if v.failed == nil {
		v.failed, v.stopped = err, true
	}
}

func newView(ctx context.Context, t *target, v segment.View) *view {
	return &view{View: v, target: t, ctx: ctx, n: v.Segment.Len()}
}

// checkWork is how much work is done between two looks at the context: less than a millisecond.
const checkWork = 4096

// ended reports that the search is not wanted any more. Whatever goes through documents, words or clauses asks it, and says how
// many it looked at since it asked before. When it has ended all may stop as they like and give what they have: reading the
// view then fails.
func (v *view) ended(work int) bool {
	if v.done += work; v.done >= checkWork {
		v.done, v.stopped = 0, v.stopped || v.ctx.Err() != nil
	}
	return v.stopped
}

// stop is ended for those who pass on an error.
func (v *view) stop(work int) error {
	if v.ended(work) {
		return v.ctx.Err()
	}
	return nil
}

// space is how many documents there are under a path.
func (v *view) space(path string) (uint32, error) {
	if path == segment.Root {
		return v.n, nil
	}
	s, err := v.Segment.Space(path)
	if s == nil || err != nil {
		return 0, err
	}
	return s.Len, nil
}

// field finds what is known of a field, nil when that is nothing. It fails when the search is not wanted any more, so that
// many clauses of little work each end too.
func (v *view) field(f *mapping.Field) (*segment.Field, error) {
	if err := v.ctx.Err(); err != nil {
		return nil, err
	}
	found, err := v.Segment.Field(f.Path)
	if err != nil || found == nil || found.Type != f.Type || found.Space != f.Nested || found.Present.IsEmpty() {
		return nil, err
	}
	return found, nil
}

// live is the live documents of the view.
func (v *view) live() set {
	if v.Live.Count() == int(v.n) {
		return all{v.n}
	}
	return living{v.Live, v.n}
}

// nothing matches no document.
type nothing struct{}

func (nothing) matches(*view) (set, error) { return none, nil }
func (nothing) score() float32             { return 0 }

// everything matches every document of a space.
type everything struct{ space string }

func (c everything) matches(v *view) (set, error) {
	n, err := v.space(c.space)
	return all{n}, err
}

// constant gives what a clause matches one score.
type constant struct {
	clause
	boost float32
}

func (c constant) score() float32 { return c.boost }

// rank gives the scorer of any clause.
func rank(c clause, v *view) (scorer, error) {
	if r, ok := c.(ranker); ok {
		return r.rank(v)
	}
	s, err := c.matches(v)
	if err != nil {
		return nil, err
	}
	score := float32(0)
	if f, ok := c.(fixed); ok {
		score = f.score()
	}
	return newSteady(s.bitmap(), score), nil
}

// steady goes through documents that have one score.
type steady struct {
	it    roaring.IntPeekable
	at    uint32
	value float32
	n     int
	begun bool
}

// newSteady gives nil when there are no documents.
func newSteady(b *roaring.Bitmap, score float32) scorer {
	if b.IsEmpty() {
		return nil
	}
	return &steady{it: b.Iterator(), value: score, n: int(b.GetCardinality())} //nolint:gosec // fewer than 1<<32
}

func (s *steady) next() uint32 {
	s.begun = true
	if s.at = noDoc; s.it.HasNext() {
		s.at = s.it.Next()
	}
	return s.at
}

func (s *steady) seek(doc uint32) uint32 {
	if s.begun && s.at >= doc {
		return s.at
	}
	s.it.AdvanceIfNeeded(doc)
	return s.next()
}

func (s *steady) doc() uint32    { return s.at }
func (s *steady) score() float32 { return s.value }
func (s *steady) cost() int      { return s.n }
