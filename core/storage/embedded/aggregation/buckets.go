package aggregation

import (
	"cmp"
	"math"
	"slices"

	"github.com/sluicehq/sluice/core/storage/query"
)

// buckets is what aggregations with several buckets share. A bucket is made when a document comes into it, and then has a
// number.
type buckets struct {
	feed
	// The buckets by their numbers. The first takes what gets no bucket.
	owners  []uint32
	keys    []uint64
	counts  []int64
	table   table    // of buckets by owner and key
	groups  []uint32 // see group
	byGroup []uint32
	// keyOrder compares keys.
	keyOrder func(a, b uint64) int
}

// rejected is the number of the bucket of what gets none.
const rejected = 0

// Numbers of buckets that there are not: gap is one between those of a histogram or of a field that is not mapped, which has not
// even the terms that are wanted without documents, as in Elasticsearch.
const (
	none = math.MaxUint32
	gap  = none - 1
)

// bucketBytes is about what a bucket needs, without what subs keep.
const bucketBytes = 4 + 8 + 8 + 3*entryBytes

func newBuckets(a query.Aggregation, l *limits) (buckets, error) {
	f, err := newFeed(a, l)
	return buckets{feed: f, owners: []uint32{0}, keys: []uint64{0}, counts: []int64{0}, keyOrder: cmp.Compare[uint64]}, err
}

// make adds a bucket and gives its number.
func (b *buckets) make(owner uint32, key uint64) uint32 {
	n := uint32(len(b.keys)) //nolint:gosec // bounded by memory
	b.owners, b.keys, b.counts = append(b.owners, owner), append(b.keys, key), append(b.counts, 0)
	b.limits.charge(bucketBytes)
	return n
}

// bucket gives the bucket of a key, which is made when there is none.
func (b *buckets) bucket(owner uint32, key uint64) uint32 {
	e := b.table.find(owner, key)
	if e.number > 0 {
		return e.number - 1
	}
	n := b.make(owner, key)
	b.table.set(e, n)
	b.limits.charge(entryBytes)
	return n
}

// known gives the bucket of a key, with no documents when there is none.
func (b *buckets) known(owner uint32, key uint64) candidate {
	if e := b.table.find(owner, key); owner != none && e.number > 0 {
		return candidate{key: key, count: b.counts[e.number-1], bucket: e.number - 1}
	}
	if owner == gap {
		return candidate{key: key, bucket: gap}
	}
	return candidate{key: key, bucket: none}
}

// hit counts a document in a bucket, and hands it on.
func (b *buckets) hit(doc, bucket uint32) {
	b.counts[bucket]++
	if bucket != rejected {
		b.add(doc, bucket)
	}
}

// group sorts the buckets by their owners: those of owner o are byGroup[groups[o]:groups[o+1]].
func (b *buckets) group() {
	if b.groups != nil {
		return
	}
	owners := b.owners[1:]
	most := uint32(0)
	for _, o := range owners {
		most = max(most, o)
	}
	b.limits.charge(4 * (2*(int(most)+2) + len(owners)))
	b.groups = make([]uint32, most+2)
	for _, o := range owners {
		b.groups[o+1]++
	}
	for i := range most + 1 {
		b.groups[i+1] += b.groups[i]
	}
	b.byGroup = make([]uint32, len(owners))
	next := slices.Clone(b.groups)
	for i, o := range owners {
		b.byGroup[next[o]] = uint32(i + 1)
		next[o]++
	}
}

// of gives the numbers of the buckets of an owner.
func (b *buckets) of(owner uint32) []uint32 {
	b.group()
	if int64(owner)+1 >= int64(len(b.groups)) {
		return nil
	}
	return b.byGroup[b.groups[owner]:b.groups[owner+1]]
}

// candidates gives the buckets of an owner that have enough documents, with room for more. The limits are charged for the
// capacity; whoever called gives it back.
func (b *buckets) candidates(owner uint32, least, more int) []candidate {
	numbers := b.of(owner)
	b.limits.charge(max(len(numbers), more) * candidateBytes)
	if b.limits.spend(len(numbers)) {
		return nil
	}
	list := make([]candidate, 0, max(len(numbers), more))
	for _, n := range numbers {
		if b.counts[n] >= int64(least) {
			list = append(list, candidate{key: b.keys[n], count: b.counts[n], bucket: n})
		}
	}
	return list
}

// writeBuckets appends the list of buckets, or an object of them by name when there is one. head appends what stands before
// doc_count.
func (b *buckets) writeBuckets(w *writer, list []candidate, name func(candidate) string, head func(candidate)) {
	results := b.compute(list)
	if results == nil && len(b.pipelines) > 0 {
		return // the limits ended it
	}
	w.name("buckets")
	if name == nil {
		w.list(func() { b.writeList(w, results.of(list), nil, head, results) })
		return
	}
	w.object(func() { b.writeList(w, results.of(list), name, head, results) })
}

func (b *buckets) writeList(w *writer, list []candidate, name func(candidate) string, head func(candidate), r *results) {
	for i, c := range list {
		if !w.room() {
			return
		}
		if name != nil {
			w.name(name(c))
		}
		w.object(func() {
			head(c)
			w.name("doc_count")
			w.whole(c.count)
			b.subs.write(w, c.bucket)
			r.write(w, i)
		})
	}
}
