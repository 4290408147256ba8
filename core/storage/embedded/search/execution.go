package search

import (
	"context"
	"errors"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/aggregation"
	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

// execution is one search while it runs.
type execution struct {
	request Request
	body    *query.Search
	sorts   []query.Sort
	parts   []*part
	ranking ranking
	scored  bool
	total   int
	// plan is nil when nothing is aggregated.
	plan *aggregation.Plan
	// cursor is nil at the first page.
	cursor *Cursor
	// tops are the top_hits of the aggregations, and topScored says that one of them wants scores.
	tops      map[*query.TopHits]*topHits
	topScored bool
	// at is the view that is searched.
	at struct{ target, view int }
	// scores are those of the documents of the view, for topScored; nil when all have the same, which is steady.
	scores []float32
	steady float32
}

// part is a target with what was compiled for it.
type part struct {
	target
	query, post clause // post is nil without a post_filter
	keys        []*key
	after       []value    // nil when the search begins at the best hit
	collapsed   *collapsed // nil when every hit is shown
	// filters are those of the aggregations.
	filters map[query.Query]clause
}

func newExecution(ctx context.Context, targets []Target, r Request) (*execution, error) {
	e := &execution{request: r, body: r.Search, cursor: r.After, sorts: r.Search.Sort}
	if len(e.sorts) == 0 {
		e.sorts = relevance
	}
	e.scored = slices.ContainsFunc(e.sorts, func(s query.Sort) bool { return s.Field == query.ByScore })
	e.ranking.most = r.From + r.Size
	if len(r.Search.Aggregations) > 0 && r.After == nil {
		var err error
		if e.plan, err = aggregation.New(ctx, r.Search.Aggregations, r.Now); err != nil {
			return nil, err
		}
	}
	shared := newSession(ctx)
	shared.size = r.Size
	for _, t := range targets {
		p, err := e.compile(shared, t)
		if err != nil {
			return nil, err
		}
		e.parts = append(e.parts, p)
	}
	if len(e.parts) > 0 {
		e.ranking.keys = e.parts[0].keys
	}
	return e, e.checkKinds()
}

func (e *execution) compile(s *session, t Target) (*part, error) {
	p := &part{target: target{Target: t, session: s, now: e.request.Now}}
	err := e.compileTopHits(p)
	if err != nil {
		return nil, err
	}
	c := compiler{target: &p.target, scores: e.ranks(), boost: 1}
	if p.query, err = c.compile(e.body.Query); err != nil {
		return nil, err
	}
	if e.body.PostFilter != nil {
		if p.post, err = c.filtering().compile(e.body.PostFilter); err != nil {
			return nil, err
		}
	}
	if p.keys, err = p.sortKeys(e.sorts); err != nil {
		return nil, err
	}
	if e.body.Collapse != nil {
		if p.collapsed, err = p.target.collapsed(e.body.Collapse); err != nil {
			return nil, err
		}
	}
	if err := e.compileFilters(p, c.filtering()); err != nil {
		return nil, err
	}
	switch {
	case e.cursor != nil:
		p.after = e.cursor.values
	case e.body.SearchAfter != nil && e.plainly():
		return nil, refuse("search_after: Sort must contain at least one field.")
	case e.body.SearchAfter != nil:
		p.after, err = p.target.after(p.keys, e.body.SearchAfter)
	}
	return p, err
}

// ranks says that documents are wanted with their scores.
func (e *execution) ranks() bool {
	return (e.scored || e.body.Explain) && e.ranking.most > 0 || e.topScored
}

func (e *execution) checkKinds() error {
	for _, p := range e.parts {
		if err := checkKinds(e.ranking.keys, p.keys); err != nil {
			return err
		}
	}
	return nil
}

// checkKinds refuses keys that cannot be compared over two targets.
func checkKinds(keys, others []*key) error {
	for i, k := range keys {
		if other := others[i]; other.kind != k.kind {
			return refuse("Can't sort on field [%s]; the field has incompatible sort types: [%s] and [%s] across collections", k.Field, k.typ, other.typ)
		}
	}
	return nil
}

// checkPlan lets the aggregations look at the mapping of a target without documents.
func (e *execution) checkPlan(ctx context.Context, p *part) error {
	if e.plan == nil || len(p.Views) > 0 {
		return nil
	}
	return e.aggregate(p, newView(ctx, &p.target, segment.View{Segment: segment.NewMemory(), Live: &segment.Live{}}), none.Bitmap)
}

// search finds the best hits of a view.
func (e *execution) search(v *view, number, viewNumber int) error {
	p := e.parts[number]
	e.at.target, e.at.view = number, viewNumber
	c, err := e.collector(p, v, number, viewNumber)
	if err != nil {
		return err
	}
	if _, ranked := p.query.(ranker); ranked && e.ranks() {
		err = e.rankView(p, v, c)
	} else {
		err = e.matchView(p, v, c)
	}
	if err != nil || e.ranking.most == 0 {
		return err
	}
	return e.ranking.merge(c, v.View, number, viewNumber)
}

func (e *execution) collector(p *part, v *view, number, viewNumber int) (*collector, error) {
	readers := make([]reader, len(p.keys))
	for i, k := range p.keys {
		var err error
		if readers[i], err = k.open(v); err != nil {
			return nil, err
		}
	}
	last := int64(noDoc)
	if e.cursor != nil {
		switch {
		case number > e.cursor.target || number == e.cursor.target && viewNumber > e.cursor.view:
			last = -1
		case number == e.cursor.target && viewNumber == e.cursor.view:
			last = int64(e.cursor.doc)
		}
	}
	c := newCollector(readers, e.ranking.most, p.after, last)
	if p.collapsed != nil {
		var err error
		if c.groups, err = p.collapsed.open(v); err != nil {
			return nil, err
		}
	}
	if worst, full := e.ranking.full(); full {
		c.limitTo(worst)
	}
	return c, nil
}

// matchView searches a view whose hits all have the same score, or none.
func (e *execution) matchView(p *part, v *view, c *collector) error {
	s, err := p.query.matches(v)
	if err != nil {
		return err
	}
	s = and(v, v.n, s, v.live())
	score := float32(0)
	if f, ok := p.query.(fixed); ok && e.ranks() {
		score = finite(f.score())
	}
	if e.plan != nil {
		e.scores, e.steady = nil, score
		found := s.bitmap()
		if err := e.aggregate(p, v, found); err != nil {
			return err
		}
		s = docs{found}
	}
	if p.post != nil {
		post, err := p.post.matches(v)
		if err != nil {
			return err
		}
		s = and(v, v.n, s, post)
	}
	return e.collectSet(v, c, s, score)
}

// errEnough ends going through a set of which no more documents are wanted.
var errEnough = errors.New("enough")

// collectSet gives a set to the collector and counts it.
func (e *execution) collectSet(v *view, c *collector, s set, score float32) error {
	size, known := count(s)
	if known {
		e.total += size
	}
	if c.floor.values != nil && e.inOrder() && (known || e.counted()) {
		s = c.behindFloor(v, s, score)
	}
	// Documents that are in their order need not be compared.
	inOrder := c.floor.values == nil && e.inOrder() && ordered(s)
	var scores []float32
	if e.scored {
		room := min(batchDocs, int(v.n))
		if inOrder {
			room = min(room, c.most)
		}
		scores = slices.Repeat([]float32{score}, room)
	}
	switch {
	case known && e.ranking.most == 0, !known && e.ranking.most == 0 && e.counted():
		return nil
	case known && !inOrder && walk(v, c, s, size, scores):
		return v.ctx.Err()
	}
	left := c.most
	err := s.each(func(batch []uint32) error {
		if !known {
			e.total += len(batch)
		}
		if left > 0 || !inOrder {
			if inOrder {
				batch = batch[:min(left, len(batch))]
				left -= len(batch)
			}
			c.add(batch, scores)
		}
		if inOrder && left == 0 && (known || e.counted()) {
			return errEnough
		}
		return v.ctx.Err()
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// alike says that hits with the same score are only sorted by where they stand.
func (e *execution) alike() bool {
	return len(e.sorts) == 1 && e.sorts[0].Field == query.ByScore
}

// plainly says that the order is the one of a search that does not say.
func (e *execution) plainly() bool { return e.alike() && e.sorts[0].Desc }

// inOrder says that hits with the same score come in the order of their numbers, and all of them.
func (e *execution) inOrder() bool {
	if e.body.Collapse != nil {
		return false
	}
	return e.alike() || len(e.sorts) == 1 && e.sorts[0].Field == query.ByPosition && !e.sorts[0].Desc
}

// counted says that no more hits have to be counted.
func (e *execution) counted() bool {
	return e.cursor != nil || e.body.TotalHits != query.AllHits && e.total >= e.body.TotalHits
}

// ordered reports whether each gives the documents of a set in the order of their numbers.
func ordered(s set) bool {
	switch s := s.(type) {
	case docs, all, living, *disjunction, *negation, *undecided:
		return true
	case *conjunction:
		return ordered(s.lead)
	}
	return false
}

// rankView searches a view whose hits have scores of their own.
func (e *execution) rankView(p *part, v *view, c *collector) error {
	b := newRanked(e, v, c)
	if err := b.score(p); err != nil || e.plan == nil {
		return err
	}
	e.scores = b.kept
	return e.aggregate(p, v, b.all.bitmap())
}

// score passes on all that matches.
func (b *ranked) score(p *part) error {
	s, err := rank(p.query, b.v)
	if s == nil || err != nil {
		return err
	}
	if p.post != nil {
		if b.post, err = p.post.matches(b.v); err != nil {
			return err
		}
	}
	for doc := s.next(); doc != noDoc; doc = s.next() {
		if b.live != nil && !b.live.has(doc) {
			continue
		}
		b.docs, b.scores = append(b.docs, doc), append(b.scores, finite(s.score()))
		if len(b.docs) == cap(b.docs) {
			if err := b.flush(); err != nil {
				return err
			}
		}
	}
	return b.flush()
}

// rankedDocs is how many documents with scores are passed on together: more are no faster, and every search makes room for them.
const rankedDocs = 256

// ranked passes documents with scores on in batches.
type ranked struct {
	e       *execution
	v       *view
	c       *collector
	post    set       // nil without a post_filter
	live    dense     // nil when all documents are live
	all     dense     // what is aggregated, nil when nothing is
	kept    []float32 // the scores of what is aggregated, nil when they are not wanted
	docs    []uint32
	scores  []float32
	scratch []uint32
}

func newRanked(e *execution, v *view, c *collector) *ranked {
	b := &ranked{
		e: e, v: v, c: c,
		docs: make([]uint32, 0, rankedDocs), scores: make([]float32, 0, rankedDocs),
	}
	if v.Live.Count() < int(v.n) {
		b.live = v.Live.Dense(v.n)
	}
	if e.plan != nil {
		b.all = newDense(v.n)
	}
	if e.topScored {
		b.kept = make([]float32, v.n)
	}
	return b
}

func (b *ranked) flush() error {
	if b.all != nil {
		for _, doc := range b.docs {
			b.all.add(doc)
		}
	}
	if b.kept != nil {
		for i, doc := range b.docs {
			b.kept[doc] = b.scores[i]
		}
	}
	if b.post != nil {
		b.filter(b.post)
	}
	b.e.total += len(b.docs)
	b.c.add(b.docs, b.scores)
	b.docs, b.scores = b.docs[:0], b.scores[:0]
	return b.v.ctx.Err()
}

// filter takes out what is not in s.
func (b *ranked) filter(s set) {
	b.scratch = append(b.scratch[:0], b.docs...)
	kept := s.keep(b.scratch)
	n := 0
	for i, doc := range b.docs {
		if n < len(kept) && kept[n] == doc {
			b.docs[n], b.scores[n] = doc, b.scores[i]
			n++
		}
	}
	b.docs, b.scores = b.docs[:n], b.scores[:n]
}

// result makes the answer when all views are searched.
func (e *execution) result(ctx context.Context) (Result, error) {
	r := Result{Total: e.total}
	if e.cursor != nil {
		r.Total = 0
	}
	if e.plan != nil {
		var err error
		if r.Aggregations, err = e.plan.Result(ctx); err != nil {
			return Result{}, err
		}
	}
	if limit := e.body.TotalHits; limit != query.AllHits {
		r.Total = min(r.Total, limit)
	}
	best := e.ranking.best
	if len(best) > 0 && len(best) == e.ranking.most {
		last := best[len(best)-1]
		r.Next = &Cursor{target: last.target, view: last.view, doc: last.doc, values: last.values}
	}
	best = best[min(e.request.From, len(best)):]
	r.Hits = make([]Hit, 0, len(best))
	for i := range best {
		f := &best[i]
		if !f.named {
			if err := f.name(e.parts[f.target].Views[f.view].Segment); err != nil {
				return Result{}, err
			}
		}
		r.Hits = append(r.Hits, e.hit(f))
	}
	if e.body.Explain {
		return r, e.explain(ctx, best, r.Hits)
	}
	return r, nil
}

func (e *execution) hit(f *found) Hit {
	h := Hit{Target: f.target, ID: f.id, Position: f.position, Score: f.score, Scored: e.scored}
	if c := e.parts[f.target].collapsed; c != nil {
		h.Group = c.json(f.group)
	}
	if e.plainly() {
		return h
	}
	h.Sort = make([]jsontext.Value, len(f.values))
	for i, k := range e.parts[f.target].keys {
		h.Sort[i] = k.json(f.values[i])
	}
	return h
}
