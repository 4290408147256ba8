package aggregation

import (
	"strings"

	"github.com/sluicehq/sluice/core/storage/query"
)

// feed hands the documents of buckets on to what is computed for each of these.
type feed struct {
	limits *limits
	subs   nodes
	// pipelines work on the buckets of each owner.
	pipelines []pipeline
	// The batch that is gathered.
	docs, numbers []uint32
}

func newFeed(a query.Aggregation, l *limits) (feed, error) {
	f := feed{limits: l}
	var err error
	if f.subs, err = l.nodes(a.Subs); err == nil && len(f.subs) > 0 {
		f.docs, f.numbers = make([]uint32, 0, batch), make([]uint32, 0, batch)
	}
	f.pipelines = newPipelines(a.Pipelines, f.subs)
	return f, err
}

// add hands on a document of a bucket.
func (f *feed) add(doc, bucket uint32) {
	if len(f.subs) == 0 {
		return
	}
	f.docs, f.numbers = append(f.docs, doc), append(f.numbers, bucket)
	if len(f.docs) == batch {
		f.flush()
	}
}

// flush hands on what is left, at the end of collect.
func (f *feed) flush() {
	if len(f.docs) > 0 && !f.limits.spend(len(f.docs)*len(f.subs)) {
		f.subs.collect(f.docs, f.numbers)
	}
	f.docs, f.numbers = f.docs[:0], f.numbers[:0]
}

// below implements holder.
func (f *feed) below() nodes { return f.subs }

// holder is an aggregation with others below it.
type holder interface {
	below() nodes
}

// number finds a number that is computed for every bucket; see query.BucketOrder.
func (l nodes) number(by, of string) func(bucket uint32) float64 {
	name, rest, inner := strings.Cut(by, ">")
	for i := range l {
		if l[i].name != name {
			continue
		}
		if h, ok := l[i].collector.(holder); ok && inner {
			return h.below().number(rest, of)
		}
		if v, ok := l[i].collector.(valued); ok {
			return func(bucket uint32) float64 { return v.value(bucket, of) }
		}
	}
	return func(uint32) float64 { return 0 }
}
