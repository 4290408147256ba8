package aggregation

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
	"github.com/sluicehq/sluice/core/storage/query"
)

// Hits keeps the best documents of the buckets of one top_hits. Whoever searches knows how to rank and to show them.
type Hits interface {
	// Collect takes documents of the part that is collected, each with the bucket that it is in.
	Collect(docs, buckets []uint32) error
	// Bytes is about how much memory is needed.
	Bytes() int
	// Write gives the hits of a bucket as Elasticsearch answers them.
	Write(ctx context.Context, bucket uint32) (jsontext.Value, error)
}

// topHits shows the best documents of buckets.
type topHits struct {
	of      *query.TopHits
	limits  *limits
	hits    Hits
	charged int // of hits
}

func (h *topHits) open(t *target) (err error) {
	if t.space != segment.Root {
		return refuse("top_hits inside of a nested aggregation: not supported yet")
	}
	h.hits, err = t.hits(h.of)
	return err
}

func (h *topHits) collect(docs, owners []uint32) {
	if err := h.hits.Collect(docs, owners); err != nil && h.limits.err == nil {
		h.limits.err = err
	}
	h.limits.charge(h.hits.Bytes() - h.charged)
	h.charged = h.hits.Bytes()
}

func (h *topHits) write(w *writer, owner uint32) {
	shown, err := h.hits.Write(h.limits.ctx, owner)
	if err != nil && h.limits.err == nil {
		h.limits.err = err
	}
	w.name("hits")
	w.raw(shown)
}
