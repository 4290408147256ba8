package search

import (
	"context"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/aggregation"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
)

// What the hits of aggregations need, roughly.
const (
	bucketBytes = 512
	entryBytes  = 320 // with what it is sorted by
)

// topHits keeps the best documents of the buckets of one top_hits. Documents of a view are collected and merged as those of a
// search are, for every bucket by itself.
type topHits struct {
	e       *execution
	of      *query.TopHits
	sorts   []query.Sort
	keys    [][]*key // by target
	buckets []*bucketHits
	bytes   int

	// What follows belongs to the view that is open.
	readers []reader
	open    []*bucketHits // with documents of the view
	first   [batchDocs]int64
	scores  [batchDocs]float32
}

// bucketHits are the best documents of one bucket.
type bucketHits struct {
	ranking
	total int
	max   float32    // the best score
	c     *collector // nil when the view that is open has no document of the bucket
}

// compileTopHits prepares the top_hits of the aggregations for another target.
func (e *execution) compileTopHits(p *part) (err error) {
	if e.plan == nil {
		return nil
	}
	if e.tops == nil {
		e.tops = map[*query.TopHits]*topHits{}
	}
	query.TopHitsOf(e.body.Aggregations, func(of *query.TopHits) {
		h := e.tops[of]
		if h == nil {
			h = newTopHits(e, of)
			e.tops[of] = h
		}
		if err == nil {
			err = h.compile(p)
		}
	})
	return err
}

func newTopHits(e *execution, of *query.TopHits) *topHits {
	h := &topHits{e: e, of: of, sorts: of.Sort}
	if len(h.sorts) == 0 {
		h.sorts = relevance
	}
	e.topScored = e.topScored || of.TrackScores || slices.ContainsFunc(h.sorts, func(s query.Sort) bool { return s.Field == query.ByScore })
	return h
}

func (h *topHits) compile(p *part) error {
	keys, err := p.sortKeys(h.sorts)
	if err != nil {
		return err
	}
	h.keys = append(h.keys, keys)
	return checkKinds(h.keys[0], keys)
}

// topHits gives what keeps the hits of a top_hits, ready for documents of a view.
func (e *execution) openTopHits(of *query.TopHits, p *part, v *view) (aggregation.Hits, error) {
	h := e.tops[of]
	h.readers = h.readers[:0]
	for _, k := range h.keys[slices.Index(e.parts, p)] {
		r, err := k.open(v)
		if err != nil {
			return nil, err
		}
		h.readers = append(h.readers, r)
	}
	return h, nil
}

// Collect implements aggregation.Hits.
func (h *topHits) Collect(docs, buckets []uint32) error {
	for len(docs) > 0 {
		n := 1
		for n < len(docs) && buckets[n] == buckets[0] {
			n++
		}
		b := h.bucket(buckets[0])
		scores := h.scores[:n]
		for i, doc := range docs[:n] {
			scores[i] = h.e.score(doc)
			b.max = max(b.max, scores[i])
		}
		before := len(b.c.heap)
		b.c.add(docs[:n], scores)
		b.total += n
		h.bytes += (len(b.c.heap) - before) * entryBytes
		docs, buckets = docs[n:], buckets[n:]
	}
	return nil
}

// bucket gives a bucket that takes documents of the view.
func (h *topHits) bucket(number uint32) *bucketHits {
	for int(number) >= len(h.buckets) {
		h.buckets = append(h.buckets, nil)
	}
	b := h.buckets[number]
	if b == nil {
		b = &bucketHits{ranking: ranking{keys: h.keys[0], most: h.of.From + h.of.Size}}
		h.buckets[number] = b
		h.bytes += bucketBytes
	}
	if b.c == nil {
		b.c = newCollector(h.readers, b.most, nil, noDoc)
		b.c.first = h.first[:]
		if worst, full := b.full(); full {
			b.c.limitTo(worst)
		}
		h.open = append(h.open, b)
	}
	return b
}

// mergeTopHits ends collecting documents of a view.
func (e *execution) mergeTopHits(v *view) error {
	for _, h := range e.tops {
		for _, b := range h.open {
			if err := v.stop(len(b.c.heap)); err != nil {
				return err
			}
			if err := b.merge(b.c, v.View, e.at.target, e.at.view); err != nil {
				return err
			}
			b.c = nil
		}
		h.open = h.open[:0]
	}
	return nil
}

// Bytes implements aggregation.Hits.
func (h *topHits) Bytes() int { return h.bytes }

// Write implements aggregation.Hits.
func (h *topHits) Write(ctx context.Context, number uint32) (jsontext.Value, error) {
	b := &bucketHits{}
	if int(number) < len(h.buckets) && h.buckets[number] != nil {
		b = h.buckets[number]
	}
	dst := strconv.AppendInt([]byte(`{"total":{"value":`), int64(b.total), 10)
	dst = append(dst, `,"relation":"eq"},"max_score":`...)
	switch {
	case b.total > 0 && h.scored():
		dst = append(dst, scoreJSON(b.max)...)
	default:
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"hits":[`...)
	for i := min(h.of.From, len(b.best)); i < len(b.best); i++ {
		hit, err := h.hit(ctx, &b.best[i])
		if err != nil {
			return nil, err
		}
		if hit != nil && dst[len(dst)-1] != '[' {
			dst = append(dst, ',')
		}
		dst = append(dst, hit...)
	}
	return append(dst, "]}"...), nil
}

// scored says that hits have scores.
func (h *topHits) scored() bool { return h.of.Plainly() || h.of.TrackScores }

// hit gives a hit as Elasticsearch answers it, nothing when its document is gone.
func (h *topHits) hit(ctx context.Context, f *found) (jsontext.Value, error) {
	if !f.named {
		if err := f.name(h.e.parts[f.target].Views[f.view].Segment); err != nil {
			return nil, err
		}
	}
	shown, there, err := h.e.request.Read(ctx, Hit{Target: f.target, ID: f.id, Position: f.position}, &h.of.Shown)
	if !there || err != nil {
		return nil, err
	}
	dst := append([]byte(`{"_index":`), quote("&"+shown.Collection.Index+"."+shown.Collection.Name)...)
	dst = append(append(dst, `,"_id":`...), quote(f.id)...)
	dst = append(dst, `,"_score":`...)
	if h.scored() {
		dst = append(dst, scoreJSON(f.score)...)
	} else {
		dst = append(dst, "null"...)
	}
	if shown.Source != nil {
		dst = append(append(dst, `,"_source":`...), shown.Source...)
	}
	if shown.Highlight != nil {
		dst = append(append(dst, `,"highlight":`...), shown.Highlight...)
	}
	if !h.of.Plainly() {
		dst = append(dst, `,"sort":[`...)
		for i, k := range h.keys[f.target] {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, k.json(f.values[i])...)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}'), nil
}

func scoreJSON(score float32) jsontext.Value {
	k := key{kind: byFloat, typ: mapping.Float}
	return k.json(value{number: orderedBits(float64(score))})
}

// score is that of a document of the view that is searched, when the aggregations want to know it.
func (e *execution) score(doc uint32) float32 {
	if e.scores != nil {
		return e.scores[doc]
	}
	return e.steady
}
