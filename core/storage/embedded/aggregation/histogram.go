package aggregation

import (
	"cmp"
	"math"

	"github.com/sluicehq/sluice/core/storage/query"
)

// histogram makes a bucket for each interval that has values.
type histogram struct {
	buckets
	name    string
	field   string
	what    string
	options *query.HistogramOptions
	scale   scale
	order   ordering

	reader reader // of the segment that is open
}

// scale knows the intervals of a histogram. Keys are the bits of floating-point numbers.
type scale interface {
	// open learns from the field in a segment, and reads bounds in its format.
	open(t *target, r *reader) error
	// key gives the interval of a number, false when it gets no bucket.
	key(x float64) (key float64, ok bool)
	next(key float64) float64
	// extended gives the keys up to which there are empty buckets; those that are not asked for are nil.
	extended() (first, last *float64)
	// text is the key as a text, and head writes the key.
	text(key float64) string
	head(w *writer, key float64)
}

func newHistogram(of *query.Histogram, a query.Aggregation, l *limits) (*histogram, error) {
	h := &histogram{name: a.Name, field: of.Field, what: "histogram", options: &of.HistogramOptions, scale: &numberScale{of: of, limits: l}}
	return h, h.begin(a, l)
}

func newDateHistogram(of *query.DateHistogram, a query.Aggregation, l *limits) (*histogram, error) {
	h := &histogram{name: a.Name, field: of.Field, what: "date_histogram", options: &of.HistogramOptions, scale: newDateScale(of)}
	return h, h.begin(a, l)
}

func (h *histogram) begin(a query.Aggregation, l *limits) error {
	var err error
	if h.buckets, err = newBuckets(a, l); err != nil {
		return err
	}
	h.keyOrder = compareKeys
	h.order = newOrdering(h.options.Order, h.subs, compareKeys)
	return nil
}

// compareKeys compares the bits of two numbers.
func compareKeys(a, b uint64) int {
	return cmp.Compare(math.Float64frombits(a), math.Float64frombits(b))
}

func (h *histogram) open(t *target) error {
	if err := h.reader.open(t, h.field, h.what, nil); err != nil {
		return err
	}
	if err := h.scale.open(t, &h.reader); err != nil {
		return err
	}
	if h.options.Missing != nil && h.reader.missing == nil {
		var err error
		if h.reader.missing, err = numberValue(h.options.Missing, h.reader.column.field, t.now); err != nil {
			return err
		}
	}
	return h.subs.open(t)
}

func (h *histogram) collect(docs, owners []uint32) {
	if h.reader.nothing() {
		return
	}
	doc, last, number := -1, math.NaN(), uint32(rejected)
	h.reader.each(docs, h.limits, func(i int, x float64) {
		key, ok := h.scale.key(x)
		if !ok || i == doc && key == last {
			return
		}
		if key != last || doc < 0 || owners[i] != owners[doc] {
			number = h.bucket(owners[i], math.Float64bits(key))
		}
		doc, last = i, key
		h.hit(docs[i], number)
	})
	h.flush()
}

func (h *histogram) write(w *writer, owner uint32) {
	list := h.candidates(owner, max(h.options.MinDocCount, 1), 0)
	if h.options.MinDocCount == 0 {
		list = h.filled(list)
	}
	bytes := cap(list) * candidateBytes
	defer func() { h.limits.charge(-bytes) }()
	if !w.add(len(list)) {
		return
	}
	sortCandidates(list, h.order.compare, h.limits)
	var name func(candidate) string
	if h.options.Keyed {
		name = func(c candidate) string { return h.scale.text(math.Float64frombits(c.key)) }
	}
	h.writeBuckets(w, list, name, func(c candidate) { h.scale.head(w, math.Float64frombits(c.key)) })
}

// filled puts a list in the order of the keys, with the empty buckets in between. It may have one more than there may be.
func (h *histogram) filled(list []candidate) []candidate {
	h.limits.charge(-cap(list) * candidateBytes)
	sortCandidates(list, func(a, b candidate) int { return compareKeys(a.key, b.key) }, h.limits)
	first, last := h.scale.extended()
	switch {
	case len(list) == 0 && (first == nil || last == nil):
		return list
	case len(list) == 0:
		list = h.fill(nil, *first, math.Nextafter(*last, math.Inf(1)))
		h.limits.charge(cap(list) * candidateBytes)
		return list
	}
	var all []candidate
	if begin := math.Float64frombits(list[0].key); first != nil && *first < begin {
		all = h.fill(all, *first, begin)
	}
	for i, c := range list {
		all = append(all, c)
		if i+1 < len(list) {
			all = h.fill(all, h.scale.next(math.Float64frombits(c.key)), math.Float64frombits(list[i+1].key))
		}
	}
	if end := math.Float64frombits(list[len(list)-1].key); last != nil && *last > end {
		all = h.fill(all, h.scale.next(end), math.Nextafter(*last, math.Inf(1)))
	}
	h.limits.charge(cap(all) * candidateBytes)
	return all
}

// fill appends empty buckets from a key on and before another, until there are too many.
func (h *histogram) fill(list []candidate, from, to float64) []candidate {
	for key := from; key < to && len(list) <= query.MaxBuckets && !h.limits.spend(1); {
		list = append(list, candidate{key: math.Float64bits(key), bucket: gap})
		next := h.scale.next(key)
		if next <= key { // the interval is too small for numbers so large
			next = to
		}
		key = next
	}
	return list
}
