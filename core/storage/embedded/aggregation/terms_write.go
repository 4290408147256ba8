package aggregation

import (
	"bytes"
	"cmp"
	"math"
	"net/netip"
	"slices"

	"github.com/sluicehq/sluice/core/storage/query"
)

// candidate is a bucket of an owner that may be in the answer.
type candidate struct {
	key    uint64
	count  int64
	bucket uint32 // none when no document is in it
}

// candidateBytes is what a candidate needs.
const candidateBytes = 24

// none is the number of a bucket that there is not.
const none = math.MaxUint32

// group sorts the buckets by their owners: those of owner o are byGroup[groups[o]:groups[o+1]].
func (t *terms) group() {
	if t.groups != nil {
		return
	}
	owners := t.owners[1:]
	most := uint32(0)
	for _, o := range owners {
		most = max(most, o)
	}
	t.limits.charge(4 * (2*(int(most)+2) + len(owners)))
	t.groups = make([]uint32, most+2)
	for _, o := range owners {
		t.groups[o+1]++
	}
	for i := range most + 1 {
		t.groups[i+1] += t.groups[i]
	}
	t.byGroup = make([]uint32, len(owners))
	next := slices.Clone(t.groups)
	for i, o := range owners {
		t.byGroup[next[o]] = uint32(i + 1)
		next[o]++
	}
}

// candidatesOf gives the buckets of an owner that have enough documents.
func (t *terms) candidatesOf(owner uint32) []candidate {
	t.group()
	var buckets []uint32
	if int(owner)+1 < len(t.groups) {
		buckets = t.byGroup[t.groups[owner]:t.groups[owner+1]]
	}
	t.limits.charge(max(len(buckets), len(t.everyKeys)) * candidateBytes)
	if t.limits.spend(len(buckets)) {
		return nil
	}
	list := make([]candidate, 0, max(len(buckets), len(t.everyKeys)))
	for _, b := range buckets {
		if t.counts[b] >= int64(t.of.MinDocCount) {
			list = append(list, candidate{key: t.keys[b], count: t.counts[b], bucket: b})
		}
	}
	for _, key := range t.everyKeys {
		if t.limits.spend(1) {
			return nil
		}
		if t.table.find(owner, key).number == 0 {
			list = append(list, candidate{key: key, bucket: none})
		}
	}
	return list
}

func (t *terms) write(w *writer, owner uint32) {
	list := t.candidatesOf(owner)
	bytes := cap(list) * candidateBytes
	defer func() { t.limits.charge(-bytes) }()
	// All that are in the answer count before they are put in order, which may be too much work.
	if !w.add(min(len(list), t.of.Size)) {
		return
	}
	others := int64(0)
	for _, c := range list {
		others += c.count
	}
	list = best(list, t.of.Size, t.compare, t.limits)
	for _, c := range list {
		others -= c.count
	}
	w.name("doc_count_error_upper_bound")
	w.whole(0)
	w.name("sum_other_doc_count")
	w.whole(others)
	w.name("buckets")
	w.dst = append(w.dst, '[')
	for _, c := range list {
		if !w.room() {
			return
		}
		w.object(func() { t.writeBucket(w, c) })
	}
	w.dst = append(w.dst, ']')
}

func (t *terms) writeBucket(w *writer, c candidate) {
	w.name("key")
	switch t.kind {
	case address:
		a, _ := netip.AddrFromSlice(t.dictionary.term(c.key)) // it has 16 bytes
		w.text(a.Unmap().String())
	case whole:
		w.whole(int64(c.key)) //nolint:gosec // the bits count
	case floating:
		w.floating(math.Float64frombits(c.key))
	default:
		w.text(string(t.dictionary.term(c.key)))
	}
	if t.format.some() && t.kind == whole {
		w.name("key_as_string")
		w.text(t.format.textOf(int64(c.key))) //nolint:gosec // the bits count
	} else if t.format.some() && t.kind == floating {
		w.name("key_as_string")
		w.text(t.format.text(math.Float64frombits(c.key)))
	}
	w.name("doc_count")
	w.whole(c.count)
	t.subs.write(w, c.bucket)
}

// compare orders candidates by the rules, and equal ones by their keys.
func (t *terms) compare(a, b candidate) int {
	for _, o := range t.of.Order {
		c := 0
		switch o.By {
		case "_count":
			c = cmp.Compare(a.count, b.count)
		case "_key":
			c = t.compareKeys(a.key, b.key)
		default:
			c = t.compareMetrics(o, a.bucket, b.bucket)
		}
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return t.compareKeys(a.key, b.key)
}

func (t *terms) compareKeys(a, b uint64) int {
	switch t.kind {
	case whole:
		return cmp.Compare(int64(a), int64(b)) //nolint:gosec // the bits count
	case floating:
		return compareFloats(math.Float64frombits(a), math.Float64frombits(b))
	default:
		return bytes.Compare(t.dictionary.term(a), t.dictionary.term(b))
	}
}

// valued gives a number that buckets can be ordered by.
type valued interface {
	value(owner uint32, of string) float64
}

func (t *terms) compareMetrics(o query.BucketOrder, a, b uint32) int {
	for i := range t.subs {
		if v, ok := t.subs[i].collector.(valued); ok && t.subs[i].name == o.By {
			return compareFloats(v.value(a, o.Of), v.value(b, o.Of))
		}
	}
	return 0
}

// compareFloats orders as Java does: -0 before 0, and what is no number last.
func compareFloats(a, b float64) int {
	switch {
	case math.IsNaN(a) || math.IsNaN(b):
		return -cmp.Compare(a, b) // cmp has what is no number first
	case a == 0 && b == 0:
		return cmp.Compare(math.Copysign(1, a), math.Copysign(1, b))
	}
	return cmp.Compare(a, b)
}

// best gives the first n of a list in their order, nothing when the limits end it. It may change the list.
func best(list []candidate, n int, compare func(a, b candidate) int, l *limits) []candidate {
	if n >= len(list) {
		slices.SortFunc(list, compare)
		return list
	}
	top := make([]candidate, 0, min(2*n+64, len(list)))
	cut := false // top[:n] are the best so far, in order
	for _, c := range list {
		if cut && compare(c, top[n-1]) >= 0 {
			continue
		}
		if top = append(top, c); len(top) == 2*n+64 {
			slices.SortFunc(top, compare)
			top, cut = top[:n], true
			if l.spend(cap(top)) {
				return nil
			}
		}
	}
	slices.SortFunc(top, compare)
	return top[:n]
}
