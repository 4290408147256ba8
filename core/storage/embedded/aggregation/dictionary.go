package aggregation

import (
	"bytes"
	"hash/maphash"
)

// dictionary numbers texts from 0 on.
type dictionary struct {
	seed   maphash.Seed
	bytes  []byte
	starts []int // of the texts in bytes, and the end of the last one
	table  table // by hash; texts with the same hash have different owners
	limits *limits
}

func newDictionary(l *limits) dictionary {
	return dictionary{seed: maphash.MakeSeed(), starts: []int{0}, limits: l}
}

// term gives the text with a number.
func (d *dictionary) term(id uint64) []byte { return d.bytes[d.starts[id]:d.starts[id+1]] }

// id gives the number of a text, which gets the next one when it is new.
func (d *dictionary) id(term []byte) uint64 {
	hash := maphash.Bytes(d.seed, term)
	for try := uint32(0); ; try++ {
		e := d.table.find(try, hash)
		if e.number == 0 {
			id := uint32(len(d.starts) - 1) //nolint:gosec // bounded by memory
			d.bytes = append(d.bytes, term...)
			d.starts = append(d.starts, len(d.bytes))
			d.table.set(e, id)
			d.limits.charge(2*len(term) + 16 + 3*entryBytes)
			return uint64(id)
		}
		if id := uint64(e.number - 1); bytes.Equal(d.term(id), term) {
			return id
		}
	}
}
