package aggregation

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Plan computes the aggregations of one search. It belongs to one goroutine.
type Plan struct {
	nodes nodes
	// docs and owners are the batch that goes to nodes, nil as long as none did. All owners are 0: at the top there is one bucket.
	docs, owners []uint32
	limits       limits
}

// batch is how many documents go through the tree at once.
const batch = 1024

// collector computes one aggregation. Buckets of the aggregation above it are numbered from 0; at the top there is only 0.
type collector interface {
	// open prepares for documents of a segment.
	open(t *target) error
	// collect takes documents, each with the bucket that it is in.
	collect(docs, owners []uint32)
	// write appends the members of the answer for a bucket, of which there may be nothing.
	write(w *writer, owner uint32)
}

// gatherer is a collector that may know the buckets of a whole segment, whose documents are all collected and in bucket 0,
// without looking at any. It reports false when it does not, and then has done nothing.
type gatherer interface {
	gather() bool
}

// Part is a segment of a collection, with its Lock held.
type Part struct {
	// Mapping is the collection's; other parts may have other mappings.
	Mapping *mapping.Mapping
	View    segment.View
	// Match gives the documents that a query of a filter matches, dead ones perhaps included. See query.EachFilter.
	Match func(q query.Query) (*roaring.Bitmap, error)
	// Hits gives what keeps the hits of a top_hits, the same for all parts, ready for documents of this one.
	Hits func(of *query.TopHits) (Hits, error)
}

// target is a segment with what a collector must know to read it.
type target struct {
	mapping *mapping.Mapping
	view    segment.View
	match   func(q query.Query) (*roaring.Bitmap, error)
	hits    func(of *query.TopHits) (Hits, error)
	// space is the path of the documents that are collected, of which the segment has n.
	space string
	n     uint32
	// docs is how many documents are collected, or may be.
	docs int
	now  time.Time
	held *int // bytes that are needed while the segment is open
	// columns has what was read of the fields, by path: many aggregations may read one.
	columns map[string]*column
	limits  *limits
}

// node is an aggregation with its place in the answer.
type node struct {
	name string
	meta jsontext.Value
	collector
}

type nodes []node

// New prepares aggregations. now is the time that dates are relative to. Fails with services.storage.unexpected_bad_request
// when an expression cannot be read.
//
// The context of New, Collect and Result is looked at by the work that is done; they fail with its error when it ends.
func New(ctx context.Context, aggs []query.Aggregation, now time.Time) (*Plan, error) {
	p := &Plan{limits: limits{now: now, ctx: ctx, seed: maphash.MakeSeed()}}
	var err error
	p.nodes, err = p.limits.nodes(aggs)
	return p, err
}

func (l *limits) nodes(aggs []query.Aggregation) (nodes, error) {
	list := make(nodes, len(aggs))
	for i, a := range aggs {
		if l.spend(checkWork) {
			return nil, l.err
		}
		list[i] = node{name: a.Name, meta: a.Meta}
		var err error
		if list[i].collector, err = l.collector(a); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// collector gives what computes an aggregation.
func (l *limits) collector(a query.Aggregation) (collector, error) {
	switch of := a.Of.(type) {
	case *query.Metric:
		return newMetric(of, l), nil
	case *query.Percentiles:
		return &percentiles{of: of, limits: l}, nil
	case *query.TopHits:
		return &topHits{of: of, limits: l}, nil
	case *query.TermsAggregation:
		return newTerms(of, a, l)
	case *query.Histogram:
		return newHistogram(of, a, l)
	case *query.DateHistogram:
		return newDateHistogram(of, a, l)
	case *query.RangeAggregation:
		return newRanges(of, a, l)
	case *query.Composite:
		return newComposite(of, a, l)
	case *query.GeohashGrid:
		return newGrid(of, a, l)
	case *query.Missing:
		return newMissing(of, a, l)
	case *query.FilterAggregation:
		return newFiltered(of, a, l)
	case *query.FiltersAggregation:
		return newFilters(of, a, l)
	case *query.NestedAggregation:
		return newNested(of, a, l)
	case *query.ReverseNestedAggregation:
		return newReverse(of, a, l)
	}
	return nil, fmt.Errorf("an aggregation of the type %T", a.Of)
}

// newMetric gives the collector of a metric.
func newMetric(of *query.Metric, l *limits) collector {
	switch of.Kind {
	case query.ValueCount:
		return &count{of: of, limits: l}
	case query.Cardinality:
		return newCardinality(of, l)
	case query.ExtendedStats:
		return newExtended(of, l)
	default:
		return &numbers{of: of, limits: l}
	}
}

// Collect adds documents of a segment: docs are live documents of the Root. A segment without such documents must be given too:
// what the aggregations ask for is checked against the mapping, and with min_doc_count 0 the terms of all live documents are
// answered.
//
// Fails with services.storage.unexpected_bad_request when an aggregation does not suit the mapping or needs too much memory.
func (p *Plan) Collect(ctx context.Context, part Part, docs *roaring.Bitmap) error {
	p.limits.ctx = ctx
	v := part.View
	t := &target{
		mapping: part.Mapping, view: v, match: part.Match, hits: part.Hits, space: segment.Root, n: v.Segment.Len(),
		docs: int(docs.GetCardinality()), now: p.limits.now, //nolint:gosec // a segment has fewer documents than 1<<32
		columns: map[string]*column{}, limits: &p.limits, held: new(int),
	}
	defer t.release()
	if err := p.nodes.open(t); err != nil {
		return err
	}
	if p.limits.err != nil {
		return p.limits.err
	}
	if uint32(t.docs) == v.Segment.Len() { //nolint:gosec // see above
		return p.collectAll(v.Segment.Len())
	}
	p.makeRoom()
	for it := docs.ManyIterator(); ; {
		n := it.NextMany(p.docs)
		if n == 0 {
			return nil
		}
		p.nodes.collect(p.docs[:n], p.owners[:n])
		if p.limits.spend(n * len(p.nodes)) {
			return p.limits.err
		}
	}
}

// makeRoom makes room for a batch.
func (p *Plan) makeRoom() {
	if p.docs == nil {
		p.docs, p.owners = make([]uint32, batch), make([]uint32, batch)
	}
}

// release gives back the memory of what was read of the segment.
func (t *target) release() {
	for _, c := range t.columns {
		t.limits.charge(-c.bytes)
	}
	t.limits.charge(-*t.held)
}

// hold notes that memory is needed while the segment is open.
func (t *target) hold(bytes int) {
	t.limits.charge(bytes)
	*t.held += bytes
}

func (p *Plan) collectAll(n uint32) error {
	rest := make(nodes, 0, len(p.nodes))
	for _, node := range p.nodes {
		if g, ok := node.collector.(gatherer); !ok || !g.gather() {
			rest = append(rest, node)
		}
	}
	if len(rest) == 0 {
		return p.limits.err
	}
	p.makeRoom()
	for from := uint32(0); from < n; from += batch {
		docs := p.docs[:min(batch, n-from)]
		for i := range docs {
			docs[i] = from + uint32(i)
		}
		rest.collect(docs, p.owners[:len(docs)])
		if p.limits.spend(len(docs) * len(rest)) {
			return p.limits.err
		}
	}
	return nil
}

// Result answers what was collected: the object that Elasticsearch gives under "aggregations". Fails with
// services.storage.unexpected_bad_request when there are too many buckets, or the answer needs too much memory.
func (p *Plan) Result(ctx context.Context) (jsontext.Value, error) {
	p.limits.ctx = ctx
	w := &writer{limits: &p.limits}
	w.object(func() { p.nodes.write(w, 0) })
	if p.limits.err != nil {
		return nil, p.limits.err
	}
	return w.dst, nil
}

func (l nodes) open(t *target) error {
	for i := range l {
		if t.limits.spend(batch) {
			return t.limits.err
		}
		if err := l[i].open(t); err != nil {
			return err
		}
	}
	return nil
}

func (l nodes) collect(docs, owners []uint32) {
	for i := range l {
		l[i].collect(docs, owners)
	}
}

// write appends a member for each aggregation.
func (l nodes) write(w *writer, owner uint32) {
	for i := range l {
		if !w.room() {
			return
		}
		w.name(l[i].name)
		w.object(func() {
			if l[i].meta != nil {
				w.name("meta")
				w.raw(compact(l[i].meta))
			}
			l[i].write(w, owner)
		})
	}
}

func compact(v jsontext.Value) jsontext.Value {
	c := v.Clone()
	if err := c.Compact(); err != nil {
		return v
	}
	return c
}

// limits hold for the whole search.
type limits struct {
	now   time.Time
	ctx   context.Context //nolint:containedctx // of the call that runs; it ends every loop over documents and buckets
	work  int             // since ctx was looked at
	seed  maphash.Seed    // of the hashes of texts
	bytes int
	err   error
}

// maxBytes is roughly how much memory the aggregations of one search may need.
const maxBytes = 256 << 20

// charge notes that memory is needed.
func (l *limits) charge(bytes int) {
	if l.bytes += bytes; l.bytes > maxBytes {
		l.fail(refuse("the aggregations need more than %d MB of memory", maxBytes>>20))
	}
}

// fail ends the search with an error, unless it has one already.
func (l *limits) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// checkWork is how much work is done between two looks at the context: a few milliseconds at most.
const checkWork = 1 << 16

// spend notes that as many documents, keys or buckets were looked at. It reports that computing ends, with err.
func (l *limits) spend(work int) bool {
	if l.work += work; l.work >= checkWork {
		l.work = 0
		if err := l.ctx.Err(); err != nil {
			l.fail(err)
		}
	}
	return l.err != nil
}

// refuse is the error of an aggregation that cannot be computed.
func refuse(format string, args ...any) error {
	return kerror.ServicesStorageUnexpectedBadRequest.New(fmt.Sprintf(format, args...))
}
