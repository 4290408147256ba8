package aggregation

import (
	"bytes"
	"cmp"
	"math"
	"net/netip"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

// candidatesOf gives the buckets of an owner that have enough documents.
func (t *terms) candidatesOf(owner uint32) []candidate {
	if owner == gap {
		return nil
	}
	list := t.candidates(owner, t.of.MinDocCount, len(t.everyKeys))
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
	list = best(list, t.of.Size, t.order.compare, t.limits)
	for _, c := range list {
		others -= c.count
	}
	w.name("doc_count_error_upper_bound")
	w.whole(0)
	w.name("sum_other_doc_count")
	w.whole(others)
	t.writeBuckets(w, list, nil, func(c candidate) { t.writeKey(w, c) })
}

func (t *terms) writeKey(w *writer, c candidate) {
	w.name("key")
	switch t.kind {
	case address:
		a, _ := netip.AddrFromSlice(t.dictionary.term(c.key)) // it has 16 bytes
		w.text(a.Unmap().String())
	case whole:
		w.whole(int64(c.key)) //nolint:gosec // the bits count
	case natural:
		w.natural(mapping.Unshift(int64(c.key))) //nolint:gosec // the bits count
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
}

func (t *terms) compareKeys(a, b uint64) int {
	switch t.kind {
	case whole, natural:
		return cmp.Compare(int64(a), int64(b)) //nolint:gosec // the bits count
	case floating:
		return compareFloats(math.Float64frombits(a), math.Float64frombits(b))
	default:
		return bytes.Compare(t.dictionary.term(a), t.dictionary.term(b))
	}
}
