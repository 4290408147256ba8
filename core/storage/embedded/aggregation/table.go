package aggregation

import "math/bits"

// table finds numbers by an owner and a key, with open addressing. Numbers are below 1<<32 - 1. The zero table is empty.
type table struct {
	entries []entry // a power of two, or none
	count   int
}

type entry struct {
	key    uint64
	owner  uint32
	number uint32 // one more than the number; 0 is a free place
}

const entryBytes = 16

// mix spreads the bits of a key. Different keys give different results.
func mix(key uint64) uint64 {
	key ^= key >> 32
	key *= 0xd6e8feb86659fd93
	key ^= key >> 32
	key *= 0xd6e8feb86659fd93
	return key ^ key>>32
}

// find gives the entry of owner and key. It is free when there is none: then whoever called sets number, unless the entry is
// to stay free, before the next call.
func (t *table) find(owner uint32, key uint64) *entry {
	if 2*t.count >= len(t.entries) {
		t.grow()
	}
	mask := uint64(len(t.entries) - 1) //nolint:gosec // there is at least one place
	for i := mix(key^bits.RotateLeft64(uint64(owner), 40)) & mask; ; i = (i + 1) & mask {
		e := &t.entries[i]
		if e.number == 0 {
			e.key, e.owner = key, owner
			return e
		}
		if e.key == key && e.owner == owner {
			return e
		}
	}
}

// set gives a free entry its number.
func (t *table) set(e *entry, number uint32) {
	e.number = number + 1
	t.count++
}

func (t *table) grow() {
	old := t.entries
	t.entries = make([]entry, max(64, 2*len(old)))
	t.count = 0
	for _, e := range old {
		if e.number > 0 {
			t.set(t.find(e.owner, e.key), e.number-1)
		}
	}
}
